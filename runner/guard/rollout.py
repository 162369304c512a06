"""What is to be done about an open rollout: what was seen goes in, a decision comes out.

Pure; standard library only, for guard and runner decide by it alike. A second look at the same
state decides the same, and at what is settled nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runner.guard.verdict import Verdict

# A runner opens a rollout within minutes: self-test of the alarms, then CodeDeploy.
OPENS_WITHIN = 20 * 60  # seconds
# CodeDeploy cannot pause a Lambda deployment; it is stopped this long before its last step.
BEFORE_THE_END = 120  # seconds
UNHEARD = 15 * 60  # seconds after the last step until a silent CodeDeploy is done without
EXTENSIONS = 3  # times the interval that `extend` waits for a verdict


class Policy(StrEnum):
    """What becomes of a candidate for which there was too little traffic to tell."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    EXTEND = "extend"
    WAIT = "wait"


class Phase(StrEnum):
    """How far a rollout is, as recorded."""

    OPENING = "opening"
    OPEN = "open"
    HELD = "held"  # CodeDeploy was stopped without rollback: the end is ours
    CLOSED = "closed"


class Deployment(StrEnum):
    """How far CodeDeploy is, in five words."""

    NONE = "none"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    ENDED = "ended"  # failed or stopped, its rollback included
    UNKNOWN = "unknown"  # it does not answer


