"""An open rollout, watched from here until it is settled: whoever looks settles it, guard or run.

A run that ends early changes nothing for visitors: the guard goes on, and `settle` comes back here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from runner.apply import Known
from runner.aws import promotion as rollouts
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.config.load import Config
from runner.config.rules import minutes
from runner.errors import JamError, Problem, busy_error, site_error
from runner.guard import journal
from runner.guard.announce import message, post, tell
from runner.guard.journal import Item
from runner.guard.look import Look, look
from runner.guard.rollout import Act, Decision, Phase, Policy
from runner.guard.settle import Settler
from runner.names import Names
from runner.plan.promotion import OnOpen, Promotion, Strategy
from runner.report.rollout import GUARD_SILENT, UNPROTECTED

LOOK_EVERY = 15.0  # seconds; metrics have minutes, CodeDeploy moves by them
SETTLES_WITHIN = 900.0  # seconds for CodeDeploy to put an alias back

SUPERSEDED = ": superseded"  # ends the reason for which a newer deploy takes a candidate back

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a rollout; the last look, and its record.

    `outcome` is `live`, `rolled_back`, `superseded` by a newer deploy, or `open`.
    """

    outcome: str
    why: str
    last: Look | None = None
    record: Item | None = field(default=None, repr=False)


def promotion_of(config: Config, *, now: bool = False, protected: bool = True) -> Promotion | None:
    """What the settings say of rollouts; None where a release goes to all visitors at once."""
    settings = config.settings.production
    rollout = settings.rollout
    if now or rollout.strategy == "all-at-once":
        return None
    return Promotion(
        strategy=Strategy(
            kind=rollout.strategy, percent=rollout.percent, interval=minutes(rollout.interval)
        ),
        policy=Policy(rollout.on_inconclusive),
        on_open=OnOpen(rollout.on_open),
        alarms=tuple(arn.rpartition(":alarm:")[2] for arn in rollout.alarms),
        notify=tuple(settings.notify or config.settings.notify),
        beacon=rollout.beacon,
        protected=protected,
    )


def check_alarms_are_here(config: Config, names: Names) -> None:
    """Raises JamError `JAM-ALARM-ELSEWHERE`: CodeDeploy asks by name, in its own region.

    Source: CodeDeploy API reference, Alarm.
    """
    ours = [names.region, names.account]
    elsewhere = [
        Problem(where=arn, message=f"is not of region {names.region}, account {names.account}")
        for arn in config.settings.production.rollout.alarms
        if arn.split(":")[3:5] != ours
    ]
    if elsewhere:
        raise site_error(
            "JAM-ALARM-ELSEWHERE",
            "CodeDeploy cannot see alarms of [production.rollout] from this site's region.",
            hint="Name alarms of the site's own account and region.",
            problems=tuple(elsewhere),
        )


def is_open(candidate: str) -> JamError:
    """The refusal of a second rollout."""
    return busy_error(
        "JAM-ROLLOUT-OPEN",
        f"A rollout of release {candidate[:8]} is open.",
        hint="Run `jam-deploy settle`, then this again; `on_open` in [production.rollout] says "
        "what a deploy does of itself.",
    )


