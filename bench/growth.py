"""How time, calls and memory grow with a site: `python -m bench.growth`, by request alone.

Files and functions are deployed for good. A thousand previews or releases would take hours: one is
made by a deploy, and its records and manifest are copied under other names, straight into the
embedded cloud, which is what the commands read of them. One reading each; commands are processes.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.cold import client, cloud
from bench.commands import SETTINGS, Site
from bench.distance import Distance, distance
from bench.entry import Aim, Entry, spread
from bench.servers import ROOT
from bench.suite import Report, Run, main, progress

FILES, FUNCTIONS = "files", "functions"
PREVIEWS, RELEASES = "previews", "releases"
SIZES = {
    FILES: (10, 1_000, 10_000, 100_000),
    FUNCTIONS: (1, 10, 100, 300),
    PREVIEWS: (1, 10, 100, 1_000),
    RELEASES: (2, 10, 100, 1_000),  # a rollback needs two
}
QUICK = dict.fromkeys(SIZES, (2, 20))
NO_OP = "deploy, nothing changed"
LINEAR = 1.1  # exponent: what is linear, and a reading's noise
MOST_MB = 300
AT_ONCE = 16
BATCH = 25  # Source: DynamoDB API reference, BatchWriteItem.
TABLE, REGION = "jam-bench", "eu-central-1"  # of SETTINGS


@dataclass(frozen=True)
class Point:
    """One command at one size."""

    axis: str
    command: str
    size: int
    seconds: float
    calls: int
    mb: float


def measure(run: Run) -> Report:
    points: list[Point] = []
    for axis, sizes in (QUICK if run.quick else SIZES).items():
        for size in sizes:
            progress(f"growth: {size} {axis}")
            with workplace(run.scratch) as (site, at):
                points += AXES[axis](site, at, size)
    return Report(entries(points), {"points": [asdict(each) for each in points]})


@contextmanager
def workplace(scratch: Path) -> Iterator[tuple[Site, Distance]]:
    """A site without files, and an account that is prepared, at no distance."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        site = Site(folder / "site", folder / "home")
        for each in (site.folder / "public", site.folder / "functions", site.home):
            each.mkdir(parents=True)
        (site.folder / "jam.toml").write_text(SETTINGS)
        with (
            cloud(folder / "cloud", speed=20) as endpoint,
            distance(endpoint, 0, folder / "requests.log") as at,
        ):
            site.run(at, "bootstrap")
            yield site, at


