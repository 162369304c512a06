"""Every suite beside its peers in one run: `python -m bench [--only NAME …] [--quick]`.

Each suite runs in a process of its own, one after the other; within it we and the peers take turns.
Writes bench/results.json and, with what the numbers were measured on, bench/context.json; tells
people in a table. `--quick` shows that all runs, not how fast. A suite that fails is named, and the
others still run; the status is then 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.context import context
from bench.table import table

HERE = Path(__file__).parent
# A suite is a module with `measure(Run) -> Report`; a new one is named here.
SUITES = (
    "start", "scan", "edge", "packaging", "python_packages", "cold", "develop", "upload", "second",
    "commands",
)  # fmt: skip
ON_REQUEST = ("growth", "cloud")  # many minutes each: by --only alone
Told = dict[str, Any]


def main() -> int:
    options = _options()
    before = context()
    told = {name: _suite(name, options) for name in options.only or SUITES}
    failed = [name for name, each in told.items() if "failed" in each]
    entries = [row for each in told.values() for row in each.get("entries", [])]
    absent = {peer: why for each in told.values() for peer, why in each.get("absent", {}).items()}
    notes = {name: each.get("notes", {}) for name, each in told.items()}
    _write("results.json", entries)
    _write("context.json", {
        **before, "quick": options.quick, "load_after": context()["load"], "failed": failed,
        "absent": absent, "suites": notes,
    })  # fmt: skip
    table(entries, context=before, absent=absent, failed=failed)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=(*SUITES, *ON_REQUEST), metavar="NAME",
                        help=f"these alone: {', '.join((*SUITES, *ON_REQUEST))}")  # fmt: skip
    parser.add_argument("--rounds", type=int, help="readings of each thing")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, one round")
    return parser.parse_args()


def _suite(name: str, options: argparse.Namespace) -> Told:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = [sys.executable, "-m", f"bench.{name}", "--out", str(out)]
        command += ["--quick"] if options.quick else []
        command += ["--rounds", str(options.rounds)] if options.rounds else []
        done = subprocess.run(command, cwd=HERE.parent, check=False)
        if done.returncode != 0 or not out.is_file():
            return {"failed": done.returncode}
        told: Told = json.loads(out.read_text())
    told["notes"]["took_s"] = round(time.monotonic() - begun, 1)
    return told


def _write(name: str, value: object) -> None:
    (HERE / name).write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