class Follower:
    """Looks at one site's rollout and settles it. `say` hears of every change."""

    def __init__(self, aws: Aws, names: Names, *, known: Known, say: Say) -> None:
        self._aws = aws
        self._names = names
        self._known = known
        self._say = say
        self._told = ""
        self._alone = False

    def follow(self, *, patience: float | None = None) -> Ended:
        """Until the rollout is settled, or held for a person to decide.

        `patience` are seconds; without it as long as it takes. Raises JamError
        `JAM-ROLLOUT-UNWATCHED` where AWS cannot be asked any more: the guard goes on.
        """
        started = self._aws.clock()
        last: Look | None = None
        while True:
            seen = self._look()
            if seen is None:
                return self._over(last)
            if last is None:
                self._introduce(seen)
            last = seen
            self._heed(seen)
            decision = self._settle(seen)
            self._tell(seen, decision)
            if _is_left_to_people(seen, decision):
                return self._open("it waits for a person to decide", seen)
            if patience is not None and self._aws.clock() - started > patience:
                return self._open("it was not settled in time", seen)
            if decision.act is not Act.PROMOTE:
                self._aws.sleep(LOOK_EVERY * (0.75 + self._aws.chance() / 2))

    def act(self, act: Act, why: str) -> Ended:
        """Ends the rollout as a person or a newer run wants it, and sees it ended."""
        seen = self._look()
        if seen is None:
            return self._over(None)
        with explained():
            self._settler().act(seen, Decision(act=act, why=why))
        return self.follow(patience=SETTLES_WITHIN)

    def _over(self, last: Look | None) -> Ended:
        with _watched():
            item = rollouts.recorded(self._aws, self._names) or {}
        outcome, why = (item.get(name, {}).get("S", "") for name in ("outcome", "why"))
        if why.endswith(SUPERSEDED):
            outcome = "superseded"
        return Ended(outcome=outcome, why=why, last=last, record=item or None)

    def _open(self, why: str, seen: Look) -> Ended:
        with _watched():
            item = rollouts.recorded(self._aws, self._names)
        return Ended(outcome="open", why=why, last=seen, record=item)

    def _look(self) -> Look | None:
        with _watched():
            return look(
                rollouts.clients(self._aws),
                rollouts.place(self._names, known=self._known),
                now=self._aws.clock(),
            )

    def _settle(self, seen: Look) -> Decision:
        with _watched():
            return self._settler().settle(seen)

    def _settler(self) -> Settler:
        return rollouts.settler(self._aws, self._names, known=self._known, announce=self._announce)

    def _announce(self, seen: Look, decision: Decision) -> None:
        if seen.rollout.notify:
            told = message(self._names.site, seen, decision)
            topics = self._aws.make("sns", 3)
            tell(told, seen.rollout.notify, topics=topics, post=post, log=self._say)

    def _introduce(self, seen: Look) -> None:
        """What is to be known of a rollout before one watches it."""
        for note in seen.rollout.notes:
            self._say(note)
        if not seen.rollout.protected:
            self._say(UNPROTECTED)

    def _heed(self, seen: Look) -> None:
        """Says once that the guard does not look: without right, throttled, or gone."""
        minutes = journal.guard_silent(seen.item, now=self._aws.clock())
        if minutes and not self._alone:
            self._alone = True
            self._say(GUARD_SILENT.format(minutes=minutes))

    def _tell(self, seen: Look, decision: Decision) -> None:
        line = progress(seen, decision, now=self._aws.clock())
        if line != self._told:
            self._told = line
            self._say(line)


def _is_left_to_people(seen: Look, decision: Decision) -> bool:
    held = seen.rollout.phase is Phase.HELD and seen.rollout.policy is Policy.WAIT
    return held and decision.act is Act.WAIT


def progress(seen: Look, decision: Decision, *, now: float) -> str:
    """One line: weight, sessions, failures of both releases, time left, what is decided."""
    sessions = seen.evidence.get("entry")
    shown = ""
    if sessions and (sessions.candidate or sessions.baseline):
        whole = sessions.candidate + sessions.baseline
        share = sessions.candidate / whole
        shown = f", {share:.0%} of {whole} sessions on the candidate"
    troubles = [
        f"{name} {one.candidate_failed}/{one.candidate} against "
        f"{one.baseline_failed}/{one.baseline}"
        for name, one in seen.evidence.items()
        if one.candidate_failed or one.baseline_failed
    ]
    failing = f"; failing: {', '.join(troubles)}" if troubles else ""
    left = max(0, round((seen.rollout.ends - now) / 60))
    ending = f", {left} min left" if seen.rollout.phase is Phase.OPEN and left else ""
    said = f"; {decision.act}: {decision.why}" if decision.why else ""
    return f"weight {seen.weight:.0%}{shown}{failing}{ending}{said}"


@contextmanager
def _watched() -> Iterator[None]:
    """AWS that cannot be asked any more ends the watching, not the rollout."""
    try:
        with explained():
            yield
    except JamError as error:
        raise busy_error(
            "JAM-ROLLOUT-UNWATCHED",
            f"The rollout goes on without this run, which cannot watch it: {error.message}",
            hint="`jam-deploy settle` follows it to its end; the guard settles it anyway.",
        ) from error
