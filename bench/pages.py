"""The results in docs/performance.md: `python -m bench.pages docs/performance.md`.

Written between the markers `<!-- results -->` and `<!-- end -->`, from bench/results.json and
bench/context.json, with pictures beside it where growth was measured; nothing else is touched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.bars import bars
from bench.plot import plot

HERE = Path(__file__).parent
BEGIN, END = "<!-- results -->\n", "<!-- end -->"
Row = Mapping[str, Any]


def page(text: str, rows: Sequence[Row], context: Mapping[str, Any]) -> str:
    """Raises ValueError where a marker is missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError("the text has no place for the results")
    told = [_measured_on(context), _table(rows), *_absent(context), *_shown(rows, context)]
    return f"{head}{begin}\n" + "\n\n".join(told) + f"\n\n{end}{tail}"


def _table(rows: Sequence[Row]) -> str:
    lines = ["| measured | ours | others | aim | met |", "|---|---:|---|---|---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    away = f", {row['rtt_ms']:g} ms away" if row["rtt_ms"] else ""
    met = ("yes" if row["met"] else "**no**") if row["aim"] else ""
    return [
        row["name"] + away,
        f"{_spread(row['ours'])} {row['unit']}",
        _others(row),
        row["aim"],
        met,
    ]


def _others(row: Row) -> str:
    """Every one: which is the best depends on what is asked."""
    return "<br>".join(f"{_spread(told)} {name}" for name, told in row["peers"].items())


def _spread(told: Mapping[str, float]) -> str:
    if told["min"] == told["max"]:
        return f"{told['median']:g}"
    return f"{told['median']:g} [{told['min']:g} to {told['max']:g}]"


def _measured_on(context: Mapping[str, Any]) -> str:
    load = ", ".join(f"{each:g}" for each in context["load"])
    rounds = sorted({str(each.get("rounds", "")) for each in context["suites"].values() if each})
    versions = ", ".join(f"{name} {each}" for name, each in context["versions"].items())
    peers = ", ".join(f"{name} {each}" for name, each in context["peers"].items())
    quick = " Smallest sizes, one round: these numbers say nothing." if context["quick"] else ""
    return (
        f"Measured on {context['system']}, {context['cores']} cores, load average {load} before "
        f"the run; rounds: {', '.join(rounds)}.{quick}\n"
        f"With {versions}.\nPeers: {peers}."
    )


def _absent(context: Mapping[str, Any]) -> list[str]:
    said = [f"Absent: {peer}: {why}" for peer, why in context["absent"].items()]
    said += [f"Failed: the suite `{name}`" for name in context["failed"]]
    return [" ".join(line.split()) for line in said]


def pictures(rows: Sequence[Row], context: Mapping[str, Any]) -> dict[str, str]:
    """SVG by file name: ours beside the peers; seconds, calls and memory over each axis of growth,
    none without it."""
    points = context["suites"].get("growth", {}).get("points", [])
    axes = dict.fromkeys(each["axis"] for each in points)
    return bars(rows) | {
        f"growth-{axis}-{what}.svg": plot(points, axis, what=what, unit=unit)
        for axis in axes
        for what, unit in (("seconds", "s"), ("calls", "calls"), ("mb", "MB"))
    }


def _shown(rows: Sequence[Row], context: Mapping[str, Any]) -> list[str]:
    names = pictures(rows, context)
    return [f"![{name.removesuffix('.svg')}](pictures/{name})" for name in names]


def main(file: Path, results: Path = HERE) -> None:
    """Fills the page, and the pictures beside it, from `results.json` and `context.json`."""
    rows = json.loads((results / "results.json").read_text())
    context = json.loads((results / "context.json").read_text())
    file.write_text(page(file.read_text(), rows, context))
    folder = file.parent / "pictures"
    folder.mkdir(exist_ok=True)
    for old in (*folder.glob("peers-*.svg"), *folder.glob("growth-*.svg")):
        old.unlink()
    for name, picture in pictures(rows, context).items():
        (folder / name).write_text(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
