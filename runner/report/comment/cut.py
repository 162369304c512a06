"""How much of a row is told: everything has a limit, and what is left out is counted. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runner.report.comment.foreign import LONGEST
from runner.report.comment.row import Fault, Row
from runner.report.text import Check, Outcome

_STAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many names of one kind, last lines, checks; how many characters of an error."""

    names: int
    lines: int
    checks: int
    error: int


PLENTY = Room(names=100, lines=100, checks=200, error=20_000)  # a job's page: 1 MiB
# From what one site has in a comment to what one of a hundred has.
ROOMS = (
    Room(names=25, lines=40, checks=20, error=6_000),
    Room(names=10, lines=20, checks=8, error=2_000),
    Room(names=4, lines=8, checks=3, error=600),
    Room(names=0, lines=0, checks=0, error=200),
)


def cut(row: Row, room: Room) -> Row:
    """The row with no more than there is room for; what failed is told before what passed."""
    outcome = row.outcome and replace(row.outcome, checks=_checks(row.outcome, room))
    passed = _passed(row.outcome) - _passed(outcome)
    return replace(
        row,
        origin=replace(row.origin, branch=row.origin.branch[:LONGEST]),
        outcome=outcome,
        difference=row.difference and row.difference.cut(room.names),
        fault=row.fault and _fault(row.fault, room),
        last_lines=_last_lines(row, room),
        stages=row.stages[:_STAGES],
        note=_text(row.note, room),
        passed=row.passed + passed,
    )


def _last_lines(row: Row, room: Room) -> tuple[str, ...]:
    """Only beside an error, which may have them itself."""
    told = row.fault is None or any(each in row.fault.message for each in row.last_lines[-1:])
    kept = row.last_lines[max(0, len(row.last_lines) - room.lines) :]
    return () if told else tuple(each[:LONGEST] for each in kept)


def _checks(outcome: Outcome, room: Room) -> tuple[Check, ...]:
    """Failed ones first, else as they were made."""
    some = sorted(outcome.checks, key=_is_passed)[: room.checks]
    return tuple(
        replace(each, name=each.name[:LONGEST], detail=each.detail[:LONGEST]) for each in some
    )


def _passed(outcome: Outcome | None) -> int:
    return sum(map(_is_passed, outcome.checks)) if outcome else 0


def _is_passed(check: Check) -> bool:
    return check.outcome == "passed"


def _fault(fault: Fault, room: Room) -> Fault:
    return replace(fault, message=_text(fault.message, room), hint=_text(fault.hint, room))


def _text(text: str, room: Room) -> str:
    return text if len(text) <= room.error else f"{text[: room.error]} …"
