"""Writes that AWS refuses once anybody else has written: upon what was seen, and else read again.

Source: Lambda API reference, UpdateAlias, RevisionId; CloudFront KeyValueStore API reference,
UpdateKeys, IfMatch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from runner.apply import Fence
from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.errors import JamError


def upon(
    aws: Aws,
    attempt: Callable[[str], bool],
    *,
    find: Callable[[], str],
    seen: str,
    fence: Fence,
    budget: float,
    late: Callable[[], JamError],
) -> None:
    """Has `attempt` write upon the revision that was `seen`, else upon the one that `find` reads.

    The `fence` is asked between the two: the older the revision is, the more of what others do it
    is refused for. Whoever was refused once is let through by a look alone.
    """
    tries = count()

    def passed(revision: str) -> bool:
        fence(looks=next(tries) > 0)
        return attempt(revision)

    if not (seen and passed(seen)):
        until(aws, lambda: passed(find()) or None, budget=budget, late=late)
