"""Which pull requests are open, for whoever collects previews; what fails is told once.

A number that GitHub does not know is nobody's news: the repository may have moved.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from runner.github import GitHub
from runner.github.attempt import Missed, attempt


class OpenPulls:
    """Asks `github`; tells `say` what it did not answer, and knows nothing then."""

    def __init__(self, github: GitHub, *, say: Callable[[str], None]) -> None:
        self._github = github
        self._say = say
        self._causes: set[tuple[str, str]] = set()

    def open_numbers(self) -> frozenset[int] | None:
        """All that were open when this was first asked; None where GitHub did not say."""
        return self._listed

    def is_open(self, number: int) -> bool | None:
        """Whether it is open now; None where GitHub did not say."""
        found = attempt(f"look at pull request {number}", lambda: self._github.pull(number).open)
        if isinstance(found, Missed):
            self._missed(found)
            return None
        return found

    def _missed(self, it: Missed) -> None:
        """Told once for all that has the same cause: what mends the one mends the others."""
        cause = (it.error.code, it.error.hint)
        if cause not in self._causes:
            self._causes.add(cause)
            self._say(str(it))

    @cached_property
    def _listed(self) -> frozenset[int] | None:
        found = attempt(
            "list pull requests",
            lambda: frozenset(each.number for each in self._github.open_pulls()),
        )
        if isinstance(found, Missed):
            self._missed(found)
            return None
        return found
