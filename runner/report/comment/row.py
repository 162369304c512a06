"""One site's line in the comment, and all that its details tell. Pure: frozen values alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from runner.errors import JamError
from runner.model import Origin
from runner.names import PRODUCTION
from runner.plan.difference import Difference
from runner.report.text import Outcome


class State(StrEnum):
    """What a site's environment is at; from `live` on they are production's alone."""

    QUEUED = "queued"
    BUILDING = "building"
    READY = "ready"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    REMOVED = "removed"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"
    LIVE = "live"
    OPEN = "open"
    ROLLED_BACK = "rolled_back"
    HELD = "held"


GONE = frozenset({State.REMOVED, State.SKIPPED})
UNSURE = frozenset({State.QUEUED, State.BUILDING, State.FAILED})
"""What a row says beside what it showed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A JamError as a value."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`at` is the second of the epoch of what it tells, `origin` the run that does, with the
    commit that it is about; `run_url` is that run's page.

    `outcome` is what the last run that showed something told, and `shows` the commit of that: a
    row that builds or failed keeps it, because the preview still answers. `password` and `bypass`
    are empty where everybody may look. `difference` is None where nothing was compared.
    `last_lines` are the build's. `stages` are names and seconds. `note` says why something was
    skipped or by whom it was superseded. `qr` asks for the address as a QR code. `passed` counts
    the checks that passed and are not among the outcome's any more.
    """

    site: str
    state: State
    at: int
    origin: Origin = field(default_factory=Origin)
    run_url: str = ""
    outcome: Outcome | None = None
    shows: str = ""
    commit_url: str = ""
    password: str = field(default="", repr=False)
    bypass: str = field(default="", repr=False)
    difference: Difference | None = None
    fault: Fault | None = None
    last_lines: tuple[str, ...] = ()
    stages: tuple[tuple[str, float], ...] = ()
    note: str = ""
    qr: bool = False
    passed: int = 0

    @property
    def is_preview(self) -> bool:
        return self.outcome is None or self.outcome.environment != PRODUCTION

    @property
    def url(self) -> str:
        """Where it is to be seen; empty if nowhere, or no longer."""
        gone = self.outcome is None or self.state in GONE
        return "" if gone or self.outcome is None else self.outcome.url


def fault_of(error: JamError) -> Fault:
    return Fault(code=error.code, message=str(error), hint=error.hint)


def state_of(outcome: Outcome) -> State:
    """The state that a finished command's result stands for."""
    if outcome.environment != PRODUCTION and outcome.outcome == "live":
        return State.READY
    return State(outcome.outcome)
