"""Which of two runs is the older one, so that a newer commit is never replaced by it. Pure.

Runs of one workflow are numbered; a re-run keeps its number and counts attempts. Whoever knows the
commits' history may know better; where nobody can tell, the later run is the newer. What somebody
deployed by hand has no place in this order: its commit may be nowhere else.
Source: GitHub Actions, "Variables reference", GITHUB_RUN_NUMBER and GITHUB_RUN_ATTEMPT.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.model import Origin

IsAncestor = Callable[[str, str], bool | None]
"""Whether the first commit comes before the second; None where nobody can tell."""


def is_older(mine: Origin, than: Origin, *, is_ancestor: IsAncestor | None = None) -> bool:
    """Whether what `mine` would bring is older than what `than` has brought."""
    numbered = mine.number and than.number and mine.workflow == than.workflow
    if numbered and (mine.number, mine.attempt) < (than.number, than.attempt):
        return True
    if not is_ancestor or not (mine.number and than.number):
        return False
    known = mine.commit and than.commit and mine.commit != than.commit
    return bool(known and is_ancestor(mine.commit, than.commit))
