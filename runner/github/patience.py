"""How long and how often GitHub is asked again: bounded, and never for what might then be twice.

PyGithub's own patience sleeps as long as GitHub says, up to an hour, and sends a POST again; so it
is switched off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from github import GithubException
from requests import RequestException

from runner.errors import JamError
from runner.github.codes import DOWN
from runner.github.refusals import error_of, is_down, is_limit, wait_of

Got = TypeVar("Got")
_TRIES = 4
_LONGEST = 60.0  # seconds of waiting for one request, all in all: a deploy must not hang on it
_REST = 60.0  # seconds for which a GitHub that did not answer is left alone


@dataclass(slots=True)
class Patience:
    """`now` in seconds of the epoch. Whoever was given up on is not asked again for a minute."""

    sleep: Callable[[float], None]
    now: Callable[[], float]
    _given_up: JamError | None = field(default=None, init=False)
    _until: float = field(default=0.0, init=False)

    def ask(self, what: str, do: Callable[[], Got], *, needs: str, again: bool = True) -> Got:
        """What `do` gets. Raises JamError (`runner.github.refusals`).

        Without `again` it is done anew only where GitHub has put it off for too many requests, and
        so has done nothing: after any other failure nobody knows.
        """
        if self._given_up and self.now() < self._until:
            raise self._given_up
        waited = 0.0
        for attempt in range(1, _TRIES + 1):
            try:
                return do()
            except (GithubException, RequestException) as error:
                wait = self._wait(error, attempt, again=again)
                if wait is None:
                    raise error_of(what, needs, error) from error
                if waited + wait > _LONGEST or attempt == _TRIES:
                    raise self._give_up(error_of(what, needs, error)) from error
                waited += wait
                self.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _give_up(self, error: JamError) -> JamError:
        if error.code == DOWN:
            self._given_up, self._until = error, self.now() + _REST
        return error

    def _wait(self, error: Exception, attempt: int, *, again: bool) -> float | None:
        """Seconds until the next attempt; None for never."""
        put_off = isinstance(error, GithubException) and is_limit(error)
        if not put_off and not (again and is_down(error)):
            return None
        asked = wait_of(error, now=self.now())
        return 2.0 ** (attempt - 1) if asked is None else asked
