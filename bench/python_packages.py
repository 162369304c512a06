"""Packaging Python functions beside pip and `sam build`: `python -m bench.python_packages`.

Ten functions on one list of requirements (requests, pydantic, jinja2, python-dateutil). pip
installs them once into a folder and zips nothing; `sam build` makes folders, without a container,
by its pip and by its uv. Each at its best documented settings, in turn, with the caches that it
keeps for its user. How often we install is counted: uv stands behind a script that notes each call.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.cost import Cost, adopt_orphans, costs
from bench.entry import Aim, Entry, Readings, Spread
from bench.packaging import ours
from bench.samples import python_site
from bench.suite import Report, Run, main, progress

OURS, AGAIN = "jam-deploy", "jam-deploy, nothing changed"
PIP, SAM, SAM_UV = "pip install --target", "sam build", "sam build, python-uv"
SAM_METHODS = {SAM: None, SAM_UV: "python-uv"}
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")
LAMBDA = "3.13"  # what our functions are packaged for where nothing else is asked for
MINOR = f"3.{sys.version_info.minor}"  # sam can only build for an interpreter that is there


def measure(run: Run) -> Report:
    adopt_orphans()
    count = 3 if run.quick else 10
    site = python_site(run.scratch, count=count)
    sam = run.peers.get("sam")
    readings = Readings()
    for number in range(run.rounds):
        progress(f"packaging Python: round {number + 1} of {run.rounds}")
        mine(run, site, readings)
        with run.peers.trying(PIP):
            keep(readings, PIP, pip(run, site))
        for name, method in SAM_METHODS.items() if sam else ():
            with run.peers.trying(name):
                keep(readings, name, sam_build(run, site, sam, count=count, method=method))
    notes = {"functions": count, "python": {OURS: LAMBDA, PIP: LAMBDA, SAM: MINOR}}
    return Report(entries(f"packaging {count} Python functions", readings), notes)


def mine(run: Run, site: Path, readings: Readings) -> None:
    uv, calls = counting(run)
    first, again = ours(site, run.scratch, uv)
    installs = [line for line in calls.read_text().splitlines() if " install " in f" {line} "]
    keep(readings, OURS, Cost(first["seconds"], first["cpu"]))
    keep(readings, AGAIN, Cost(again["seconds"], again["cpu"]))
    readings.add("installs", OURS, len(installs))


def counting(run: Run) -> tuple[Path, Path]:
    """A program that calls uv, and the file with one line for each call."""
    folder = Path(tempfile.mkdtemp(dir=run.scratch))
    script, calls = folder / "uv", folder / "calls"
    script.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {run.peers.toolchain.uv} "$@"\n')
    script.chmod(0o755)
    return script, calls


def keep(readings: Readings, who: str, cost: Cost) -> None:
    readings.add("seconds", who, cost.seconds)
    readings.add("cpu", who, cost.cpu)


def pip(run: Run, site: Path) -> Cost:
    with costs() as cost, tempfile.TemporaryDirectory(dir=run.scratch) as target:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--no-compile", "--target", target, "--only-binary=:all:",
             f"--python-version={LAMBDA}", *(f"--platform={each}" for each in PLATFORMS),
             "-r", str(site / "functions" / "requirements.txt")],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return cost


def sam_build(run: Run, site: Path, sam: Path, *, count: int, method: str | None) -> Cost:
    """All functions share one folder of code: sam builds it once for all of them."""
    own, uv = Path(sys.executable).parent, run.peers.toolchain.uv.parent
    path = os.pathsep.join((str(own), str(uv), os.environ.get("PATH", os.defpath)))
    with tempfile.TemporaryDirectory(dir=run.scratch) as folder:
        template = Path(folder) / "template.yaml"
        template.write_text(sam_template(site / "functions", count=count, method=method))
        with costs() as cost:
            subprocess.run(
                [str(sam / "bin" / "sam"), "build", "--parallel", "--beta-features",
                 "--template", str(template), "--build-dir", f"{folder}/build"],
                cwd=folder, check=True, capture_output=True, text=True,
                env={**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
            )  # fmt: skip
    return cost


def sam_template(code: Path, *, count: int, method: str | None) -> str:
    metadata = f"    Metadata: {{ BuildMethod: {method} }}\n" if method else ""
    functions = "".join(
        f"  F{number}:\n    Type: AWS::Serverless::Function\n{metadata}    Properties:\n"
        f"      {{ CodeUri: {code}, Handler: f{number}.handler, Runtime: python{MINOR} }}\n"
        for number in range(count)
    )
    return f"Transform: AWS::Serverless-2016-10-31\nResources:\n{functions}"


def entries(name: str, readings: Readings) -> list[Entry]:
    seconds, cpu = readings.of("seconds"), readings.of("cpu")

    def others(what: str) -> dict[str, Spread]:
        return {who: each for who, each in readings.of(what).items() if who not in (OURS, AGAIN)}

    ahead = Aim(over=(PIP, *SAM_METHODS))
    return [
        Entry(name=name, unit="s", ours=seconds[OURS], peers=others("seconds"), aim=ahead),
        Entry(name=f"{name}, processor time", unit="CPU s", ours=cpu[OURS],
              peers=others("cpu"), aim=ahead),
        Entry(name=f"{name}, nothing changed", unit="s", ours=seconds[AGAIN],
              peers=others("seconds"), aim=ahead),
        Entry(name=f"{name}, installations", unit="calls", ours=readings.of("installs")[OURS],
              aim=Aim(bound=1)),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure, __doc__)