class Act(StrEnum):
    """What to do next."""

    NOTHING = "nothing"
    WAIT = "wait"
    HOLD = "hold"
    PROMOTE = "promote"
    TAKE_BACK = "take back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout as it is recorded. Times are seconds of the epoch, `interval` minutes.

    Versions are entry's, `stages` the two releases' api_stages, candidate first. `ends` is when
    CodeDeploy's last step comes. `promoted` and `restored` are the values of the store's `live`
    after either end. `after` are the calls that record the candidate as live, prepared by who
    opened the rollout: client, operation, arguments, and error codes that say "done already".
    `streams` are aliases that go with a promoted candidate (Lambda's function, version), `followed`
    the calls that record it once they did, where nothing else is `left`: what follows the candidate
    and needs rights that the guard does not have, in words.
    `anchor` is the deployment after which CodeDeploy would go back to the baseline, where one was
    needed; `notes` are what people are told of the opening.
    """

    id: str
    candidate: str
    baseline: str
    candidate_version: str
    baseline_version: str
    phase: Phase = Phase.OPENING
    deployment: str = ""
    opened: int = 0
    ends: int = 0
    interval: int = 15
    percent: int = 10
    policy: Policy = Policy.PROMOTE
    protected: bool = True
    alarms: tuple[str, ...] = ()
    stages: tuple[str, str] = ("", "")
    slow_over: float = 0.0  # ms; 0 where the baseline's usual latency is not known
    beacon: bool = False
    promoted: str = ""
    restored: str = ""
    after: tuple[Mapping[str, Any], ...] = ()
    streams: tuple[tuple[str, str], ...] = ()
    followed: tuple[Mapping[str, Any], ...] = ()
    left: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    anchor: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What AWS says now. `alias` is entry's version with the weights of others beside it."""

    deployment: Deployment
    alias: str
    weights: dict[str, float] = field(default_factory=dict)
    verdict: Verdict = Verdict.INCONCLUSIVE
    red: tuple[str, ...] = ()  # alarms that ring, with CloudWatch's reason
    why: str = ""  # CodeDeploy's own words for an end


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, and why, in words for the record and the people."""

    act: Act
    why: str = ""


def decide(rollout: Rollout, seen: Seen, *, now: int) -> Decision:
    """What is to be done about the rollout at `now`."""
    if rollout.phase is Phase.CLOSED:
        return Decision(act=Act.NOTHING)
    if rollout.phase is Phase.HELD:
        return _held(rollout, seen, now=now)
    if seen.deployment is Deployment.NONE:
        return _unopened(rollout, seen, now=now)
    if seen.deployment is Deployment.SUCCEEDED:
        return _ended_well(rollout, seen)
    if seen.deployment is Deployment.UNKNOWN:
        return _unheard(rollout, seen, now=now)
    if seen.deployment is Deployment.ENDED:
        return Decision(act=Act.TAKE_BACK, why=_ended_by(seen))
    return _shifting(rollout, seen, now=now)


def _unopened(rollout: Rollout, seen: Seen, *, now: int) -> Decision:
    if now - rollout.opened < OPENS_WITHIN:
        return Decision(act=Act.WAIT, why="the rollout is being opened")
    return Decision(act=Act.TAKE_BACK, why="the run that opened the rollout ended before it began")


def _shifting(rollout: Rollout, seen: Seen, *, now: int) -> Decision:
    if seen.verdict is Verdict.FAIL:
        return Decision(act=Act.TAKE_BACK, why="the candidate is worse than what was live")
    if _moved(rollout, seen):
        return Decision(act=Act.TAKE_BACK, why=f"{_by_hand(rollout, seen)} by hand")
    late = now >= rollout.ends - BEFORE_THE_END
    if not late or seen.verdict is Verdict.PASS or rollout.policy is Policy.PROMOTE:
        return Decision(act=Act.WAIT)
    if rollout.policy is Policy.ROLLBACK:
        return Decision(act=Act.TAKE_BACK, why="the traffic was too small for a verdict")
    return Decision(act=Act.HOLD, why="the traffic was too small for a verdict so far")


def _ended_well(rollout: Rollout, seen: Seen) -> Decision:
    """CodeDeploy is content; the alias has the last word."""
    if seen.alias == rollout.candidate_version and not seen.weights:
        return Decision(act=Act.PROMOTE, why=_passed(seen))
    return Decision(act=Act.TAKE_BACK, why=_by_hand(rollout, seen))


def _unheard(rollout: Rollout, seen: Seen, *, now: int) -> Decision:
    """CodeDeploy does not answer: alias, verdict and alarms tell enough."""
    if seen.verdict is Verdict.FAIL or _moved(rollout, seen):
        return _shifting(rollout, seen, now=now)
    if seen.red:
        return Decision(act=Act.TAKE_BACK, why=_ringing(seen))
    if seen.alias == rollout.candidate_version and not seen.weights:
        return Decision(act=Act.PROMOTE, why=f"{_passed(seen)}; CodeDeploy was not heard")
    if now >= rollout.ends + UNHEARD:
        return Decision(act=Act.TAKE_BACK, why=seen.why or "CodeDeploy does not answer")
    return Decision(act=Act.WAIT, why=seen.why)


def _held(rollout: Rollout, seen: Seen, *, now: int) -> Decision:
    """No deployment protects any more: what its alarms did is done here."""
    if seen.verdict is Verdict.FAIL:
        return Decision(act=Act.TAKE_BACK, why="the candidate is worse than what was live")
    if seen.red:
        return Decision(act=Act.TAKE_BACK, why=_ringing(seen))
    if seen.alias == rollout.candidate_version and not seen.weights:
        return Decision(act=Act.PROMOTE, why="the alias was moved to the candidate")
    if seen.verdict is Verdict.PASS:
        return Decision(act=Act.PROMOTE, why=_passed(seen))
    extended = rollout.ends + EXTENSIONS * rollout.interval * 60
    if rollout.policy is Policy.EXTEND and now >= extended:
        return Decision(act=Act.PROMOTE, why="the traffic stayed too small for a verdict")
    return Decision(act=Act.WAIT)


def _by_hand(rollout: Rollout, seen: Seen) -> str:
    ours = f"{rollout.baseline_version} and {rollout.candidate_version}"
    return f"the rollout was between versions {ours}; somebody moved the alias to {seen.alias}"


def _ended_by(seen: Seen) -> str:
    why = seen.why or "CodeDeploy ended the deployment"
    return f"{why}; {_ringing(seen)}" if seen.red else why


def _ringing(seen: Seen) -> str:
    return f"an alarm rings: {', '.join(seen.red)}"


def _moved(rollout: Rollout, seen: Seen) -> bool:
    """Whether the alias names what this rollout did not put there."""
    ours = {rollout.baseline_version, rollout.candidate_version}
    return not {seen.alias, *seen.weights} <= ours


def _passed(seen: Seen) -> str:
    if seen.verdict is Verdict.PASS:
        return "the candidate is no worse than what was live"
    return "the traffic was too small for a verdict"
