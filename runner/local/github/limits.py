"""How many requests a token may send: GitHub's primary limit and the secondary one on writing.

Source: docs.github.com, "Rate limits for the REST API": a workflow's token has 1,000 requests an
hour and repository, a person 5,000; about 80 requests a minute may make content.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from runner.local.github.state import RefusedError, Token

_HOUR = 3600.0
_MINUTE = 60.0
_APP, _PERSON = 1_000, 5_000  # requests an hour
CONTENT = 80  # requests a minute that make something


@dataclass(slots=True)
class Limits:
    """`allowed` is for tests that want to see the end of a limit; None is GitHub's own."""

    allowed: int | None = None
    _used: dict[str, int] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _made: dict[str, deque[float]] = field(default_factory=dict)

    def check(self, token: Token, *, writes: bool, now: float) -> None:
        """Raises 403 beyond either limit; the first counts refused requests too."""
        key = self._key(token)
        if now >= self._since.setdefault(key, now) + _HOUR:
            self._since[key], self._used[key] = now, 0
        if self._used.get(key, 0) >= self._allowed(token):
            message = f"API rate limit exceeded for {_told(token)}."
            raise RefusedError(403, message)
        self._used[key] = self._used.get(key, 0) + 1
        if writes:
            self._check_content(key, now)

    def give_back(self, token: Token) -> None:
        """An answer 304 does not count."""
        self._used[self._key(token)] -= 1

    def headers(self, token: Token, now: float) -> tuple[tuple[str, str], ...]:
        key = self._key(token)
        allowed, used = self._allowed(token), self._used.get(key, 0)
        reset = self._since.get(key, now) + _HOUR
        return (
            ("x-ratelimit-limit", str(allowed)),
            ("x-ratelimit-remaining", str(max(0, allowed - used))),
            ("x-ratelimit-reset", str(int(reset))),
            ("x-ratelimit-used", str(used)),
            ("x-ratelimit-resource", "core"),
        )

    def overview(self, token: Token, now: float) -> dict[str, int]:
        told = {name.rpartition("-")[2]: value for name, value in self.headers(token, now)}
        return {name: int(told[name]) for name in ("limit", "remaining", "reset", "used")}

    def _check_content(self, key: str, now: float) -> None:
        made = self._made.setdefault(key, deque())
        while made and made[0] <= now - _MINUTE:
            made.popleft()
        if len(made) >= CONTENT:
            raise RefusedError(
                403,
                "You have exceeded a secondary rate limit and have been temporarily blocked from "
                "content creation. Please retry your request again later.",
                headers=(("retry-after", str(int(made[0] + _MINUTE - now) + 1)),),
            )
        made.append(now)

    def _allowed(self, token: Token) -> int:
        if self.allowed is not None:
            return self.allowed
        return _APP if token.app else _PERSON

    @staticmethod
    def _key(token: Token) -> str:
        return f"{token.login} {token.repository}"


def _told(token: Token) -> str:
    return "installation" if token.app else f"user {token.login}"
