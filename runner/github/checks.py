"""A check run with its remarks on lines, in as many requests as GitHub's limits demand.

Source: docs.github.com, "REST API endpoints for check runs": 50 annotations a request, 65,535
characters of summary and of text; a message has at most 64 KB, a title 255 characters.
"""

from __future__ import annotations

from dataclasses import replace

from runner.github import GitHub
from runner.github.values import Annotation, Check

AT_ONCE = 50
_TEXT = 65_535
_MESSAGE = 60_000  # characters, mostly of one byte
_TITLE = 255
_CUT = "\n\n… (cut here)"


def report(github: GitHub, check: Check) -> int:
    """Makes the check run with all annotations; its id. The last request tells the conclusion."""
    whole = _within_limits(check)
    first, *more = _parts(whole)
    run = github.create_check(first)
    for each in more:
        github.update_check(run, each)
    return run


def conclude(github: GitHub, run: int, check: Check) -> None:
    """Brings a check run that is in progress to its end."""
    for each in _parts(_within_limits(check)):
        github.update_check(run, each)


def _parts(check: Check) -> list[Check]:
    remarks = check.annotations
    pieces = [remarks[at : at + AT_ONCE] for at in range(0, len(remarks), AT_ONCE)] or [()]
    early = [replace(check, annotations=piece, conclusion=None) for piece in pieces[:-1]]
    return [*early, replace(check, annotations=pieces[-1])]


def _within_limits(check: Check) -> Check:
    return replace(
        check,
        title=check.title[:_TITLE],
        summary=_cut(check.summary, _TEXT),
        text=_cut(check.text, _TEXT),
        annotations=tuple(_remark(each) for each in check.annotations),
    )


def _remark(it: Annotation) -> Annotation:
    return replace(it, message=_cut(it.message, _MESSAGE), title=it.title[:_TITLE])


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - len(_CUT)] + _CUT
