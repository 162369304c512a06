"""Which previews are over, and why: closed at GitHub, too old, or long forgotten. Pure."""

from __future__ import annotations

from collections.abc import Callable

DAY = 24 * 3600  # seconds
# A run of before the closing can be started again for 30 days, and must find the tombstone.
# Source: docs.github.com, "Re-running workflows and jobs".
FORGOTTEN = 31 * DAY
_UNITS = {"h": 3600, "d": DAY}


def seconds(age: str) -> int:
    """`12h` or `14d` in seconds."""
    return int(age[:-1]) * _UNITS[age[-1]]


def why_over(
    *, number: int, pushed: int, now: float, expire: float, is_open: Callable[[int], bool | None]
) -> str:
    """Why a preview goes at the epoch second `now`; empty if it stays.

    `pushed` is when it last went live, or was begun; `expire` counts seconds. Where nobody can tell
    whether its pull request is open, age alone decides.
    """
    if is_open(number) is False:
        return f"pull request {number} is closed"
    if pushed and now - pushed > expire:
        return f"nothing was pushed for {int((now - pushed) // DAY)} days"
    return ""


def is_forgotten(closed: int, *, now: float) -> bool:
    """Whether a tombstone has nobody left to stop."""
    return bool(closed) and now - closed > FORGOTTEN
