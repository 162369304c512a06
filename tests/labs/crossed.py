"""What happens between two runs at one call, and what must hold then."""

from __future__ import annotations

from runner.local.faults import Fault
from tests.labs.race import Lab, Run

Complaints = list[str]


def parked(lab: Lab, *, at: int, after: bool) -> Complaints:
    """The older run sleeps from its `at`-th switching call until the newer one has ended."""
    number = lab.begin()
    newer = Run(number=number + 2, page="newer")
    ended: list[str] = []
    older = Run(
        number=number + 1,
        page="older",
        stops_at=at,
        after=after,
        meanwhile=lambda: ended.append(lab.race(newer)),
    )
    woken = lab.race(older)
    return [
        *_unless(ended == ["live"], f"the newer run ended as {ended}"),
        *_unless(woken in ENDS_OF_LOSERS, f"the older run ended as {woken}"),
        *_unless(lab.state() == ("newer",) * 3, f"left {lab.state()}"),
    ]


def overtaken(lab: Lab, *, at: int, after: bool) -> Complaints:
    """The newer run sleeps while an older one comes: it may be first, but never last."""
    number = lab.begin()
    older = Run(number=number + 1, page="older")
    ended: list[str] = []
    newer = Run(
        number=number + 2,
        page="newer",
        stops_at=at,
        after=after,
        meanwhile=lambda: ended.append(lab.race(older)),
    )
    woken = lab.race(newer)
    return [
        *_unless(woken == "live", f"the newer run ended as {woken}"),
        *_unless(set(ended) <= {"live", "superseded"}, f"the older run ended as {ended}"),
        *_unless(lab.state() == ("newer",) * 3, f"left {lab.state()}"),
    ]


def killed(lab: Lab, *, at: int, after: bool) -> Complaints:
    """The older run dies; the newer one, and after another death the same one, go on."""
    number = lab.begin()
    found: Complaints = []
    for again, page in ((number + 2, "newer"), (number + 4, "older")):
        dying = Run(
            number=min(again, number + 4), page="older", stops_at=at, after=after, dies=True
        )
        found += _unless(lab.race(dying) == "killed", "it did not die")
        ended = lab.race(Run(number=again, page=page))
        found += _unless(ended in ("live", "unchanged"), f"the next run ended as {ended}")
        found += _unless(lab.state() == (page,) * 3, f"left {lab.state()}, not {page}")
    return found


def killed_newer(lab: Lab, *, at: int, after: bool) -> Complaints:
    """The newer run dies; an older one does not replace it, and its own second try wins."""
    number = lab.begin()
    dying = Run(number=number + 2, page="newer", stops_at=at, after=after, dies=True)
    found = _unless(lab.race(dying) == "killed", "it did not die")
    ended = lab.race(Run(number=number + 1, page="older"))
    began = at > 1  # the first switching call is a look before the lease
    wanted = {"superseded"} if began else {"live"}
    found += _unless(ended in wanted, f"the older run ended as {ended}")
    ended = lab.race(Run(number=number + 2, page="newer"))
    found += _unless(ended in ("live", "unchanged"), f"its second try ended as {ended}")
    return found + _unless(lab.state() == ("newer",) * 3, f"left {lab.state()}")


def lost(lab: Lab, *, service: str, operation: str, skip: int) -> Complaints:
    """An answer of AWS does not arrive, though the call was carried out."""
    number = lab.begin()
    lab.cloud.faults.add(Fault(kind="lost", service=service, operation=operation, skip=skip))
    ended = lab.race(Run(number=number + 1, page="newer"))
    lab.cloud.faults.clear()
    again = lab.race(Run(number=number + 1, page="newer"))
    return [
        *_unless(ended == "live", f"it ended as {ended}"),
        *_unless(again == "unchanged", f"and again as {again}"),
        *_unless(lab.state() == ("newer",) * 3, f"left {lab.state()}"),
    ]


ENDS_OF_LOSERS = frozenset({"superseded", "JAM-LEASE-LOST", "live"})
ANSWERS = (
    ("dynamodb", "UpdateItem", 0),  # the lease is ours
    ("lambda", "UpdateAlias", 0),
    ("cloudfront-keyvaluestore", "UpdateKeys", 0),
    ("dynamodb", "TransactWriteItems", 0),
    ("dynamodb", "UpdateItem", 1),  # the lease is free
)


def _unless(fine: bool, complaint: str) -> Complaints:
    return [] if fine else [complaint]
