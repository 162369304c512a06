"""The results as people read them: ours, the best peer, the aim and whether it is met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 150  # columns where nobody says how many there are, as in a log
Row = Mapping[str, Any]


def table(
    rows: Sequence[Row], *, context: Mapping[str, Any], absent: Mapping[str, str],
    failed: Sequence[str],
) -> None:  # fmt: skip
    found = Console()
    console = Console(width=max(found.width, WIDTH))
    shown = Table(box=box.SIMPLE_HEAD)
    for heading in ("measured", "unit", "ours", "peers", "aim", "met"):
        shown.add_column(heading, overflow="fold", no_wrap=heading == "peers")
    for row in rows:
        shown.add_row(*_cells(row))
    console.print(shown)
    busy = ", ".join(str(each) for each in context["load"])
    console.print(f"{context['cores']} cores, load average {busy} before the run")
    for peer, why in absent.items():
        console.print(f"absent: {peer}: {why}", markup=False)
    for name in failed:
        console.print(f"failed: {name}; `python -m bench.{name}` says why")


def _cells(row: Row) -> list[str]:
    rtt = f", {row['rtt_ms']:g} ms away" if row["rtt_ms"] else ""
    peers = "\n".join(f"{each['median']:g}  {name}" for name, each in row["peers"].items())
    met = "yes" if row["met"] else "no"
    return [row["name"] + rtt, row["unit"], f"{row['ours']['median']:g}", peers, row["aim"], met]
