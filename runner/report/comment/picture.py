"""A rollout's curve as a picture, for a file: GitHub shows no picture that a text brings. Pure.

Sources: github/markup#1065 (inline SVG is taken out), gjtorikian/html-pipeline#227 (so are data in
addresses).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from runner.report.printable import printable

WIDTH, LEFT, RIGHT, TOP, HIGH, BETWEEN = 760, 56, 20, 76, 130, 54  # pixels
_CANDIDATE, _BEFORE, _SHARE, _INK, _FAINT = "#0969da", "#afb8c1", "#8250df", "#1f2328", "#59636e"
_FAILURES = ("#cf222e", "#bc4c00", "#9a6700", "#bf3989", "#6639ba")
_FONT = "-apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """A coordinate system: minutes to the right, 0 to `highest` upwards."""

    top: int
    minutes: int
    highest: float

    def x(self, minute: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * minute / self.minutes

    def y(self, value: float) -> float:
        return self.top + HIGH * (1 - value / self.highest)


def rollout_svg(told: Mapping[str, Any]) -> str:
    """`told` is `Outcome.rollout`; empty where no visitor was counted.

    Above sessions a minute, the candidate's and the others', with the candidate's share; below the
    shares of the candidate's trials that failed, by signal.
    """
    rows = told.get("minutes", {}).get("entry", [])
    if not any(row[0] + row[2] for row in rows):
        return ""
    height = TOP + 2 * HIGH + BETWEEN + 60
    drawn = [*_title(told), *_sessions(told, rows), *_failures(told, len(rows))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="{_FONT}" font-size="12" role="img">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(drawn)}</svg>\n'
    )


def _title(told: Mapping[str, Any]) -> Iterator[str]:
    said = f"Candidate {told['candidate'][:8]}: {str(told.get('outcome', '')).replace('_', ' ')}"
    yield _text(LEFT, 24, said, size=16, colour=_INK)
    yield _text(LEFT, 44, str(told.get("why", ""))[:110], colour=_FAINT)


def _sessions(told: Mapping[str, Any], rows: Sequence[Sequence[int]]) -> Iterator[str]:
    panel = _Panel(top=TOP, minutes=len(rows), highest=max(row[0] + row[2] for row in rows))
    wide = max(1.0, (panel.x(1) - panel.x(0)) * 0.8)
    for minute, (candidate, _, others, *_) in enumerate(rows):
        x, middle = panel.x(minute), panel.y(others)
        yield _bar(x, middle, wide, panel.y(0) - middle, colour=_BEFORE)
        top = panel.y(others + candidate)
        yield _bar(x, top, wide, middle - top, colour=_CANDIDATE)
    yield from _axes(panel, f"{panel.highest:,.0f}", "sessions a minute")
    share = _Panel(top=TOP, minutes=len(rows), highest=1.0)
    yield _line(list(_shares(told, share)), colour=_SHARE)
    names = ((_CANDIDATE, "candidate"), (_BEFORE, "live before"), (_SHARE, "candidate's share"))
    yield from _legend(names, TOP - 6)


def _shares(told: Mapping[str, Any], panel: _Panel) -> Iterator[tuple[float, float]]:
    """Steps: a share holds until the next is set."""
    before = 0.0
    for second, share in told.get("weights", []):
        minute = min(max((second - told["opened"]) / 60, 0), panel.minutes)
        yield panel.x(minute), panel.y(before)
        yield panel.x(minute), panel.y(share)
        before = share
    yield panel.x(panel.minutes), panel.y(before)


def _failures(told: Mapping[str, Any], minutes: int) -> Iterator[str]:
    panel = _Panel(top=TOP + HIGH + BETWEEN, minutes=minutes, highest=1.0)
    failed = [name for name, counts in told["signals"].items() if counts["candidate"][0]]
    for name, colour in zip(failed, _FAILURES, strict=False):
        points = [
            (panel.x(minute + 0.5), panel.y(row[1] / row[0]))
            for minute, row in enumerate(told["minutes"].get(name, []))
            if row[0]
        ]
        yield _line(points, colour=colour)
    yield from _axes(panel, "100%", "of the candidate's trials failed")
    yield from _legend(tuple(zip(_FAILURES, failed, strict=False)), panel.top - 6)
    yield _text(LEFT, panel.top + HIGH + 34, "minutes since the rollout opened", colour=_FAINT)


def _axes(panel: _Panel, most: str, of: str) -> Iterator[str]:
    bottom = panel.top + HIGH
    corner = [(LEFT, panel.top), (LEFT, bottom), (WIDTH - RIGHT, bottom)]
    yield _line(corner, colour=_FAINT, wide=1)
    yield _text(LEFT - 6, panel.top + 10, most, anchor="end", colour=_FAINT)
    yield _text(LEFT - 6, bottom, "0", anchor="end", colour=_FAINT)
    yield _text(LEFT, panel.top - 6, of, colour=_FAINT)
    for minute in range(0, panel.minutes + 1, max(1, panel.minutes // 10)):
        yield _text(panel.x(minute), bottom + 16, str(minute), anchor="middle", colour=_FAINT)


def _legend(names: Sequence[tuple[str, str]], y: float) -> Iterator[str]:
    x: float = WIDTH - RIGHT
    for colour, name in reversed(names):
        yield _text(x, y, name, anchor="end", colour=_INK)
        x -= 6.6 * len(name) + 12
        yield _bar(x, y - 9, 10, 10, colour=colour)
        x -= 14


def _bar(x: float, y: float, wide: float, high: float, *, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{max(high, 0):.1f}" '
        f'fill="{colour}"/>'
    )


def _line(points: Sequence[tuple[float, float]], *, colour: str, wide: float = 2) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{wide}"/>'


def _text(
    x: float, y: float, text: str, *, colour: str, anchor: str = "start", size: int = 12
) -> str:
    said = escape(printable(text))
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{said}</text>'
    )
