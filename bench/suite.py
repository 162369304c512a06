"""The command line of one suite, and what it hands to the run of all: entries, absent peers, notes.

Each suite is a module with `measure(Run) -> Report`; it runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.entry import Entry
from bench.install import Peers
from runner.cli.world import cache
from runner.toolchain import find, install_packages

ROUNDS = 5
Notes = dict[str, object]


@dataclass(frozen=True)
class Run:
    """`quick` asks for the smallest sizes that still take every path; `scratch` is emptied.

    `asked` are the rounds that somebody named, 0 where nobody did: for what takes minutes.
    """

    rounds: int
    quick: bool
    peers: Peers
    scratch: Path
    asked: int = 0


@dataclass
class Report:
    """`notes` say what the numbers alone do not: versions, what the tools themselves can bear."""

    entries: list[Entry] = field(default_factory=list)
    notes: Notes = field(default_factory=dict)


def main(measure: Callable[[Run], Report], doc: str | None) -> None:
    options = _options(doc)
    toolchain = find(cache())
    install_packages(toolchain, os.environ)
    peers = Peers(toolchain, cache() / "bench")
    rounds = options.rounds or (1 if options.quick else ROUNDS)
    with tempfile.TemporaryDirectory(prefix="jam-bench-") as folder:
        scratch = Path(folder).resolve()
        # Peers leave folders of their own there: zip-it-and-ship-it one for each zip.
        os.environ["TMPDIR"] = tempfile.mkdtemp(dir=scratch)
        report = measure(Run(rounds, options.quick, peers, scratch, options.rounds or 0))
    told = {
        "entries": [each.row() for each in report.entries],
        "absent": peers.absent,
        "notes": {"rounds": rounds, **report.notes},
    }
    text = json.dumps(told, indent=2)
    if options.out:
        options.out.write_text(text)
    else:
        print(text)


def _options(doc: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help=f"readings of each thing (default: {ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, one round")
    parser.add_argument("--out", type=Path, help="a file for the JSON, else standard output")
    return parser.parse_args()


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
