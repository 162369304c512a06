"""A second deploy, 20 of 10,000 files changed, beside the syncs: `python -m bench.second`.

All but one page are fingerprinted: a changed file has another name, as bundlers give it, and the
page names them. We deploy to the embedded cloud; the peers sync the same folder to rclone's S3,
each to a bucket that it has filled itself. All are 30 ms away, behind a proxy that keeps a log of
requests. Unchanged files keep their times, without which the peers would send everything again.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.cold import cloud
from bench.commands import SETTINGS, Site
from bench.cost import costs
from bench.distance import Distance, Request, distance
from bench.entry import Aim, Entry, Readings
from bench.storage import BUCKET, KEYS, REGION, client, storage
from bench.suite import Report, Run, main, progress
from bench.upload import Way, aws_sync, rclone_copy

OURS, PARALLEL = "jam-deploy", "25 parallel requests"
CHANGED, MORE, AT_ONCE = 20, 5, 25
RTT_MS = 30
OTHER_BUCKET = "bench-of-parallel-requests"
_LISTING = re.compile(r"[?&](?:list-type=|prefix=|delimiter=|versions)")


@dataclass
class Build:
    """The publish folder; `version` is how often its files have changed."""

    folder: Path
    files: int
    version: int = 0

    def make(self) -> None:
        (self.folder / "_astro").mkdir(parents=True)
        for number in range(self.files - 1):
            self._write(number)
        self._page()

    def change(self) -> None:
        for number in range(CHANGED - 1):
            self._file(number).unlink()
        self.version += 1
        for number in range(CHANGED - 1):
            self._write(number)
        self._page()

    def _file(self, number: int) -> Path:
        version = self.version if number < CHANGED - 1 else 0
        return self.folder / "_astro" / f"chunk-{number}.{number:04x}{version:04x}.js"

    def _write(self, number: int) -> None:
        self._file(number).write_text(f"export default {number} + {self.version};\n" * 60)

    def _page(self) -> None:
        names = (self._file(number).name for number in range(CHANGED - 1))
        text = "".join(f'<script type=module src="/_astro/{name}"></script>\n' for name in names)
        (self.folder / "index.html").write_text(f"<!doctype html>\n{text}")


def measure(run: Run) -> Report:
    files = 300 if run.quick else 10_000
    report, readings = Report(notes={"files": files, "changed": CHANGED}), Readings()
    with ExitStack() as stack:
        site = Site(run.scratch / "site", run.scratch / "home")
        build = Build(site.folder / "public", files)
        build.make()
        site.home.mkdir()
        (site.folder / "jam.toml").write_text(SETTINGS)
        endpoint = stack.enter_context(cloud(run.scratch / "cloud", speed=1))
        ours = stack.enter_context(distance(endpoint, RTT_MS / 1000, run.scratch / "ours.log"))
        client(endpoint).create_bucket(Bucket=OTHER_BUCKET)
        progress("second deploy: the first one")
        site.run(ours, "bootstrap")
        site.run(ours, "deploy", "--now")
        peers = stack.enter_context(syncs(run, build.folder))
        for number in range(run.rounds):
            progress(f"second deploy: round {number + 1} of {run.rounds}")
            build.change()
            told = [each for each in site.run(ours, "deploy", "--now").aws if each.service == "s3"]
            add(readings, OURS, told, seconds=span(uploads(told)))
            readings.add("seconds", PARALLEL, parallel(ours))
            for name, sync in peers.items():
                with run.peers.trying(name):
                    requests, seconds = sync()
                    add(readings, name, requests, seconds=seconds)
    report.notes["last S3 requests"] = [each.name for each in told]
    report.entries = entries(readings)
    return report


def add(readings: Readings, who: str, told: Sequence[Request], *, seconds: float) -> None:
    readings.add("requests", who, len(told))
    readings.add("listings", who, sum(is_listing(each) for each in told))
    readings.add("seconds", who, seconds)


def is_listing(request: Request) -> bool:
    """Source: S3 API reference, ListObjectsV2, ListObjects and ListObjectVersions."""
    bucket, _, key = request.path.partition("?")[0].strip("/").partition("/")
    asked = _LISTING.search(request.path) or not request.path.partition("?")[2]
    return request.method == "GET" and bool(bucket) and not key and bool(asked)


def uploads(told: Sequence[Request]) -> list[Request]:
    """The files and the release's manifest: what is written once the plan is made."""
    return [each for each in told if each.method == "PUT" and "~newest.json" not in each.path]


