"""Going to a release that lies ready moves what belongs to releases, and nothing that stands."""

from __future__ import annotations

import pytest

from runner.model import Origin
from runner.plan.back import plan_back
from runner.plan.live import Live
from tests.builders import a_release

HOSTS = ("example.com", "www.example.com")
NOW, BEFORE = a_release("now"), a_release("before")


@pytest.mark.parametrize("works", [True, False], ids=["that work", "that lack a record"])
@pytest.mark.parametrize("trailing", [False, True], ids=["followed", "to follow"])
@pytest.mark.parametrize("release", [BEFORE, NOW], ids=["before", "live"])
def test_the_sites_names_stay_as_they_are(release, trailing, works) -> None:
    live = Live(
        release=NOW.id,
        sequence=2,
        foundation="as it stands",
        entry_agrees=True,
        trailing=trailing,
        domains=HOSTS,
        domains_work=works,
    )
    steps = [str(step) for step in plan_back(release, live, hold=None, is_routed=True)]
    assert not [step for step in steps if any(host in step for host in HOSTS)]


def test_of_a_release_that_is_live_and_followed_nothing_is_to_do_whatever_its_names_lack() -> None:
    live = Live(
        release=NOW.id, foundation="as it stands", entry_agrees=True, domains=HOSTS, sequence=2
    )
    assert plan_back(NOW, live, hold=None, is_routed=True).is_empty


def test_origin_of_what_goes_back_is_the_live_record() -> None:
    by = Origin(commit="c" * 40)
    live = Live(release=NOW.id, foundation="as it stands", sequence=2, origin=by)
    (recorded,) = [
        step for step in plan_back(BEFORE, live, hold=None, is_routed=True).switch
        if hasattr(step, "previous")
    ]  # fmt: skip
    assert (recorded.previous, recorded.origin, recorded.sequence) == (NOW.id, by, 3)
