"""The order of commits as GitHub knows it, for `runner.plan.order`."""

from __future__ import annotations

from functools import cache

from runner.errors import JamError
from runner.github import GitHub
from runner.plan.order import IsAncestor


def ancestry(github: GitHub) -> IsAncestor:
    """Whether a commit comes before another; None where GitHub cannot be asked, or knows neither.

    Each pair is asked for once.
    """

    @cache
    def is_ancestor(first: str, second: str) -> bool | None:
        try:
            seen = github.compare(first, second)
        except JamError:  # who is the newer is told by the runs' numbers then
            return None
        return seen.ahead > 0 and seen.behind == 0

    return is_ancestor
