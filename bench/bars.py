"""Ours beside the peers as pictures: one SVG a group of rows, a bar for each program. Pure.

Bars are to scale within a row; rows have units of their own. On white, so that they can be read
where the page is dark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, LABEL, BAR, LINE = 720, 250, 320, 18  # pixels; what is left behind a bar is its value's
OURS, THEIRS, TEXT = "#0072b2", "#bbbbbb", "#222222"
Row = Mapping[str, Any]


def bars(rows: Sequence[Row]) -> dict[str, str]:
    """By file name; a group is what the first word of its rows' names says."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row["peers"]:
            word = re.sub(r"[^a-z0-9]+", "-", row["name"].lower().split()[0]).strip("-")
            groups.setdefault(f"peers-{word}.svg", []).append(row)
    return {name: _picture(group) for name, group in groups.items()}


def _picture(rows: Sequence[Row]) -> str:
    parts, height = [], 6
    for row in rows:
        drawn = _row(row, height)
        parts += drawn
        height += LINE * (2 + len(row["peers"])) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{TEXT}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _row(row: Row, top: int) -> list[str]:
    away = f", {row['rtt_ms']:g} ms away" if row["rtt_ms"] else ""
    told = {"jam-deploy": row["ours"]["median"]}
    told |= {name: each["median"] for name, each in row["peers"].items()}
    most = max(told.values()) or 1
    parts = [f'<text x="8" y="{top + 13}" font-weight="bold">{escape(row["name"] + away)}</text>']
    for number, (name, value) in enumerate(told.items(), 1):
        y = top + LINE * number
        width = max(BAR * max(value, 0) / most, 1)
        parts.append(
            f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{y + 3}" width="{width:.1f}" height="{LINE - 5}" '
            f'fill="{THEIRS if number > 1 else OURS}"/>'
            f'<text x="{LABEL + width + 6:.1f}" y="{y + 13}">{value:g} {escape(row["unit"])}</text>'
        )
    return parts
