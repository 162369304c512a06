"""Numbers over time as one line of blocks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # columns at most


def sparkline(values: Sequence[float], *, top: float = 0.0, width: int = WIDTH) -> str:
    """One block a value, of `top` or the largest as the highest; nothing at all is a space.

    Of more than `width` values neighbours share a block, which shows the largest.
    """
    if not values:
        return ""
    shown = [max(part) for part in _parts(values, width)]
    highest = max(top, *shown)
    return "".join(_block(value, highest) for value in shown)


def _parts(values: Sequence[float], width: int) -> list[Sequence[float]]:
    columns = min(width, len(values))
    edges = [index * len(values) // columns for index in range(columns + 1)]
    return [values[start:end] for start, end in pairwise(edges)]


def _block(value: float, highest: float) -> str:
    if value <= 0 or highest <= 0:
        return " "
    return _BLOCKS[min(len(_BLOCKS) - 1, int(value / highest * len(_BLOCKS)))]
