"""A release that the guard promoted alone: what goes with it, what does not yet, who does it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.scenarios.conftest import Site

SPEED = 20
PATIENCE = 120.0  # seconds of ours on a busy machine
SETTINGS = """
site = "trailing"
region = "eu-central-1"
[build]
publish = "public"
[functions]
{cors}
[functions.events]
stream = true
[functions.tick]
schedule = "0 * * * *"
[production.rollout]
percent = 50
interval = "1m"
"""
EVENTS = 'export default async () => new Response("edition WORD");\n'
TICK = 'def handler(event, context):\n    return "edition WORD"\n'


@pytest.fixture(scope="module")
def site(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(Path(tmp_path_factory.mktemp("trailing")), account)
    site.hasten(SPEED)
    for folder in ("public", "functions"):
        (site.folder / folder).mkdir()
    return site


def _write(site: Site, word: str, cors: str = "", build: str = "") -> None:
    settings = SETTINGS.format(cors=cors).replace("[build]\n", f"[build]\n{build}\n")
    (site.folder / "jam.toml").write_text(settings)
    (site.folder / "public" / "index.html").write_text(f"<h1>Edition {word}</h1>")
    (site.folder / "functions" / "events.mjs").write_text(EVENTS.replace("WORD", word))
    (site.folder / "functions" / "tick.py").write_text(TICK.replace("WORD", word))


def _runs(site: Site) -> str:
    """The version that the schedule runs."""
    make: Any = boto3.client  # its overloads want the service's name as a literal
    scheduler = make(
        "scheduler",
        region_name="eu-central-1",
        endpoint_url=site.endpoint,
        aws_access_key_id="somebody",
        aws_secret_access_key="somebody",
    )
    (found,) = scheduler.list_schedules(GroupName="jam-trailing")["Schedules"]
    return str(found["Target"]["Arn"].rpartition(":")[2])


def _production(site: Site) -> dict[str, Any]:
    (found,) = site.jam("status").answer["environments"]
    return found


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(1)  # each look is a command, on cores that the cloud needs


def test_what_the_guard_may_not_do_is_said_loudly_and_done_by_settle_without_a_build(
    site: Site,
) -> None:
    _write(site, "first")
    url, before = site.deploy()["url"], _runs(site)
    _write(site, "second", cors='cors = ["https://app.example.com"]')
    opened = site.jam("deploy", "--no-wait")
    assert opened.answer["outcome"] == "open", opened.log[-3000:]
    assert "`jam-deploy settle` has to do what the guard cannot" in opened.log
    _until(lambda: _production(site)["release"] == opened.answer["release"])
    _until(lambda: _production(site)["rollout"]["phase"] == "closed")

    assert b"edition second" in site.get(url, "/.functions/events").data  # the guard moved it
    assert _runs(site) == before
    assert _production(site)["trailing"] == [
        "run tick by cron(0 * * * ? *)",
        "let pages of https://app.example.com call functions",
    ]
    assert _production(site)["rollout"]["outcome"] == "live"

    _write(site, "second", build='command = "exit 1"')
    settled = site.jam("settle")
    assert (settled.status, settled.answer["followed"]) == (0, True), settled.log[-3000:]
    assert int(_runs(site)) > int(before), settled.log
    assert _production(site)["trailing"] == []
    assert site.jam("settle").answer["followed"] is False
