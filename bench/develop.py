"""Development servers side by side: `python -m bench.develop`.

One hello-world Node function. Ready: from the start of the command to the first answer. Change:
from saving the file to the first changed answer, asked every 2 ms. Load: one and sixteen kept
connections, with the processor time that the server and its processes took for a request. The bare
runtime client is the execution part alone: one function, one caller, no HTTP, no API events.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

from bench.entry import Aim, Entry, Readings
from bench.load import load
from bench.servers import HELLO, Server, changed, running, servers
from bench.suite import Report, Run, main, progress
from bench.wrk import ceiling, generator, measured
from runner.execution.interpreters import Interpreters
from runner.execution.pool import Pool
from runner.execution.program import Event, Program

OURS = "jam-deploy"
PEERS = ("serverless-offline", "netlify functions:serve", "wrangler dev")
CHANGES = 3  # saved files in each round
WARMING = 100  # calls on each connection that are not counted


def measure(run: Run) -> Report:
    seconds = 1.0 if run.quick else 4.0
    readings, by = Readings(), generator()
    node = run.peers.toolchain.node
    for number in range(run.rounds):
        progress(f"development servers: round {number + 1} of {run.rounds}")
        folder = run.scratch / str(number)
        alone = bare(node, folder / "bare", seconds=seconds)
        for server in servers(folder, run.peers):
            ours = server.name == OURS
            with contextlib.nullcontext() if ours else run.peers.trying(server.name):
                one_server(server, node, readings, seconds=seconds, by=by)
        over = readings.values["p50, 1"][OURS][-1] - alone
        readings.add("over", OURS, over)
    reached = ceiling(node, seconds=1, by=by)
    return Report(entries(readings), {"seconds": seconds, "generator": reached})


def one_server(server: Server, node: Path, readings: Readings, *, seconds: float, by: str) -> None:
    with running(server, node) as (process, ready):
        if not server.reloading:
            changes(server, process, readings)
        readings.add("ready", server.name, ready)
        for connections in (1, 16):
            load(server.url, connections, seconds=1, answers=WARMING * connections)
            before = processor_ms(process.pid)
            found = measured(server.url, connections, seconds=seconds, by=by)
            spent = processor_ms(process.pid) - before
            readings.add(f"p50, {connections}", server.name, found.p50_ms)
            readings.add(f"p99, {connections}", server.name, found.p99_ms)
            readings.add(f"rate, {connections}", server.name, found.per_second)
            cpu = spent / (found.per_second * seconds)
            readings.add(f"cpu, {connections}", server.name, cpu)
    if server.reloading:
        other = replace(server, command=[*server.command, *server.reloading])
        with running(other, node) as (process, _):
            changes(server, process, readings)


def changes(server: Server, process: Popen[bytes], readings: Readings) -> None:
    for number in range(CHANGES):
        readings.add("change", server.name, changed(server, process, f"word{number}") * 1000)


def processor_ms(process: int) -> float:
    """User and system time of a process and of all that it started, as far as they still run."""
    told = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rpartition(") ")[2].split()
            told[int(file.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {process}
    while more := {each for each, (parent, _) in told.items() if parent in family} - family:
        family |= more
    return sum(told[each][1] for each in family if each in told) * 1000 / os.sysconf("SC_CLK_TCK")


def bare(node: Path, folder: Path, *, seconds: float) -> float:
    """The median in milliseconds of a call, without a server."""
    folder.mkdir(parents=True)
    (folder / "index.js").write_text(HELLO)
    pool = Pool(Interpreters(node, folder / "runtime"), now=time.time)
    program = Program(
        identity="bare", name="bare", version="1", runtime="nodejs24.x", handler="index.handler",
        folder=folder, memory=256, timeout=10.0, region="eu-west-1", log_group="/bench",
    )  # fmt: skip
    event = Event(payload=b"{}", request_id="r", arn="arn")
    took: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(took) <= WARMING:
        begun = time.perf_counter()
        pool.invoke(program, event)
        took.append((time.perf_counter() - begun) * 1000)
    pool.close()
    return statistics.median(took[WARMING:])


def entries(readings: Readings) -> list[Entry]:
    def entry(name: str, unit: str, what: str, aim: Aim, *, higher: bool = False) -> Entry:
        return Entry(
            name=f"functions server, {name}", unit=unit, ours=readings.of(what)[OURS],
            peers=readings.peers(what, OURS), aim=aim, higher=higher,
        )  # fmt: skip

    ahead = Aim(over=PEERS)
    return [
        entry("ready", "s", "ready", Aim(bound=0.5, over=PEERS)),
        entry("a change is live", "ms", "change", Aim(bound=300)),
        entry("median over the bare runtime client", "ms", "over", Aim(bound=0.5)),
        entry("median, 1 connection", "ms", "p50, 1", ahead),
        entry("99th percentile, 1 connection", "ms", "p99, 1", ahead),
        entry("1 connection", "requests/s", "rate, 1", Aim(bound=3000, over=PEERS), higher=True),
        entry("16 connections", "requests/s", "rate, 16", Aim(bound=3000, over=PEERS), higher=True),
        entry("processor time, 1 connection", "CPU ms/request", "cpu, 1", ahead),
        entry("processor time, 16 connections", "CPU ms/request", "cpu, 16", ahead),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
