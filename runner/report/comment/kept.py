"""The comment remembers its rows: as JSON in an HTML comment that nobody sees. Pure.

A run knows its own site alone. Who may write the comment is told by its author, never by this
text (`runner/github/comments.py`); what does not read as rows counts as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from runner.report.comment.row import UNSURE, Row, State

_OPEN, _CLOSE = "<!-- jam-deploy:rows ", " -->"
_KEPT = re.compile(re.escape(_OPEN) + r"(\[.*\])" + re.escape(_CLOSE))
# What could end the HTML comment, or mention somebody to who reads it without rendering.
_MEANT = re.compile(r"[^\w\s\[\]{}\"\\,:./+-]|-(?=[->])", re.ASCII)


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
        return msgspec.json.decode(found[1], type=tuple[Row, ...])
    except (msgspec.MsgspecError, RecursionError):
        return ()


def keeping(rows: Iterable[Row]) -> str:
    """One line for the comment's body."""
    text = msgspec.json.encode(tuple(rows)).decode()
    return _OPEN + _MEANT.sub(lambda found: _escape(found[0]), text) + _CLOSE


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
        shows=before.shows or before.origin.commit,
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


def _escape(character: str) -> str:
    """As JSON has it; nothing but texts holds such a character, or a number's sign."""
    return "".join(
        f"\\u{int.from_bytes(pair, 'big'):04x}"
        for pair in _pairs(character.encode("utf-16-be", "surrogatepass"))
    )


def _pairs(raw: bytes) -> list[bytes]:
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]
