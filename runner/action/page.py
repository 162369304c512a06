"""What a command printed, for the page of the job. Pure."""

from __future__ import annotations

from runner.report.comment.foreign import block

_LINES, _LONGEST = 400, 400


def page(title: str, text: str) -> str:
    """`title` is ours; nothing in `text` can do more than be read."""
    lines = text.splitlines()
    more = (f"… {len(lines) - _LINES} lines more in the log",) if len(lines) > _LINES else ()
    return f"### {title}\n\n{block((*lines[:_LINES], *more), longest=_LONGEST)}"
