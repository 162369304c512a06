"""Looks at an open rollout and carries out what is decided; the guard and the runner do it alike.

Every act can be repeated and cut off anywhere: the next look finds what is left to do. Visitors
come first: the store, then CodeDeploy, then the record. Standard library only; clients come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import Any

from runner.entry.counts import NAMESPACE
from runner.guard import journal
from runner.guard.look import Clients, Look, Place, alias_of, weights_of
from runner.guard.rollout import UNHEARD, Act, Decision, Deployment, Phase, Rollout, decide
from runner.guard.verdict import Verdict

Announce = Callable[[Look, Decision], object]
LIVE = "live"  # the key of the store that decides what visitors get
WON, LOST = "live", "rolled_back"
TWIN = "selftest"  # ends the name of an alarm that proves, before a rollout, that its own rings
VERDICT = "verdict"  # our metric: 1 takes the candidate back
WITHOUT_CODEDEPLOY = "CodeDeploy did not answer: store and alias were put back without it"
_GOING = (Deployment.ACTIVE, Deployment.UNKNOWN)
_TRIES = 5  # of a write to what others write to as well


class Stopped(StrEnum):
    """What became of the request to stop a deployment."""

    ASKED = "asked"  # or it was over already
    ENDED = "ended"  # there was none
    UNHEARD = "unheard"


class Settler:
    """Judges and settles the rollout of one site, as the guard or a run (`who`).

    `code_of` tells an AWS error's code, or None.
    """

    def __init__(
        self,
        clients: Clients,
        place: Place,
        *,
        code_of: Callable[[Exception], str | None],
        clock: Callable[[], float],
        announce: Announce,
        who: str = journal.RUN,
    ) -> None:
        self._clients = clients
        self._place = place
        self._code_of = code_of
        self._clock = clock
        self._announce = announce
        self._who = who

    def settle(self, look: Look) -> Decision:
        """Decides and acts; returns what was decided."""
        wanted = decide(look.rollout, look.seen, now=int(self._clock()))
        return self.act(look, self._claimed(look, wanted))

    def act(self, look: Look, decision: Decision) -> Decision:
        """Carries out a decision that guard, runner or a person made."""
        if decision.act is Act.NOTHING:
            return decision
        try:
            return self._carried_out(look, decision)
        finally:  # if it cannot be carried out from here, the alarm may still do it
            self._tell(look)

    def _carried_out(self, look: Look, decision: Decision) -> Decision:
        if decision.act is Act.WAIT:
            self._note(look, look.rollout)
        elif decision.act is Act.HOLD:
            self._hold(look, decision)
        else:
            return self._end(look, decision)
        return decision

    def _end(self, look: Look, decision: Decision) -> Decision:
        """Ends it as this decision wants, or as somebody else claimed a moment before."""
        ending = self._claim(look, decision)
        if ending.act is Act.PROMOTE:
            self._promote(look)
        elif ending.act is Act.TAKE_BACK:
            self._take_back(look)
        return ending

    def _claimed(self, look: Look, wanted: Decision) -> Decision:
        """What somebody began to end is ended in the same way, whatever is seen now."""
        return _claimed_in(look.item) or wanted

    def _claim(self, look: Look, decision: Decision) -> Decision:
        """Of guard, runner and people one ends the rollout and says so; the others help.

        Nothing is left to do where another rollout is recorded by now, or this one is closed.
        """
        outcome = WON if decision.act is Act.PROMOTE else LOST
        change = journal.claim(self._place.table, look.rollout, outcome=outcome, why=decision.why)
        if self._tolerate(lambda: self._clients.records.update_item(**change), _TAKEN):
            self._announce(look, decision)
            return decision
        found = self._clients.records.get_item(
            TableName=self._place.table, Key=journal.KEY, ConsistentRead=True
        )
        item = found.get("Item", {})
        ours = item.get("id", {}).get("S") == look.rollout.id
        is_open = ours and item["phase"]["S"] != Phase.CLOSED
        return (_claimed_in(item) if is_open else None) or Decision(act=Act.NOTHING)

    def _promote(self, look: Look) -> None:
        rollout = look.rollout
        if look.seen.alias != rollout.candidate_version or look.seen.weights:
            self._stop(rollout, back=False)
            self._point(rollout.candidate_version)  # also where CodeDeploy does not answer
        self._write(rollout.promoted)
        for call in rollout.after:
            self._perform(call)
        self._close(look, self._followed(rollout), weight=1.0)

    def _followed(self, rollout: Rollout) -> Rollout:
        """Streams go with the candidate; what cannot be moved from here is left, and said."""
        stuck = [each for each in rollout.streams if not self._moved(*each)]
        if stuck:
            told = (f"point {function} at version {version}" for function, version in stuck)
            return replace(rollout, left=tuple(dict.fromkeys((*rollout.left, *told))))
        for call in rollout.followed:
            self._perform(call)
        return rollout

    def _moved(self, function: str, version: str) -> bool:
        try:
            self._point(version, function=function)
        except Exception:  # noqa: BLE001  # the candidate is live: its end waits for no stream
            return False
        return True

    def _take_back(self, look: Look) -> None:
        rollout = look.rollout
        self._write(rollout.restored)
        stopped = self._stop(rollout, back=True)
        in_time = self._clock() < rollout.ends + UNHEARD
        if stopped is Stopped.ASKED and look.seen.deployment in _GOING and in_time:
            self._note(look, rollout)
            return  # CodeDeploy puts the alias back by a deployment of its own; the next look ends
        alias = alias_of(self._clients, self._place)
        if alias["FunctionVersion"] != rollout.baseline_version or weights_of(alias):
            self._point(rollout.baseline_version)
        if stopped is Stopped.UNHEARD:
            rollout = _with_note(rollout, WITHOUT_CODEDEPLOY)
            if in_time:
                self._note(look, rollout)
                return  # it may shift once more: the next look asks again, and puts it right again
        self._close(look, rollout, weight=0.0)

    def _hold(self, look: Look, decision: Decision) -> None:
        """Noted first: from here on the guard alone protects."""
        self._note(look, replace(look.rollout, phase=Phase.HELD))
        self._stop(look.rollout, back=False)
        self._announce(look, decision)

    def _stop(self, rollout: Rollout, *, back: bool) -> Stopped:
        """Asks CodeDeploy to stop; `back` also to put the alias back."""
        if not rollout.deployment:
            return Stopped.ENDED
        try:
            self._clients.deployments.stop_deployment(
                deploymentId=rollout.deployment, autoRollbackEnabled=back
            )
        except Exception as error:  # noqa: BLE001  # whatever ails CodeDeploy, visitors come first
            done = self._code_of(error) == "DeploymentAlreadyCompletedException"
            return Stopped.ASKED if done else Stopped.UNHEARD
        return Stopped.ASKED

    def _point(self, version: str, *, function: str = "") -> None:
        """All weight of the alias to one version, upon the alias as it was just read: entry's, or
        that of a function which streams."""
        functions, where = self._clients.functions, self._place.where
        alias = {"FunctionName": function or where.entry, "Name": where.alias}
        all_of_it = {"FunctionVersion": version, "RoutingConfig": {"AdditionalVersionWeights": {}}}
        self._upon(
            lambda: functions.get_alias(**alias)["RevisionId"],
            lambda read: functions.update_alias(**alias, **all_of_it, RevisionId=read),
            stale="PreconditionFailedException",
        )

    def _write(self, value: str) -> None:
        """What visitors get, by one value. Another write in between only changes the ETag."""
        values, store = self._clients.values, self._place.store
        puts = [{"Key": LIVE, "Value": value}]
        self._upon(
            lambda: values.describe_key_value_store(KvsARN=store)["ETag"],
            lambda read: values.update_keys(KvsARN=store, IfMatch=read, Puts=puts),
            stale="ConflictException",
        )

    def _upon(self, read: Callable[[], str], write: Callable[[str], object], *, stale: str) -> None:
        """A write upon what was just read; its refusal stands if others are always faster."""
        for _ in range(_TRIES - 1):
            if self._tolerate(partial(write, read()), {stale}):
                return
        write(read())

    def _perform(self, call: Mapping[str, Any]) -> None:
        """A call that the runner prepared for the moment at which the candidate goes live."""
        client = getattr(self._clients, call["client"])
        operation = getattr(client, call["operation"])
        arguments = dict(call["arguments"])
        if when := call.get("when"):  # the value that says when it happened
            now = {when: {"N": str(int(self._clock()))}}
            arguments["ExpressionAttributeValues"] = arguments["ExpressionAttributeValues"] | now
        self._tolerate(lambda: operation(**arguments), frozenset(call.get("tolerate", ())))

    def _close(self, look: Look, rollout: Rollout, *, weight: float) -> None:
        """Closed last, so that a closing which is cut off is done again by the next look."""
        closed = replace(rollout, phase=Phase.CLOSED)
        self._note(look, rollout, weight=weight)
        found = self._clients.records.get_item(
            TableName=self._place.table, Key=journal.KEY, ConsistentRead=True
        )
        self._clients.records.put_item(**journal.kept(self._place.table, found["Item"], closed))
        for name in alarms_made(closed):
            self._tolerate(partial(self._clients.metrics.delete_alarms, AlarmNames=[name]), _GONE)
        self._note(look, closed, weight=weight)
        self.stop_clock()

    def stop_clock(self) -> None:
        """Nothing is open: nobody need be woken every minute."""
        self._clients.rules.disable_rule(Name=self._place.clock)

    def _note(self, look: Look, rollout: Rollout, *, weight: float | None = None) -> None:
        told = journal.evidence_text(
            look.minutes,
            look.evidence,
            weight=look.weight if weight is None else weight,
            verdict=look.seen.verdict,
            now=int(self._clock()),
            before=look.item,
            who=self._who,
        )
        # What was looked at may be older than what is recorded by now.
        record = journal.witness if rollout == look.rollout else journal.update
        change = record(self._place.table, rollout, evidence=told)
        self._tolerate(lambda: self._clients.records.update_item(**change), _TAKEN)

    def _tell(self, look: Look) -> None:
        """The verdict as a metric: the alarm on it is the second line, for a dead guard."""
        dimensions = [
            {"Name": "site", "Value": self._place.where.site},
            {"Name": "release", "Value": look.rollout.candidate},
        ]
        failed = 1.0 if look.seen.verdict is Verdict.FAIL else 0.0
        metric = {"MetricName": VERDICT, "Dimensions": dimensions, "Value": failed}
        self._clients.metrics.put_metric_data(Namespace=NAMESPACE, MetricData=[metric])

    def _tolerate(self, call: Callable[[], object], codes: Set[str]) -> bool:
        """Whether the call was carried out; those errors say that it need not be."""
        try:
            call()
        except Exception as error:
            if self._code_of(error) not in codes:
                raise
            return False
        return True


def _with_note(rollout: Rollout, note: str) -> Rollout:
    known = rollout.notes
    return rollout if note in known else replace(rollout, notes=(*known, note))


def alarms_made(rollout: Rollout) -> Iterator[str]:
    """The names of a rollout's own alarms; also that of a self-test over which the run died.

    One that is gone keeps all others of its call: each has a call of its own. Source: CloudWatch
    API reference, DeleteAlarms.
    """
    for name in rollout.alarms:
        if rollout.id in name:
            yield name
            if not rollout.deployment:
                yield f"{name}-{TWIN}"


def _claimed_in(item: journal.Item) -> Decision | None:
    """The end that was claimed in a rollout's record, if one was."""
    act = {WON: Act.PROMOTE, LOST: Act.TAKE_BACK}.get(item.get("outcome", {}).get("S", ""))
    return Decision(act=act, why=item.get("why", {}).get("S", "")) if act else None


# The other of guard and runner closed it too. Source: CloudWatch API reference, DeleteAlarms.
_GONE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_TAKEN = frozenset({"ConditionalCheckFailedException"})
