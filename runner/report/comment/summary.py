"""What a job says of one site on its own page: preview, deploy, rollback. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.report.comment import changes, parts
from runner.report.comment.cut import PLENTY, ROOMS, cut
from runner.report.comment.foreign import block, code, commit, link
from runner.report.comment.row import Row
from runner.report.comment.words import moment, status
from runner.report.rollout import text_of

LONGEST = 262_144  # bytes


def summary(row: Row, *, title: str = "") -> str:
    """Markdown for `GITHUB_STEP_SUMMARY`; `title` is ours (`Rollback`), never foreign.

    No password and no token: a log may have more readers than the comment, and GitHub hides what
    was masked. At most a quarter of what GitHub takes of a step: lists are cut, and say so.
    Source: GitHub Actions, "Workflow commands", step isolation and limits: 1 MiB.
    """
    for room in (PLENTY, *ROOMS):
        text = _summary(cut(row, room), title)
        if len(text.encode()) <= LONGEST:
            break
    return text


def _summary(told: Row, title: str) -> str:
    about = f"{title}: " if title else ""
    whole = [
        f"### {about}{code(told.site)} {status(told)}",
        "\n".join(_facts(told)),
        parts.failure(told),
        code(told.note, longest=1_000),
        f"**{changes.headline(told.difference)}**" if told.difference else "",
        parts.lacking(told),
        _rollout(told.outcome.rollout if told.outcome else None),
        parts.folded("🔍 Everything that changes", parts.changed(told)),
        parts.folded(parts.checked(told), parts.checks(told)),
        parts.folded(parts.took(told), parts.timing(told)),
    ]
    return "\n\n".join(part for part in whole if part) + "\n"


def _facts(row: Row) -> Iterator[str]:
    if row.url:
        yield f"- {'Preview' if row.is_preview else 'Site'}: **{link(row.url)}**"
    if row.url and row.commit_url:
        yield f"- This commit: {link(row.commit_url)}"
    if row.url and row.password:
        yield "- The password is in the comment on the pull request."
    if row.origin.commit:
        branch = f" of {code(row.origin.branch)}" if row.origin.branch else ""
        yield f"- Commit: {commit(row.origin.commit, run_url=row.run_url)}{branch}"
    if row.outcome and row.outcome.release:
        was = row.outcome.previous if row.outcome.previous != row.outcome.release else ""
        before = f", before it {code(was)}" if was else ""
        yield f"- Release: {code(row.outcome.release)}{before}"
    yield f"- {moment(row.at)}"


def _rollout(told: Mapping[str, Any] | None) -> str:
    """What was counted, and the curves as text: a picture would be taken out of the summary."""
    if not told:
        return ""
    lines = tuple(text_of(told))
    counted = _signals(told)
    title = f"**Rollout: {code(str(told.get('outcome', '')).replace('_', ' '))}**"
    drawn = block(lines, longest=240) if lines else ""
    return "\n\n".join(part for part in (title, counted, drawn) if part)


def _signals(told: Mapping[str, Any]) -> str:
    lines = [
        f"| {code(name)} | {_failed(counts['candidate'])} | {_failed(counts['baseline'])} |"
        for name, counts in told.get("signals", {}).items()
    ]
    if not lines:
        return ""
    return "\n".join(["| Signal | Candidate | Live before |", "|---|---|---|", *lines])


def _failed(counts: list[int]) -> str:
    failed, tried = counts
    share = f" ({failed / tried:.1%})" if tried else ""
    return f"{failed:,} of {tried:,} failed{share}"