def span(told: Sequence[Request]) -> float:
    """From the first request to the last one's answer."""
    return max(each.told for each in told) - min(each.sent for each in told)


def parallel(at: Distance) -> float:
    """Requests that each put a small object, all at once, on connections that are there."""
    s3 = client(at.endpoint, connections=AT_ONCE)

    def put(number: int) -> None:
        s3.put_object(Bucket=OTHER_BUCKET, Key=str(number), Body=b"x" * 2_000)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, range(AT_ONCE)))
        begun = time.perf_counter()
        list(pool.map(put, range(AT_ONCE)))
        seconds = time.perf_counter() - begun
    s3.close()
    at.take()
    return seconds


Sync = Callable[[], tuple[list[Request], float]]


@contextmanager
def syncs(run: Run, folder: Path) -> Iterator[dict[str, Sync]]:
    """Each has filled a bucket of its own."""
    with ExitStack() as stack:
        found: dict[str, Sync] = {}
        rclone = run.peers.get("rclone")
        if rclone is None:
            yield found
            return
        for name, way in ways(run).items():
            progress(f"second deploy: {name} fills its bucket")
            endpoint = stack.enter_context(storage(rclone / "bin" / "rclone", delay=0))
            log = run.scratch / f"{name.replace(' ', '-')}.log"
            at = stack.enter_context(distance(endpoint, RTT_MS / 1000, log))
            with run.peers.trying(name):
                synced(at, way, folder)
                found[name] = partial(synced, at, way, folder)
        yield found


def ways(run: Run) -> dict[str, Way]:
    found = {"aws s3 sync": aws_sync(run.scratch)}
    if folder := run.peers.get("s5cmd"):
        found["s5cmd sync"] = Way((
            str(folder / "bin/s5cmd"), "--endpoint-url", "{endpoint}", "--log", "error",
            "--numworkers", "256", "sync", "{folder}/", f"s3://{BUCKET}/",
        ))  # fmt: skip
    if folder := run.peers.get("rclone"):
        copy = rclone_copy(folder)
        command = (copy.command[0], "sync", "--checksum", "--fast-list", "--checkers", "64",
                   "--transfers", "64", "--s3-no-check-bucket", "--s3-no-head",
                   "{folder}", f"bench:{BUCKET}")  # fmt: skip
        found["rclone sync"] = Way(command, copy.environment)
    return found


def synced(at: Distance, way: Way, folder: Path) -> tuple[list[Request], float]:
    """The requests of one run of it, and the seconds of the whole command."""
    places = {"endpoint": at.endpoint, "folder": str(folder)}
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
        **{key: value.format(**places) for key, value in way.environment.items()},
    }  # fmt: skip
    with costs() as cost:
        subprocess.run(
            [each.format(**places) for each in way.command], env=environment,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return at.take(), cost.seconds


def entries(readings: Readings) -> list[Entry]:
    def entry(name: str, what: str, unit: str, aim: Aim) -> Entry:
        peers = readings.peers(what, OURS)
        ours = readings.of(what)[OURS]
        return Entry(name=f"second deploy, {name}", unit=unit, rtt_ms=RTT_MS, ours=ours,
                     peers=peers, aim=aim)  # fmt: skip

    return [
        entry("requests to S3", "requests", "requests", Aim(bound=CHANGED + MORE)),
        entry("listings of the bucket", "listings", "requests", Aim(bound=0)),
        entry("upload", "seconds", "s", Aim(over=(PARALLEL,), times=0.5)),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
