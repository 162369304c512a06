"""Growth as pictures: one SVG an axis, time and memory over size, both scales logarithmic. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 210, 30, 40
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # told apart by all
Point = Mapping[str, Any]


def plot(points: Sequence[Point], axis: str, *, what: str, unit: str) -> str:
    """The member `what` of the points of `axis`, a line for each command."""
    mine = [each for each in points if each["axis"] == axis]
    commands = list(dict.fromkeys(each["command"] for each in mine))
    across = _decades(each["size"] for each in mine)
    up = _decades(each[what] for each in mine)
    parts = [*_grid(across, up, axis=axis, unit=unit)]
    for number, command in enumerate(commands):
        line = [each for each in mine if each["command"] == command]
        parts += _line(line, what, (across, up), number=number)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _decades(values: Any) -> range:
    """Powers of ten around all values."""
    logs = [math.log10(max(float(each), 1e-3)) for each in values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return range(low, max(high, low + 1) + 1)


def _x(value: float, across: range) -> float:
    share = (math.log10(max(value, 1e-3)) - across[0]) / (across[-1] - across[0])
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(value: float, up: range) -> float:
    share = (math.log10(max(value, 1e-3)) - up[0]) / (up[-1] - up[0])
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _grid(across: range, up: range, *, axis: str, unit: str) -> list[str]:
    low, high, bottom = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<path d="M{_x(10**each, across):.1f} {TOP}V{bottom}" stroke="#ddd"/>'
        f'<text x="{_x(10**each, across):.1f}" y="{bottom + 16}" text-anchor="middle">'
        f"{10**each:,g}</text>"
        for each in across
    ]
    parts += [
        f'<path d="M{low} {_y(10**each, up):.1f}H{high}" stroke="#ddd"/>'
        f'<text x="{low - 6}" y="{_y(10**each, up) + 4:.1f}" text-anchor="end">{10**each:g}</text>'
        for each in up
    ]
    middle = (low + high) / 2
    return [*parts, f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{axis}</text>',
            f'<text x="{low}" y="{TOP - 10}" text-anchor="end">{unit}</text>']  # fmt: skip


def _line(
    points: Sequence[Point], what: str, scales: tuple[range, range], *, number: int
) -> list[str]:
    across, up = scales
    places = [(_x(each["size"], across), _y(each[what], up)) for each in points]
    colour = COLOURS[number % len(COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    beside, height = WIDTH - RIGHT + 14, TOP + 10 + 20 * number
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
        f'<path d="M{beside} {height}h16" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{beside + 22}" y="{height + 4}">{escape(points[0]["command"])}</text>',
    ]