def point(site: Site, at: Distance, of: tuple[str, int, str], *command: str) -> Point:
    """A command's seconds, calls and the most memory of its process; raises where it fails."""
    axis, size, what = of
    environment = {
        **os.environ, "AWS_ENDPOINT_URL": at.endpoint, "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
        "XDG_CACHE_HOME": str(site.home), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        cost = Path(name) / "cost.json"
        done = subprocess.run(
            [sys.executable, "-m", "bench.peak_once", str(cost),
             sys.executable, "-m", "runner", *command, "--json"],
            cwd=site.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            text = (done.stdout + done.stderr)[-2_000:]
            raise RuntimeError(f"{command}: status {done.returncode}: {text}")
        told = json.loads(cost.read_text())
    calls = [each for each in at.take() if each.service]
    return Point(axis, what, size, told["seconds"], len(calls), told["mb"])


def write_files(site: Site, files: int, text: str) -> None:
    """The start page and fingerprinted files; `text` changes twenty of them, or all there are."""
    folder = site.folder / "public" / "_astro"
    folder.mkdir(exist_ok=True)
    for number in range(files - 1):
        if number < 19:
            for old in folder.glob(f"{number}.*"):
                old.unlink()
            (folder / f"{number}.{text}.js").write_text(f"export default '{text}'\n" * 20)
        elif not (file := folder / f"{number}.00000000.js").exists():
            file.write_text(f"export default {number}\n" * 20)
    (site.folder / "public" / "index.html").write_text(f"<!doctype html><title>{text}</title>")


def by_files(site: Site, at: Distance, size: int) -> Iterator[Point]:
    write_files(site, size, "11111111")
    yield point(site, at, (FILES, size, "first deploy"), "deploy", "--now")
    yield point(site, at, (FILES, size, NO_OP), "deploy", "--now")
    write_files(site, size, "22222222")
    yield point(site, at, (FILES, size, "deploy, 20 files changed"), "deploy", "--now")
    yield point(site, at, (FILES, size, "rollback"), "rollback")


def by_functions(site: Site, at: Distance, size: int) -> Iterator[Point]:
    write_files(site, 2, "11111111")
    for number in range(size):
        write_function(site, number, "first")
    yield point(site, at, (FUNCTIONS, size, "first deploy"), "deploy", "--now")
    yield point(site, at, (FUNCTIONS, size, NO_OP), "deploy", "--now")
    write_function(site, 0, "second")
    yield point(site, at, (FUNCTIONS, size, "deploy, 1 function changed"), "deploy", "--now")
    yield point(site, at, (FUNCTIONS, size, "rollback"), "rollback")


def write_function(site: Site, number: int, text: str) -> None:
    code = f"export default async () => new Response('{number}, {text}');\n"
    (site.folder / "functions" / f"f{number}.mjs").write_text(code)


def by_previews(site: Site, at: Distance, size: int) -> Iterator[Point]:
    write_files(site, 2, "11111111")
    site.run(at, "deploy", "--now")
    site.run(at, "preview", "--pr", "1", "--public")
    items = [each for each in scanned(at) if each["pk"]["S"] == "environment#pr-1"]
    write_items(at, [
        {**each, "pk": {"S": f"environment#pr-{number}"}}
        for number in range(2, size + 1)
        for each in items
    ])  # fmt: skip
    at.read = len(at.log.read_text().splitlines())
    yield point(site, at, (PREVIEWS, size, "previews"), "previews")
    yield point(site, at, (PREVIEWS, size, NO_OP), "deploy", "--now")
    write_files(site, 2, "22222222")
    yield point(site, at, (PREVIEWS, size, "preview, pushed"), "preview", "--pr", "1", "--public")


def by_releases(site: Site, at: Distance, size: int) -> Iterator[Point]:
    for text in ("11111111", "22222222"):
        write_files(site, 2, text)
        site.run(at, "deploy", "--now")
    copy_release(at, size - 2)
    at.read = len(at.log.read_text().splitlines())
    yield point(site, at, (RELEASES, size, "releases"), "releases")
    yield point(site, at, (RELEASES, size, NO_OP), "deploy", "--now")
    yield point(site, at, (RELEASES, size, "rollback"), "rollback")
    yield point(site, at, (RELEASES, size, "gc"), "gc")


AXES: dict[str, Callable[[Site, Distance, int], Iterator[Point]]] = {
    FILES: by_files, FUNCTIONS: by_functions, PREVIEWS: by_previews, RELEASES: by_releases,
}  # fmt: skip


def copy_release(at: Distance, times: int) -> None:
    """Its record and its manifest under new names; files that no manifest has of its own."""
    record = next(each for each in scanned(at) if each["sk"]["S"] == "release")
    old = record["pk"]["S"].partition("#")[2]
    s3 = client(at.endpoint, "s3", region=REGION)
    bucket = next(each["Name"] for each in s3.list_buckets()["Buckets"] if TABLE in each["Name"])
    key = "production/releases/{}/~release.json"
    found = s3.get_object(Bucket=bucket, Key=key.format(old))
    text, more = found["Body"].read().decode(), {"Metadata": found["Metadata"]}
    ids = [secrets.token_hex(16) for _ in range(times)]

    def put(new: str) -> None:
        body = text.replace(old, new).encode()
        s3.put_object(Bucket=bucket, Key=key.format(new), Body=body, **more)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, ids))
    write_items(at, [{**record, "pk": {"S": f"release#{new}"}} for new in ids])


def scanned(at: Distance) -> list[dict[str, Any]]:
    pages = (
        client(at.endpoint, "dynamodb", region=REGION)
        .get_paginator("scan")
        .paginate(TableName=TABLE)
    )
    return [item for page in pages for item in page["Items"]]


def write_items(at: Distance, items: list[dict[str, Any]]) -> None:
    dynamodb = client(at.endpoint, "dynamodb", region=REGION)
    for start in range(0, len(items), BATCH):
        puts = [{"PutRequest": {"Item": each}} for each in items[start : start + BATCH]]
        left = dynamodb.batch_write_item(RequestItems={TABLE: puts})["UnprocessedItems"]
        assert not left, json.dumps(left)[:500]


def entries(points: list[Point]) -> list[Entry]:
    """For each command its time's exponent over the last two sizes, and what it took at the end."""
    series: dict[tuple[str, str], list[Point]] = {}
    for each in points:
        series.setdefault((each.axis, each.command), []).append(each)
    found = []
    for (axis, command), (*_, before, last) in series.items():
        name = f"{command}, {last.size:,} {axis}"
        power = exponent(before, last)
        found += [
            Entry(name=name, unit="s", ours=spread([last.seconds]), aim=Aim()),
            Entry(name=f"{name}, calls", unit="calls", ours=spread([last.calls]), aim=Aim()),
            Entry(name=f"{name}, growth of time", unit="exponent", ours=spread([power]),
                  aim=Aim(bound=LINEAR)),
            Entry(name=f"{name}, memory", unit="MB", ours=spread([last.mb]),
                  aim=Aim(bound=MOST_MB)),
        ]  # fmt: skip
    return found


def exponent(before: Point, last: Point) -> float:
    """1 is linear: from the last size but one to the last. Below 0 it became faster."""
    return math.log(last.seconds / before.seconds) / math.log(last.size / before.size)


if __name__ == "__main__":
    main(measure, __doc__)
