"""Many pull requests at once: each its own URL, page and function, and nothing left of any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from runner.audit import audit
from runner.aws.api import DEPLOYMENT_EVERY
from runner.aws.api_room import MOST_STAGES
from runner.local.cloud import Cloud
from tests.previews_site import PreviewedSite, Ran

# Cloud seconds in one of ours: leases last 90, the store is waited for 60, and machines are busy.
SPEED, SPEED_OF_MANY = 5.0, 1.0
Got = TypeVar("Got")


class Pushed(PreviewedSite):
    """One pull request's checkout, beside others: time passes for all of them by itself."""

    number = 0

    def sleep(self, seconds: float) -> None:
        self.cloud.clock.sleep(seconds)

    def fill(self) -> None:
        self.write("public/index.html", f"<p>page of {self.number}")
        answer = f'{{"statusCode": 200, "body": "function of {self.number}"}}'
        self.write("functions/who.py", f"def handler(event, context):\n    return {answer}\n")

    def show(self) -> Ran:
        return self.preview(self.number, run=2, private=False)

    def seen(self, url: str) -> tuple[int, bytes, bytes]:
        guest = self.visitor(url)
        page = guest.visit("/")
        return page.status, page.body.split(b"<!--")[0], guest.get("/.functions/who").body

    def gone(self) -> str:
        return self.close(self.number, run=3).outcome


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=SPEED) as made:
        yield made


@pytest.mark.parametrize(
    "count", [4, pytest.param(20, marks=[pytest.mark.hunt, pytest.mark.timeout(1_200)])]
)
def test_pull_requests_at_once_get_a_url_each_and_leave_nothing(
    cloud: Cloud, tmp_path: Path, count: int
) -> None:
    pulls = _pulls(cloud, tmp_path, count)
    since = cloud.journal.last
    shown = _at_once(pulls, Pushed.show)
    urls = [each.outcome.url for each in shown]
    assert [each.outcome.outcome for each in shown] == ["live"] * count
    assert len(set(urls)) == count
    seen = [pull.seen(url) for pull, url in zip(pulls, urls, strict=True)]
    assert seen == [
        (200, f"<p>page of {it.number}".encode(), f"function of {it.number}".encode())
        for it in pulls
    ]
    # Each API has as many api_stages as it may, and deployments came one after the other.
    apis = {each.outcome.api_url.split("//")[1].split(".")[0] for each in shown}
    assert len(apis) == -(-count // MOST_STAGES)
    made = _deployments(cloud, since=since)
    assert len(made) == count
    # API Gateway counts when it is asked, the journal notes when it has answered: each may be late.
    assert made[-1] - made[0] >= DEPLOYMENT_EVERY * (count - 2)

    assert _at_once(pulls, Pushed.gone) == ["removed"] * count
    assert {it.visitor(url).visit("/").status for it, url in zip(pulls, urls, strict=True)} == {404}
    told = audit(pulls[0].onlooker, pulls[0].names)
    assert [f"{each.kind} {each.name}" for each in told.unexplained] == []
    left = [each for each in told.found if each.thing.environment.startswith("pr-")]
    assert [f"{each.thing.kind} {each.thing.name}" for each in left] == []
    for each in pulls:
        each.end()


def _pulls(cloud: Cloud, folder: Path, count: int) -> list[Pushed]:
    """The first is shown already, and with it what all share; the others are opened now."""
    first = PreviewedSite.in_new_account(cloud, folder / "first")
    first.preview(1, run=1, private=False)
    first.end()
    pulls = [Pushed(cloud, folder / f"pr-{number}") for number in range(1, count + 1)]
    for number, each in enumerate(pulls, 1):
        each.number = number
        each.fill()
    cloud.clock.hasten(SPEED if count < MOST_STAGES else SPEED_OF_MANY)
    return pulls


def _deployments(cloud: Cloud, *, since: int) -> list[float]:
    """When API Gateway made one."""
    calls = cloud.journal.entries(since=since)
    return [it.at for it in calls if it.name == "apigatewayv2:CreateDeployment" and it.status < 400]


def _at_once(pulls: list[Pushed], do: Callable[[Pushed], Got]) -> list[Got]:
    with ThreadPoolExecutor(len(pulls)) as pool:
        return list(pool.map(do, pulls))
