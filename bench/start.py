"""What everybody waits for before anything happens: `python -m bench.start`.

`--version` beside the peers', a Python that does nothing among them; and the action, with the
environment that GitHub's runner gives it, until its log says what it is about and until it has read
the account.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.cold import cloud
from bench.cost import costs
from bench.entry import Aim, Entry, Readings
from bench.install import Peers
from bench.servers import ROOT
from bench.suite import Report, Run, main, progress

OURS, BARE = "jam-deploy", "python -c pass"
PEERS = ("aws", "serverless", "wrangler")
BOUND_MS, ACTION_MS = 80, 600
FIRST, READ = "first line", "account read"
COMMIT = "a" * 40
PUSH = {
    "ref": "refs/heads/main",
    "after": COMMIT,
    "repository": {"id": 1, "full_name": "octo/notes", "private": False},
}
FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")


def measure(run: Run) -> Report:
    readings = Readings()
    commands = versions(run.peers)
    with cloud(run.scratch / "cloud", speed=1) as endpoint:
        workspace(run.scratch / "site")
        for number in range(-1, run.rounds):  # the first one fills caches of bytecode and files
            progress(f"start: round {number + 1} of {run.rounds}")
            found = one_round(run, commands, endpoint)
            if number >= 0:
                for (what, who), value in found.items():
                    readings.add(what, who, value)
    return Report(entries(readings))


def one_round(
    run: Run, commands: dict[str, list[str]], endpoint: str
) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for name, command in commands.items():
        with run.peers.trying(name), costs() as cost:
            subprocess.run(command, cwd=run.scratch, capture_output=True, text=True, check=True)
        found["version", name] = cost.seconds * 1000
        found["cpu", name] = cost.cpu * 1000
    for what in ("version", "cpu"):
        found[f"{what} over bare", OURS] = found[what, OURS] - found[what, BARE]
    for line, milliseconds in action(run.scratch, endpoint).items():
        found[line, OURS] = milliseconds
    return found


def versions(peers: Peers) -> dict[str, list[str]]:
    here = Path(sys.executable).parent
    node = str(peers.toolchain.node)
    found = {
        BARE: [sys.executable, "-c", "pass"],
        OURS: [str(here / "jam-deploy"), "--version"],
        "aws": [str(here / "aws"), "--version"],
    }
    if folder := peers.get("serverless-offline"):
        script = folder / "node_modules/serverless/bin/serverless.js"
        found["serverless"] = [node, str(script), "--version"]
    if folder := peers.get("wrangler"):
        script = folder / "node_modules/wrangler/bin/wrangler.js"
        found["wrangler"] = [node, str(script), "--version"]
    return found


def workspace(folder: Path) -> None:
    (folder / "public").mkdir(parents=True)
    (folder / "public" / "index.html").write_text("<!doctype html><title>bench</title>\n")
    (folder / "jam.toml").write_text('site = "bench"\n[build]\npublish = "public"\n')


def action(scratch: Path, endpoint: str) -> dict[str, float]:
    """Milliseconds until each line, by what it says.

    The run ends with a status of its own: this account is not prepared, and GitHub not there.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-I", "-u", str(ROOT / "entrypoint.py")],
        cwd=scratch / "site", env=surroundings(scratch, endpoint), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    found: dict[str, float] = {}
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        taken = (time.perf_counter() - begun) * 1000
        if line.startswith("jam-deploy "):
            found.setdefault(FIRST, taken)
        elif "AWS account" in line:
            found.setdefault(READ, taken)
    process.wait()
    if found.keys() != {FIRST, READ}:
        raise RuntimeError(f"the action's log has changed: {''.join(said)[-2_000:]}")
    return found


def surroundings(scratch: Path, endpoint: str) -> dict[str, str]:
    event = scratch / "event.json"
    event.write_text(json.dumps(PUSH))
    files = {name: scratch / name.lower() for name in FILES}
    for file in files.values():
        file.write_text("")
    return {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(scratch / "site"), "GITHUB_EVENT_PATH": str(event),
        "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": COMMIT,
        "GITHUB_REPOSITORY": "octo/notes", "GITHUB_REPOSITORY_ID": "1", "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "octo", "GITHUB_SERVER_URL": "https://github.com",
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
        **{name: str(file) for name, file in files.items()},
    }  # fmt: skip


def entries(readings: Readings) -> list[Entry]:
    def entry(name: str, what: str, aim: Aim, unit: str = "ms") -> Entry:
        peers = readings.peers(what, OURS)
        return Entry(name=name, unit=unit, ours=readings.of(what)[OURS], peers=peers, aim=aim)

    return [
        entry("--version", "version", Aim(over=PEERS)),
        entry("--version, processor time", "cpu", Aim(over=PEERS), "CPU ms"),
        entry("--version, over bare Python", "version over bare", Aim(bound=BOUND_MS)),
        entry("--version, over bare Python, processor time", "cpu over bare", Aim(bound=BOUND_MS),
              "CPU ms"),
        entry("action, to the first line of its log", FIRST, Aim(bound=ACTION_MS)),
        entry("action, to the account that was read", READ, Aim()),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure, __doc__)
