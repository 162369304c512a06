"""The comment: one table over the sites, each site's details below it, folded. Pure."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence

from runner.report.comment import changes, parts
from runner.report.comment.cut import ROOMS, Room, cut
from runner.report.comment.foreign import code, commit, link
from runner.report.comment.kept import keeping
from runner.report.comment.qr import qr
from runner.report.comment.row import Row, State
from runner.report.comment.words import NAMES, SIGNS, count, moment, status

LONGEST = 60_000  # characters; GitHub takes 65,536, and the marker comes before it
_SHOWN = frozenset({State.READY, State.UNCHANGED})
_ENDED = (
    (State.FAILED, "Preview failed", "{} of {} previews failed"),
    (State.BUILDING, "Preview is being built", "{} of {} previews are being built"),
    (State.QUEUED, "Preview is queued", "{} of {} previews are queued"),
)


def body(rows: Sequence[Row]) -> str:
    """The comment without its first line, the marker: `upsert_comment` writes that.

    However large the sites are it is no longer than GitHub takes: lists are cut, and say so; of
    hundreds of sites those that were told longest ago are only counted.
    """
    for room in ROOMS:
        if text := _body(rows, room):
            return text
    newest = sorted(rows, key=lambda row: -row.at)

    def of(some: int) -> str:
        kept = sorted(newest[:some], key=lambda row: row.site)
        return _body(kept, ROOMS[-1], left=len(rows) - some)

    return of(bisect(range(1, len(rows)), False, key=lambda some: not of(some)))


def _body(rows: Sequence[Row], room: Room, *, left: int = 0) -> str:
    """Empty if it is too long, which is seen early: of many sites each would be rendered."""
    cuts, told, length = [], [], 0
    for row in rows:
        cuts.append(cut(row, room))
        told.append(_alone(cuts[-1]) if len(rows) + left == 1 else _among(cuts[-1]))
        length += len(told[-1]) + len(keeping(cuts[-1:]))
        if length > LONGEST:
            return ""
    more = f"and {count(left, 'more site')}" if left else ""
    whole = [f"### {_title(rows)}", _table(cuts), more, *told, keeping(cuts)]
    text = "\n\n".join(part for part in whole if part)
    return text if len(text) <= LONGEST else ""


def _title(rows: Sequence[Row]) -> str:
    """What matters most of it: a failure, then what is under way."""
    for state, one, many in _ENDED:
        if found := sum(row.state is state for row in rows):
            return f"{SIGNS[state]} {one if len(rows) == 1 else many.format(found, len(rows))}"
    shown = sum(row.state in _SHOWN for row in rows)
    if len(rows) == 1:
        return _TITLES.get(rows[0].state, status(rows[0]))
    if shown:
        return f"✅ {count(shown, 'preview')} ready"
    if not rows:
        return "No preview"
    alike = {row.state for row in rows} == {rows[0].state}
    word = f" {NAMES[rows[0].state].lower()}" if alike else ""
    return f"{SIGNS[rows[0].state]} {count(len(rows), 'preview')}{word}"


_TITLES = {
    State.READY: "✅ Preview ready",
    State.UNCHANGED: "✅ Preview ready, nothing new",
    State.REMOVED: "🧹 Preview removed",
    State.SUPERSEDED: "⏭️ Preview superseded",
    State.SKIPPED: "⏭️ Preview skipped",
}


def _table(rows: Sequence[Row]) -> str:
    head = ["| Site | Status | Preview | Commit | Updated |", "|---|---|---|---|---|"]
    return "\n".join([*head, *map(_line, rows)])


def _line(row: Row) -> str:
    state = link(row.run_url, status(row)) if row.run_url else status(row)
    cells = (
        f"**{code(row.site)}**",
        state,
        f"**{link(row.url)}**" if row.url else "",
        commit(row.origin.commit, run_url=row.run_url),
        moment(row.at),
    )
    return f"| {' | '.join(cells)} |"


def _alone(row: Row) -> str:
    """The only site's details: what matters stands open."""
    seen = [
        parts.failure(row),
        parts.standing(row),
        parts.password(row),
        _headline(row),
        parts.lacking(row),
    ]
    return "\n\n".join(part for part in (*seen, *_folded(row)) if part)


def _headline(row: Row) -> str:
    if row.difference is None or not row.url:
        return ""
    return f"**{changes.headline(row.difference)}**\\\n{changes.again(row.difference)}".rstrip(
        "\\\n"
    )


def _among(row: Row) -> str:
    """One of several sites: a line that opens."""
    about = changes.headline(row.difference) if row.difference and row.url else ""
    about = "" if row.fault else about
    title = f"{SIGNS[row.state]} <b>{code(row.site)}</b>" + (f" · {about}" if about else "")
    seen = (parts.failure(row), parts.standing(row), parts.password(row), parts.lacking(row))
    inside = "\n\n".join(part for part in (*seen, *_folded(row)) if part)
    return parts.folded(title, inside, is_open=row.state is State.FAILED)


def _folded(row: Row) -> list[str]:
    if not row.url:
        return [parts.folded(parts.took(row), parts.timing(row))]
    return [
        parts.folded("🔍 Everything that changes", parts.changed(row)),
        parts.folded("🔗 Addresses", parts.addresses(row, secrets=True)),
        parts.folded("📱 QR code", qr(row.url) if row.qr else ""),
        parts.folded(parts.checked(row), parts.checks(row)),
        parts.folded(parts.took(row), parts.timing(row)),
    ]
