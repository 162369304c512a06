"""What GitHub's refusals mean: a code, a sentence, and the line that a workflow lacks.

Source: docs.github.com, "Troubleshooting the REST API", "Rate limits for the REST API".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from github import GithubException
from requests import RequestException

from runner.errors import JamError, Turn
from runner.github.codes import DENIED, DOWN, GONE, REFUSED


def is_limit(error: GithubException) -> bool:
    """Whether GitHub put it off because there were too many requests; it has done nothing."""
    head = error.headers or {}
    said = _message(error).lower()
    limited = "rate limit" in said or "retry-after" in head or head.get(_REMAINING) == "0"
    return error.status == 429 or (error.status == 403 and limited)


def is_down(error: Exception) -> bool:
    """Whether trying again may help; whether anything was done, nobody knows."""
    if isinstance(error, GithubException):
        return error.status >= 500
    return isinstance(error, RequestException)


def wait_of(error: Exception, *, now: float) -> float | None:
    """The seconds that GitHub asks to wait for; None where it does not say."""
    if not isinstance(error, GithubException):
        return None
    head = error.headers or {}
    if (after := head.get("retry-after", "")).isdigit():
        return float(after)
    reset = head.get("x-ratelimit-reset", "")
    if head.get(_REMAINING) == "0" and reset.isdigit():
        return max(0.0, float(reset) - now) + 1.0  # it says not where in that second
    return 60.0 if is_limit(error) else None  # "wait for at least one minute before retrying"


def error_of(what: str, needs: str, error: Exception) -> JamError:
    """`what` could not be done, for which `needs` (`deployments: write`) is the permission."""
    if not isinstance(error, GithubException):
        return _down(what, f"{type(error).__name__}: {error}")
    if is_limit(error):
        return _down(
            what, "too many requests", hint="Run again in an hour: limits are by the hour."
        )
    if is_down(error):
        return _down(what, f"it answers {error.status}")
    said = "; ".join(dict.fromkeys([_message(error), *_details(error)])) or f"{error.status}"
    if error.status == 401:
        return _github(
            DENIED,
            f"GitHub does not accept the token to {what}: {said}",
            "Hand it on with `GITHUB_TOKEN: ${{ github.token }}`; a workflow's own is of no use "
            "once its job is over.",
        )
    if error.status == 403 and "locked" not in said:  # locked: whatever the token may
        return _github(DENIED, f"GitHub does not let us {what}: {said}", _line(error, needs))
    if error.status in (404, 410):
        return _github(
            GONE,
            f"GitHub finds nothing to {what}: {said}",
            f"In a private repository a missing permission looks like this too. {_add(needs)}",
        )
    return _github(REFUSED, f"GitHub refuses to {what}: {said}", f"It answered {error.status}.")


_REMAINING = "x-ratelimit-remaining"


_BACK = "https://www.githubstatus.com tells how it is. Run again once it is back."


def _down(what: str, why: str, *, hint: str = _BACK) -> JamError:
    message = f"GitHub could not be asked to {what}: {why}"
    return JamError(DOWN, message, hint=hint, turn=Turn.AGAIN)


def _github(code: str, message: str, hint: str) -> JamError:
    return JamError(code, message, hint=hint, turn=Turn.GITHUB)


def _line(error: GithubException, needs: str) -> str:
    """GitHub names what would do, any one of several: ours, if it is among them.

    `X-Accepted-GitHub-Permissions: issues=write; pull_requests=write`.
    """
    accepted = (error.headers or {}).get("x-accepted-github-permissions", "")
    if not accepted and "not accessible" not in _message(error):
        return "Whoever the token is of lacks the right; a workflow's own token has it."
    found = re.findall(r"(\w+)=(\w+)", accepted)
    lines = [f"{name.replace('_', '-')}: {level}" for name, level in found]
    return _add(needs if needs in lines or not lines else lines[0])


def _add(line: str) -> str:
    return f"Add the line `{line}` to `permissions:` of the workflow's job."


def _message(error: GithubException) -> str:
    data: Any = error.data
    return str(data.get("message") or "") if isinstance(data, Mapping) else ""


def _details(error: GithubException) -> Iterator[str]:
    """422 says in `errors` what was wrong."""
    data: Any = error.data
    for each in (data.get("errors") or ()) if isinstance(data, Mapping) else ():
        told = each if isinstance(each, str) else each.get("message") or each.get("code")
        if told:
            yield str(told)
