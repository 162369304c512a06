"""The comment: one table over the sites, each site's details folded below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runner.report.comment.kept import keeping
from runner.report.comment.row import Row

LONGEST = 60_000  # characters; GitHub takes 65,536


def body(rows: Sequence[Row]) -> str:
    """The comment without its first line, the marker: `upsert_comment` writes that.

    However large the sites are it is no longer than GitHub takes: lists are cut, and say so.
    """
    return keeping(rows)
