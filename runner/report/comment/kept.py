"""The comment remembers its rows: as JSON in an HTML comment that nobody sees. Pure.

A run knows its own site alone. Who may write the comment is told by its author, never by this
text (`runner/github/comments.py`); what does not read as rows counts as none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from runner.report.comment.row import UNSURE, Row, State

_OPEN, _CLOSE = "<!-- jam-deploy:rows ", " -->"
_KEPT = re.compile(re.escape(_OPEN) + r"(\[.*\])" + re.escape(_CLOSE))
# What could end the HTML comment, or mention somebody to who reads it without rendering. None of it
# stands outside of JSON's strings, nor in an escape there.
_MEANT = str.maketrans({each: f"\\u{ord(each):04x}" for each in "!#$%&'()*;<=>?@^`|~"})


def merged(previous_body: str, row: Row) -> tuple[Row, ...]:
    """The rows of a comment once `row` is told, by site; those of other sites stay.

    What an older run of the same workflow says of a site changes nothing, nor does a run that was
    superseded. Until there is something new to show, the row shows what it did before. Once a
    comment has the row, this changes nothing: so a run sees whether another's wrote over it.
    """
    rows = {each.site: each for each in kept(previous_body)}
    rows[row.site] = _after(rows.get(row.site), row)
    return tuple(rows[site] for site in sorted(rows))


def kept(body: str) -> tuple[Row, ...]:
    """The rows that a comment remembers."""
    found = _KEPT.search(body)
    if not found:
        return ()
    try:
        return msgspec.convert(json.loads(found[1]), tuple[Row, ...])
    except (ValueError, RecursionError):
        return ()


def keeping(rows: Iterable[Row]) -> str:
    """One line for the comment's body."""
    text = json.dumps(msgspec.to_builtins(tuple(rows)), separators=(",", ":"))
    return _OPEN + text.translate(_MEANT) + _CLOSE


def _after(before: Row | None, row: Row) -> Row:
    if before is None:
        return row
    if row.state is State.SUPERSEDED or _is_older(row, before) or _is_told(row, before):
        return before
    if row.outcome is not None or row.state not in UNSURE:
        return row
    return replace(
        row,
        outcome=before.outcome,
        shows=before.shows or (before.origin.commit if before.outcome else ""),
        commit_url=before.commit_url,
        password=before.password,
        bypass=before.bypass,
        difference=row.difference or before.difference,
        qr=before.qr,
    )


def _is_told(row: Row, before: Row) -> bool:
    """Whether the comment has it, perhaps cut: then there is nothing to write."""
    same = (row.state, row.at, row.origin) == (before.state, before.at, before.origin)
    return same and row.run_url == before.run_url


def _is_older(row: Row, before: Row) -> bool:
    mine, other = row.origin, before.origin
    same = mine.workflow == other.workflow
    return same and (mine.number, mine.attempt) < (other.number, other.attempt)
