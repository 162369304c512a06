"""Rollouts, from their steps to the calls that make them true, and back to what became of them.

Opening one is a chain that a killed run leaves at any place: its record is written first, so that
the next run, or the guard, goes on or undoes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, assert_never

from botocore.exceptions import ClientError

from runner.apply import Fence, Known, unfenced
from runner.aws import alarms, deployments, guard, judging, keyvalues, latency, records, roles
from runner.aws import documents as written
from runner.aws.deployments import Shift
from runner.aws.preflight import Ready, preflight
from runner.aws.refusals import code_of, tolerating
from runner.aws.session import Aws
from runner.aws.written import plain
from runner.errors import busy_error
from runner.guard import journal
from runner.guard.look import Clients, Place, begun
from runner.guard.rollout import Phase, Rollout
from runner.guard.settle import Announce, Settler
from runner.guard.signals import Where
from runner.model import Release
from runner.names import ALIAS, Names
from runner.package.manifest import compact, routing_form
from runner.plan.foundation import ENTRY, Role
from runner.plan.promotion import MakeDeployments, MakeGuard, OpenRollout, PromotionFoundation
from runner.plan.refs import Made, Ref

# A key of the store is known everywhere some 30 s after it was written; a candidate that is named
# before its routing is known would lose its functions.
# Source: CloudFront developer guide, "Amazon CloudFront KeyValueStore", eventual consistency.
KNOWN_AFTER = 60.0  # seconds
OPENED_AGAIN = "a run before this one ended while it opened the rollout: it was opened again"
DEAD_KEPT = 3  # releases that were taken back and may still have open tabs
MOST = 1024  # bytes of a value. Source: CloudFront developer guide, "Quotas", KeyValueStore


def made(
    aws: Aws,
    names: Names,
    *,
    step: PromotionFoundation,
    known: Known,
    guard_archive: Callable[[], bytes],
) -> Known:
    """Makes what rollouts need; returns what it made. Harmless to repeat."""
    match step:
        case MakeDeployments():
            return {Ref(Made.DEPLOYMENTS): deployments.make(aws, names)}
        case MakeGuard():
            allow_store(aws, names, known=known)
            return {Ref(Made.GUARD): guard.make(aws, names, known=known, archive=guard_archive())}
        case _:
            assert_never(step)


def allow_store(aws: Aws, names: Names, *, known: Known) -> None:
    """The guard may write to the store, whose ARN AWS picked."""
    store = written.compact(judging.guarded(known[Ref(Made.STORE)]))
    roles.allow(aws, roles.name_of(Role.GUARD, names), policy="store", document=store)


def open_rollout(
    aws: Aws,
    names: Names,
    *,
    step: OpenRollout,
    release: Release,
    known: Known,
    fence: Fence = unfenced,
) -> str:
    """Opens the rollout, or opens it again; returns CodeDeploy's deployment.

    Raises JamError `JAM-ALARM-*`, `JAM-ROLLOUT-*`; nobody has seen the candidate then.
    """
    promotion = step.promotion
    if promotion.protected:
        alarms.check(aws, promotion.alarms)
    rollout = _recorded(aws, names, step=step, release=release, known=known)
    deployments.check_target(_shift(rollout, config=""))
    if promotion.protected:
        alarms.make(aws, names, rollout=rollout.id, candidate=rollout.candidate)
        alarms.prove(aws, names, rollout=rollout.id, candidate=rollout.candidate)
    config = deployments.make_config(aws, promotion.strategy)
    _wait_for_routing(aws, known)
    guard.start_clock(aws, names)
    store = known[Ref(Made.STORE)]
    offered = {keyvalues.LIVE: _offered(aws, store, rollout, step=step)}
    keyvalues.write(aws, store, puts=offered, fence=fence)
    fence()
    deployment = deployments.begin(aws, names, shift=_shift(rollout, config=config))
    now = int(aws.clock())
    ends = now + promotion.strategy.minutes * 60
    opened = replace(rollout, phase=Phase.OPEN, deployment=deployment, opened=now, ends=ends)
    _note(aws, names, opened)
    return deployment


def adopted(aws: Aws, names: Names, *, known: Known) -> bool:
    """Whether the rollout whose run ended over opening it is open: what that run did not note is
    noted. False where CodeDeploy has nothing of it: visitors get what they got before."""
    left = _last(aws, names)
    if left is None or left.phase is Phase.CLOSED:
        return False
    found = begun(clients(aws), place(names, known=known), left)
    if found is left:
        return left.phase is not Phase.OPENING
    created = int(deployments.info_of(aws, found.deployment)["createTime"].timestamp())
    _note(aws, names, replace(found, opened=created, ends=created + left.ends - left.opened))
    return True


def settler(aws: Aws, names: Names, *, known: Known, announce: Announce) -> Settler:
    """What judges and settles this site's rollout from here, as the guard does."""
    return Settler(
        clients(aws),
        place(names, known=known),
        code_of=lambda error: code_of(error) if isinstance(error, ClientError) else None,
        clock=aws.clock,
        announce=announce,
    )


def clients(aws: Aws) -> Clients:
    """The guard's clients, here."""
    return Clients(
        records=aws.records,
        values=aws.values,
        deployments=aws.deployments,
        functions=aws.functions,
        metrics=aws.metrics,
        rules=aws.rules,
    )


def place(names: Names, *, known: Known) -> Place:
    """The guard's names, here."""
    return Place(
        where=Where(site=names.site, entry=names.entry, alias=ALIAS, api=known[Ref(Made.API)]),
        table=names.records,
        store=known[Ref(Made.STORE)],
        clock=names.guard_clock,
        application=names.application,
    )


