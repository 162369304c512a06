"""Router, response function and entry at their limits: `python -m bench.edge`.

CloudFront publishes no milliseconds: a function's duration is "submillisecond", and what it takes
is told as a percentage of a time that AWS does not name. So the aim is a fifth of one millisecond,
for the 99th percentile of visits that are as hard as the limits allow (bench/visits.py), on V8
without its compilers: an interpreter, as CloudFront's engine is one. A visit is measured in one
trip into V8 that repeats it, its event's JSON in both directions included; `a function that does
nothing` has the same.
Sources: CloudFront developer guide, "Differences between CloudFront Functions and Lambda@Edge",
Function duration; "Restrictions on CloudFront Functions", Compute utilization.

Entry runs in a process of its own, of its archive, unpacked: 10,000 files, with few rules and with
the most that packaging takes.
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from py_mini_racer import init_mini_racer

from bench.entry import Aim, Entry, Readings
from bench.servers import ROOT
from bench.suite import Report, Run, main, progress
from bench.visits import HOSTS, Event, calls, full_store, requests, responses, text_of
from runner.build import publish
from runner.edge import response_code, router_code
from runner.local.edge_rules import EdgeFunctionError
from runner.local.javascript import EdgeFunction, Outcome
from runner.model import Redirect, Release
from runner.package.entry import package
from runner.package.manifest import manifest
from runner.package.redirects import MOST_RULES
from runner.package.release import assemble

OURS, NOTHING = "jam-deploy", "a function that does nothing"
BOUND_MS = 0.2  # a fifth of a millisecond
COLD_MS, WARM_MS = 200, 3
IDLE = "function handler(event) { return event.response || event.request; }"
# As runner/local/javascript.py starts V8, but without its compilers: whoever comes first decides.
FLAGS = ("--single-threaded", "--allow-natives-syntax", "--disallow-code-generation-from-strings",
         "--jitless")  # fmt: skip
FEW_RULES = 100
TRIP = 20  # times that one trip repeats a visit


def measure(run: Run) -> Report:
    init_mini_racer(flags=FLAGS)
    readings = Readings()
    times = 2 if run.quick else 5
    store = full_store()
    programs = {
        "router": (router_code(HOSTS), requests()),
        "response function": (response_code(), responses()),
    }
    files = 200 if run.quick else 10_000
    releases = {rules: made(run.scratch, files, rules) for rules in (FEW_RULES, MOST_RULES)}
    for number in range(run.rounds):
        progress(f"edge: round {number + 1} of {run.rounds}")
        for name, (code, events) in programs.items():
            for who, program in ((OURS, code), (NOTHING, IDLE)):
                found = [visit_ms(program, store, event, times=times) for event in events]
                for what, values in zip(
                    (name, f"{name}, cpu"), zip(*found, strict=True), strict=True
                ):
                    readings.add(what, who, percentile(list(values)))
        for rules, release in releases.items():
            for what, value in entry_ms(run.scratch / str(rules), release, times).items():
                readings.add(f"{what}, {rules}", OURS, value)
    sizes = {name: len(code.encode()) for name, (code, _) in programs.items()}
    return Report(entries(readings), {"bytes": sizes, "files": files})


def visit_ms(
    program: str, store: dict[str, str], event: Event, *, times: int
) -> tuple[float, float]:
    """The median of its trips' means, and of their processor time; raises where the visit fails."""
    function = EdgeFunction(program, lambda: store)
    walls, cpus = [], []
    try:
        for _ in range(times):
            used = time.process_time()
            walls.append(mean_ms(function.invoke_all([event] * TRIP)[0]))
            cpus.append((time.process_time() - used) * 1000 / TRIP)
    finally:
        function.close()
    return statistics.median(walls), statistics.median(cpus)


def mean_ms(found: Outcome | EdgeFunctionError) -> float:
    if isinstance(found, EdgeFunctionError):
        raise found
    return found.utilization / 100


def percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def made(scratch: Path, files: int, rules: int) -> Release:
    """A site with its rules, and entry's archive of it, unpacked."""
    folder = scratch / "site"
    folder.mkdir(exist_ok=True)
    for number in range(files):
        (folder / f"page-{number}.html").write_text(f"<!doctype html><h1>{number}</h1>")
    redirects = tuple(map(rule, range(rules)))
    found = publish.read(folder, scratch / "store")
    release = assemble(found, scratch / "store", redirects=redirects)
    packed = package(release, manifest(release), read=lambda file: file.source.read_bytes())
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(scratch / str(rules))
    return release


def rule(number: int) -> Redirect:
    """Folders, pages below a placeholder, and one page by a parameter, in turn."""
    source = (f"/old-{number}/*", f"/:language/old/{number}", "/article")[number % 3]
    query = (("id", str(number)),) if source == "/article" else ()
    return Redirect(source=source, target=f"/page-{number}.html", status=301, query=query)


def entry_ms(folder: Path, release: Release, times: int) -> dict[str, float]:
    """Pages, what is missing, and the first and the last rules."""
    last = (len(release.redirects) - 1) // 3 * 3
    paths = ["/page-1", "/page-2.html", "/missing/page", "/old-0/x", f"/old-{last}/deep/x",
             f"/en/old/{last - 2}", "/article"]  # fmt: skip
    events = folder.with_suffix(".json")
    events.write_text(text_of(calls(release.id, paths * 5 * times)))
    done = subprocess.run(
        [sys.executable, "-I", str(ROOT / "bench/entry_once.py"), str(folder), str(events)],
        env={"JAM_SITE": "bench"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    singles = {what: told[what] for what in ("cold", "cold_cpu")}
    return {**singles, "warm": percentile(told["warm"]), "cpu": percentile(told["cpu"])}


def entries(readings: Readings) -> list[Entry]:
    def entry(name: str, what: str, bound: float | None) -> Entry:
        peers = readings.peers(what, OURS)
        ours = readings.of(what)[OURS]
        return Entry(name=name, unit="ms", ours=ours, peers=peers, aim=Aim(bound=bound))

    return [
        *(
            entry(f"{name} at its limits, 99th percentile{said}", f"{name}{what}", BOUND_MS)
            for name in ("router", "response function")
            for what, said in (("", ""), (", cpu", ", processor time"))
        ),
        *(
            entry(f"entry with {rules} rules, {said}", f"{what}, {rules}", bound)
            for rules in (FEW_RULES, MOST_RULES)
            for what, said, bound in (
                ("cold", "first answer", COLD_MS),
                ("cold_cpu", "first answer, processor time", COLD_MS),
                ("warm", "99th percentile", WARM_MS),
                ("cpu", "99th percentile, processor time", WARM_MS),
            )
        ),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
