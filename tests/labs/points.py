"""The points of a run at which AWS, or what the run knows of it, differs: nowhere else need it die.

A crash is observable by what has taken effect, so the points are those of persistence: after each
call that changes something, and before the first. Dying before a read, or after it, leaves what the
call before left. The idea is that of crash consistency testing of file systems: A. Mohan et al.,
"Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing" (CrashMonkey, OSDI 2018),
crash at persistence points; T. S. Pillai et al., "All File Systems Are Not Created Equal" (ALICE,
OSDI 2014), add what is under way: where calls of two threads are, either may have been alone.
So each of those is also left out, first with all that follow it, then without.

A call is a write unless AWS's name of the operation says that it reads (runner/local/journal.py):
an operation of an unknown kind counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.local.journal import Entry
from tests.labs.crash import UPLOAD, Point, Sent

# The alarms' self-test sends one until they have gone red and green: each leaves what one more of
# them leaves, a figure that nothing but the alarm of the test looks at.
REPEATED = frozenset({"PutMetricData"})


def crashes(sent: Sequence[Sent]) -> tuple[Point, ...]:
    """Before the first write and after each; of those beside another, each alone is left out."""
    written = _told_apart([each for each in sent if each.writes])
    found: list[Point] = []
    before: Sent | None = None
    for each in written:
        is_upload = each.operation == UPLOAD  # of which nobody hears that it is over
        if before is None or each.beside or is_upload or before.operation == UPLOAD:
            found.append(Point(each.same, False, each.operation))
        if each.beside:
            found.append(Point(each.same, False, each.operation, overtaken=True))
        if not is_upload:
            found.append(Point(each.same, True, each.operation))
        before = each
    return _once(found)


def pauses(sent: Sequence[Sent]) -> tuple[Point, ...]:
    """Before every call, for a run that goes on knows what it has read; and after each write.

    Between an answer and the next call a run only computes: pausing there is either of the two,
    but for its clock, which it looks at once more when it is paused after.
    """
    every = _told_apart(sent)
    before = [Point(each.same, False, each.operation) for each in every]
    after = [Point(e.same, True, e.operation) for e in every if e.writes and e.operation != UPLOAD]
    return _once((*before, *after))


def losses(asked: Iterable[Entry]) -> tuple[Point, ...]:
    """Each write, lost on its way there or back; one read of each kind, for both are the same.

    Whether a read is sent again is decided by its client and its name alone.
    """
    return _once(_disturbed(asked, reads=(False,)))


def refusals(asked: Iterable[Entry]) -> tuple[Point, ...]:
    """Each write, throttled or failed; one read of each kind, likewise."""
    return _once(_disturbed(asked, reads=(False, True)))


def _disturbed(asked: Iterable[Entry], *, reads: tuple[bool, ...]) -> Iterable[Point]:
    seen: dict[str, int] = {}
    for each in asked:
        seen[each.operation] = same = seen.get(each.operation, 0) + 1
        if each.write and not (each.operation in REPEATED and same > 1):
            yield Point(same, False, each.operation)
            yield Point(same, True, each.operation)
        elif same == 1:
            yield from (Point(1, after, each.operation) for after in reads)


def _told_apart(sent: Sequence[Sent]) -> list[Sent]:
    """Without those that only repeat: of each such operation the first, the next and the last."""
    last = {each.operation: each.same for each in sent}
    return [
        each
        for each in sent
        if each.operation not in REPEATED or each.same in (1, 2, last[each.operation])
    ]


def _once(found: Iterable[Point]) -> tuple[Point, ...]:
    """In an order that does not depend on threads."""
    return tuple(sorted(set(found), key=lambda it: (it.operation, it.call, str(it))))