def recorded(aws: Aws, names: Names) -> journal.Item | None:
    """The record of the rollout that is open, or of the last that was."""
    item: Any = aws.records.get_item(TableName=names.records, Key=_KEY, ConsistentRead=True)
    found: journal.Item | None = item.get("Item")
    plain(found or {})  # refused, if it is of a newer program
    return found


_KEY: Any = journal.KEY


def _recorded(
    aws: Aws, names: Names, *, step: OpenRollout, release: Release, known: Known
) -> Rollout:
    """The rollout's record, written before anything of it exists. One of the same candidate that a
    dead run left half open gives way: what that run prepared may be of another day."""
    last = _last(aws, names)
    left = last if last and last.phase is not Phase.CLOSED else None
    if left and (left.candidate != step.release or left.phase is not Phase.OPENING):
        raise _open(left)
    on_open = step.promotion.on_open
    ready = preflight(aws, names, entry=step.entry, on_open=on_open, last=last)
    rollout = _rollout(aws, names, step=step, release=release, known=known, ready=ready)
    call: Any = journal.put(names.records, rollout)
    if left:
        alarms.drop(aws, left)
        rollout = replace(rollout, notes=(*rollout.notes, OPENED_AGAIN))
        call = journal.put_over(names.records, rollout, left=left)
    try:
        aws.records.put_item(**call)
    except aws.records.exceptions.ConditionalCheckFailedException as error:
        raise _open(_last(aws, names) or rollout) from error
    return rollout


def _last(aws: Aws, names: Names) -> Rollout | None:
    """The rollout that is open, or the last that was."""
    found = recorded(aws, names)
    return journal.rollout_of(found["rollout"]["S"]) if found else None


def _rollout(
    aws: Aws, names: Names, *, step: OpenRollout, release: Release, known: Known, ready: Ready
) -> Rollout:
    now = int(aws.clock())
    store = known[Ref(Made.STORE)]
    live = json.loads(keyvalues.get(aws, store, key=keyvalues.LIVE) or "{}")
    dead = [each for each in live.get("dead", []) if each != step.release]
    promotion = step.promotion
    api, stage = known[Ref(Made.API)], live.get("r", {}).get("s", "")
    back = {**_steady(live), "dead": [step.release, *dead][:DEAD_KEPT]}
    on = {"v": 1, "live": step.release, "r": routing_form(step.routing)}
    rollout = f"{step.recording.sequence}x{now:x}"
    rings = (alarms.name_of(names, rollout), *promotion.alarms) if promotion.protected else ()
    return Rollout(
        id=rollout,
        alarms=rings,
        candidate=step.release,
        baseline=step.replaces,
        candidate_version=known[Ref(Made.VERSION, ENTRY)],
        baseline_version=ready.baseline,
        opened=now,
        ends=now + promotion.strategy.minutes * 60,
        interval=promotion.strategy.interval,
        percent=promotion.strategy.percent,
        policy=promotion.policy,
        protected=promotion.protected,
        stages=(step.routing.api_stage, stage),
        slow_over=latency.usual(aws, api=api, stage=stage),
        beacon=promotion.beacon,
        promoted=compact({**on, **({"dead": dead} if dead else {})}),
        restored=compact(back),
        after=(records.live_call(names, step=step.recording, release=release, known=known),),
        streams=tuple(
            (names.function(each), known[Ref(Made.VERSION, each)]) for each in step.streams
        ),
        followed=_followed(names, step),
        left=step.left,
        notify=promotion.notify,
        anchor=ready.anchor,
        notes=ready.notes,
    )


def _followed(names: Names, step: OpenRollout) -> tuple[dict[str, Any], ...]:
    """What records that nothing is left, where moving streams is all that there is to do."""
    alone = step.recording.trailing and not step.left
    return (records.followed_call(names, sequence=step.recording.sequence),) if alone else ()


def _steady(live: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in live.items() if name in ("v", "live", "r", "dead")}


def _offered(aws: Aws, store: str, rollout: Rollout, *, step: OpenRollout) -> str:
    """The store's `live` with the candidate; its routing beside it where both fit."""
    live = _steady(json.loads(keyvalues.get(aws, store, key=keyvalues.LIVE) or "{}"))
    dead = [each for each in live.pop("dead", []) if each != rollout.candidate]
    value = {**live, "candidate": rollout.candidate, "rollout": rollout.id}
    value |= {"dead": dead} if dead else {}
    whole = compact({**value, "c": routing_form(step.routing)})
    return whole if len(whole.encode()) <= MOST else compact(value)


def _shift(rollout: Rollout, *, config: str) -> Shift:
    return Shift(
        before=rollout.baseline_version,
        after=rollout.candidate_version,
        config=config,
        alarms=rollout.alarms,
        told=f"{rollout.baseline[:8]} -> {rollout.candidate[:8]}, rollout {rollout.id}",
    )


def _wait_for_routing(aws: Aws, known: Known) -> None:
    written_at = known.get(Ref(Made.ROUTING), "")
    if written_at:
        aws.sleep(max(0.0, float(written_at) + KNOWN_AFTER - aws.clock()))


def _note(aws: Aws, names: Names, rollout: Rollout) -> None:
    call: Any = journal.update(names.records, rollout)
    with tolerating("ConditionalCheckFailedException"):  # the guard closed it already
        aws.records.update_item(**call)


def _open(going: Rollout) -> Exception:
    return busy_error(
        "JAM-ROLLOUT-OPEN",
        f"A rollout of release {going.candidate[:8]} is open: {going.id}.",
        hint="Run `jam-deploy settle`, then this again.",
    )
