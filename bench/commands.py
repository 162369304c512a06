"""Commands on a site that is deployed, at a distance: `python -m bench.commands`.

A site of 200 pages and 30 functions on the embedded cloud, without a build of its own. Each command
is a process as a user starts it, behind a proxy that adds 30 ms (rollback: 50) to each round trip
and keeps a log: requests to AWS, writes among them. How many had to follow one another is read
half a second away: nearer than that a thread that the processor keeps waiting looks like one that
waits for an answer.

What a workflow runs is run as there, with a run's number: whether a newer run came first is asked
before the build, which is a call more and shows where to look after it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.cold import cloud
from bench.cost import costs
from bench.distance import Distance, Request, chain, counted, depth, distance
from bench.entry import Aim, Entry, Readings
from bench.servers import ROOT
from bench.suite import Report, Run, main, progress

OURS = "jam-deploy"
NEAR_MS, FAR_MS, DEEP_MS = 30, 50, 500
PAGES, FUNCTIONS, CHANGED_PAGES, CHANGED_FUNCTIONS = 200, 30, 20, 3
SETTINGS = """site = "bench"
region = "eu-central-1"
[build]
publish = "public"
"""
SLOW_SERVICES = {"apigateway", "iam", "cloudfront"}  # none of them for files alone


@dataclass(frozen=True)
class Told:
    """What a command ended with, and what it cost."""

    outcome: Mapping[str, Any]
    requests: list[Request]
    wall: float  # seconds with the start of the interpreter

    @property
    def aws(self) -> list[Request]:
        return [each for each in self.requests if each.service]

    @property
    def writes(self) -> list[Request]:
        return [each for each in self.aws if each.writes]


@dataclass
class Site:
    """A checkout, and the machine that its commands are typed on."""

    folder: Path
    home: Path
    text: int = 0
    runs: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def make(self) -> None:
        for folder in (self.folder / "public", self.folder / "functions", self.home):
            folder.mkdir(parents=True)
        (self.folder / "jam.toml").write_text(SETTINGS)
        self.change(PAGES, FUNCTIONS)

    def change(self, pages: int, functions: int) -> None:
        self.text += 1
        for number in range(pages):
            page = f"<!doctype html><h1>{number}</h1>{self.text}" + f"<p>{number} text" * 500
            (self.folder / "public" / f"{number or 'index'}.html").write_text(page)
        for number in range(functions):
            code = f"export default async () => new Response('{number}, {self.text}');\n"
            (self.folder / "functions" / f"f{number}.mjs").write_text(code)

    def run(self, at: Distance, *command: str, by_hand: bool = False) -> Told:
        """Raises where it fails, or tells no JSON."""
        self.runs += 1
        number = {} if by_hand else {
            "GITHUB_RUN_NUMBER": str(self.runs), "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKFLOW_REF": "octo/notes/.github/workflows/deploy.yml@refs/heads/main",
        }  # fmt: skip
        at.take()  # what was logged late of the command before: a connection tells when it closes
        environment = {
            **os.environ, "AWS_ENDPOINT_URL": at.endpoint, "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
            "XDG_CACHE_HOME": str(self.home), "PYTHONPATH": str(ROOT), **number,
        }  # fmt: skip
        with costs() as cost:
            done = subprocess.run(
                [sys.executable, "-m", "runner", *command, "--json"],
                cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command}: status {done.returncode}: {done.stderr[-2_000:]}")
        return Told(json.loads(done.stdout), at.take(), cost.seconds)


def measure(run: Run) -> Report:
    report, readings = Report(), Readings()
    with ExitStack() as stack:
        endpoint = stack.enter_context(cloud(run.scratch / "cloud", speed=1))
        near = stack.enter_context(distance(endpoint, NEAR_MS / 1000, run.scratch / "near.log"))
        far = stack.enter_context(distance(endpoint, FAR_MS / 1000, run.scratch / "far.log"))
        deep = stack.enter_context(distance(endpoint, DEEP_MS / 1000, run.scratch / "deep.log"))
        site = Site(run.scratch / "site", run.scratch / "home")
        site.make()
        site.run(near, "bootstrap")
        report.notes["first deploy"] = noted(site.run(near, "deploy", "--now"))
        site.run(near, "preview", "--pr", "1", "--public")
        for number in range(run.rounds):
            progress(f"commands: round {number + 1} of {run.rounds}")
            last = one_round(site, near, far)
            for what, told in last.items():
                add(readings, what, told)
            for what, told in one_round(site, deep, deep).items():
                readings.add(f"depth, {what}", OURS, depth(told.aws))
                readings.add(f"chain, {what}", OURS, chain(told.aws))
    report.notes |= {what: noted(told) for what, told in last.items()}
    report.entries = entries(readings)
    return report


def one_round(site: Site, near: Distance, far: Distance) -> dict[str, Told]:
    """Each from the state that the one before left."""
    told = {
        "no-op deploy": site.run(near, "deploy", "--now", by_hand=True),
        "no-op deploy in a workflow": site.run(near, "deploy", "--now"),
    }
    site.change(CHANGED_PAGES, CHANGED_FUNCTIONS)
    told["warm deploy"] = site.run(near, "deploy", "--now")
    site.change(CHANGED_PAGES, 0)
    told["static deploy"] = site.run(near, "deploy", "--now")
    told["rollback"] = site.run(far, "rollback")
    site.run(near, "unhold")
    site.change(CHANGED_PAGES, CHANGED_FUNCTIONS)
    told["preview of a pushed commit"] = site.run(near, "preview", "--pr", "1", "--public")
    site.run(near, "deploy", "--now")
    return told


def add(readings: Readings, what: str, told: Told) -> None:
    slow = [each for each in told.aws if each.service in SLOW_SERVICES]
    for kind, value in {
        "calls": len(told.aws),
        "writes": len(told.writes),
        "slow": len(slow),
        "seconds": told.outcome["seconds"],
        "wall": told.wall,
    }.items():
        readings.add(f"{kind}, {what}", OURS, value)


def noted(told: Told) -> dict[str, object]:
    """The operations of one run of it, and what waits for nothing is beside it."""
    return {
        "wall_s": round(told.wall, 2),
        "depth": depth(told.aws),
        "depth, each request a link": chain(told.aws),
        "calls": counted(told.aws),
    }


def entries(readings: Readings) -> list[Entry]:
    def entry(what: str, kind: str, unit: str, bound: float | None, *, rtt: int = NEAR_MS) -> Entry:
        rtt = DEEP_MS if kind in ("depth", "chain") else rtt
        read = readings.of(f"{kind}, {what}")[OURS]
        said = {
            "slow": "API Gateway, IAM and distribution calls",
            "chain": "depth, each upload and each look at a version a link",
            "wall": "whole command",
        }
        name = f"{what}, {said.get(kind, kind)}"
        return Entry(name=name, unit=unit, rtt_ms=rtt, ours=read, aim=Aim(bound=bound))

    warm, static, preview = "warm deploy", "static deploy", "preview of a pushed commit"
    return [
        entry("no-op deploy", "calls", "calls", 4),
        entry("no-op deploy", "writes", "writes", 0),
        entry("no-op deploy", "seconds", "s", 0.8),
        entry("no-op deploy in a workflow", "calls", "calls", None),
        entry("no-op deploy in a workflow", "seconds", "s", 0.8),
        entry(warm, "calls", "calls", None),
        entry(warm, "depth", "round trips", 10),
        entry(warm, "chain", "round trips", None),
        entry(warm, "seconds", "s", None),
        entry(static, "calls", "calls", None),
        entry(static, "depth", "round trips", 8),
        entry(static, "chain", "round trips", None),
        entry(static, "slow", "calls", 0),
        entry(static, "seconds", "s", None),
        entry(preview, "depth", "round trips", 10),
        entry(preview, "chain", "round trips", None),
        entry(preview, "seconds", "s", 5),
        entry("rollback", "writes", "writes", 5, rtt=FAR_MS),
        entry("rollback", "depth", "round trips", 5),
        entry("rollback", "seconds", "s", 1, rtt=FAR_MS),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
