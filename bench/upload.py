"""A site's first upload beside the peers: `python -m bench.upload`.

2,000 files of 1 to 200 KB go to rclone's own S3 on loopback, straight and through a proxy that adds
30 ms to each round trip. Whole commands, start included, as a user waits for them, each at its best
documented settings, in turn, into an empty bucket; a reading counts if all files are there then.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.cost import costs
from bench.entry import Aim, Entry, Readings
from bench.install import Peers
from bench.servers import ROOT
from bench.storage import BUCKET, KEYS, REGION, count, storage
from bench.suite import Report, Run, main, progress

OURS, SYNC = "jam-deploy", "aws s3 sync"
PEERS = (SYNC, "s5cmd", "rclone", "boto3, 64 threads", "s3transfer on awscrt", "obstore")
DELAYS_MS = (0, 30)
AT_ONCE = "64"


@dataclass(frozen=True)
class Way:
    """`command` gets the endpoint and the folder in the places of {endpoint} and {folder}."""

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def measure(run: Run) -> Report:
    files = make_site(run.scratch / "site", 100 if run.quick else 2_000)
    report = Report(notes={"files": files})
    rclone = run.peers.get("rclone")
    if rclone is None:
        return report
    all_ways = ways(run.peers, run.scratch)
    for delay in DELAYS_MS:
        readings = Readings()
        for number in range(run.rounds):
            progress(f"upload, {delay} ms: round {number + 1} of {run.rounds}")
            for name, way in all_ways.items():
                with storage(rclone / "bin" / "rclone", delay=delay / 1000) as endpoint:
                    one(run, name, way, endpoint, readings, files=files)
        report.entries += entries(f"first upload of {files} files", readings, delay=delay)
    return report


def make_site(folder: Path, files: int) -> int:
    """Sizes are spread evenly over the logarithm of 1 to 200 KB; the seed is fixed."""
    folder.mkdir()
    chance = random.Random(7)
    for number in range(files):
        size = int(math.exp(chance.uniform(math.log(1_000), math.log(200_000))))
        (folder / f"{number}.html").write_bytes(chance.randbytes(size))
    return files


def ways(peers: Peers, scratch: Path) -> dict[str, Way]:
    def python(name: str) -> Way:
        return Way((sys.executable, "-m", "bench.put_python", name, "{endpoint}", "{folder}"))

    found = {
        OURS: python("jam-deploy"),
        SYNC: aws_sync(scratch),
        "boto3, 64 threads": python("boto3"),
        "s3transfer on awscrt": python("s3transfer"),
    }
    if folder := peers.get("rclone"):
        found["rclone"] = rclone_copy(folder)
    if folder := peers.get("s5cmd"):
        found["s5cmd"] = Way((
            str(folder / "bin/s5cmd"), "--endpoint-url", "{endpoint}", "--log", "error",
            "--numworkers", "256", "cp", "{folder}/", f"s3://{BUCKET}/",
        ))  # fmt: skip
    if folder := peers.get("obstore"):
        script = str(ROOT / "bench/put_obstore.py")
        python_there = str(folder / "bin/python")
        found["obstore"] = Way((python_there, script, "{endpoint}", "{folder}", BUCKET, *KEYS))
    return found


def aws_sync(scratch: Path) -> Way:
    settings = scratch / "aws-config"
    settings.write_text(
        f"[default]\ns3 =\n  max_concurrent_requests = {AT_ONCE}\n  addressing_style = path\n"
    )
    command = (str(Path(sys.executable).parent / "aws"), "--endpoint-url", "{endpoint}",
               "s3", "sync", "{folder}", f"s3://{BUCKET}/", "--only-show-errors")  # fmt: skip
    return Way(command, {"AWS_CONFIG_FILE": str(settings)})


def rclone_copy(folder: Path) -> Way:
    told = {"TYPE": "s3", "PROVIDER": "Rclone", "ENDPOINT": "{endpoint}", "ACCESS_KEY_ID": KEYS[0],
            "SECRET_ACCESS_KEY": KEYS[1]}  # fmt: skip
    command = (str(folder / "bin/rclone"), "copy", "--transfers", AT_ONCE, "--no-traverse",
               "--no-check-dest", "--s3-no-check-bucket", "--s3-no-head",
               "{folder}", f"bench:{BUCKET}")  # fmt: skip
    return Way(command, {f"RCLONE_CONFIG_BENCH_{key}": value for key, value in told.items()})


def one(
    run: Run, name: str, way: Way, endpoint: str, readings: Readings, *, files: int
) -> None:  # fmt: skip
    places = {"endpoint": endpoint, "folder": str(run.scratch / "site")}
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
        **{key: value.format(**places) for key, value in way.environment.items()},
    }  # fmt: skip
    with costs() as cost:
        done = subprocess.run(
            [each.format(**places) for each in way.command], cwd=ROOT, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    arrived = count(endpoint)
    if done.returncode != 0 or arrived != files:
        why = f"status {done.returncode}, {arrived} of {files} files: {done.stderr.strip()[-300:]}"
        if name == OURS:
            raise RuntimeError(why)
        run.peers.absent[name] = why
        return
    readings.add("seconds", name, cost.seconds)
    readings.add("cpu", name, cost.cpu)


def entries(name: str, readings: Readings, *, delay: int) -> list[Entry]:
    seconds, cpu = readings.of("seconds"), readings.of("cpu")
    far = delay > 0
    return [
        Entry(name=name, unit="s", rtt_ms=delay, ours=seconds[OURS],
              peers=readings.peers("seconds", OURS), aim=Aim(over=PEERS if far else (SYNC,))),
        Entry(name=f"{name}, processor time", unit="CPU s", rtt_ms=delay, ours=cpu[OURS],
              peers=readings.peers("cpu", OURS), aim=Aim(over=(SYNC,), times=3)),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure, __doc__)
