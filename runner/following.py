"""From the switch to the end: a release is followed until it is live, looked at, and told of."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from runner.apply import Known
from runner.aws import records
from runner.aws.refusals import explained
from runner.decide import Decided
from runner.domains import looked_after
from runner.errors import JamError
from runner.inherited import follower
from runner.names import PRODUCTION
from runner.plan.promotion import OpenRollout
from runner.plan.refs import Made, Ref
from runner.plan.releasing import PutFiles
from runner.report.rollout import told_of
from runner.report.text import Check, Outcome, Uploaded
from runner.stage import api_url, carry_out, look_at_live
from runner.turn import leased, run_of
from runner.world import World, near


def gone_live(decided: Decided, world: World, *, known: Known) -> Outcome:
    try:
        with world.watcher.stage("verify"):
            checks = look_at_live(decided, world, known=known)
    except JamError:
        if not _is_replaced(decided):
            raise
        world.watcher.note("SUPERSEDED: it was live, and a newer run has replaced it since")
        return ended(decided, world, known=known, outcome="superseded", checks=())
    named = looked_after(decided, world, known=known)
    known = {**known, **({Ref(Made.HOST): named.host} if named.host else {})}
    lacks = tuple(str(each) for each in named.lacks)
    return ended(decided, world, known=known, outcome="live", checks=checks, lacks=lacks)


def _is_replaced(decided: Decided) -> bool:
    """Whether another release went live while this one was looked at."""
    with explained():
        found = records.read(decided.aws, decided.names, release="")
    return found is not None and found[0].release != decided.release.id


def followed(decided: Decided, world: World, *, known: Known) -> Outcome:
    """The rollout to its end; what follows a release once it is live is done after it."""
    if not decided.way.wait:
        _tell_left(decided, world)
        return ended(decided, world, known=known, outcome="open", checks=())
    with world.watcher.stage("rollout"):
        rollout = follower(decided, world, known=known).follow()
    if rollout.outcome != "live":
        told = ended(decided, world, known=known, outcome=rollout.outcome, checks=())
        return replace(told, rollout=told_of(rollout))
    if not decided.plan.following.is_empty:
        known = _settled(decided, world, known=known)
    return replace(gone_live(decided, world, known=known), rollout=told_of(rollout))


def _tell_left(decided: Decided, world: World) -> None:
    """Nobody waits: the guard promotes alone, and may not do everything."""
    for step in decided.plan.switch:
        if isinstance(step, OpenRollout) and step.left:
            world.watcher.note(
                "once it is live `jam-deploy settle` has to do what the guard cannot:"
            )
            for what in step.left:
                world.watcher.note(f"  {what}")


def _settled(decided: Decided, world: World, *, known: Known) -> Known:
    """What follows the release, unless a newer run is at it already: that one sees to it."""
    run, say = run_of(world.environment), world.watcher.note
    mine = world.origin
    with (
        world.watcher.stage("settle"),
        leased(decided.aws, decided.names, run=run, say=say, origin=mine) as lease,
    ):
        found = records.read(decided.aws, decided.names, release="")
        ours = found and found[0].release == decided.release.id and not found[0].rollout
        if lease.inherited or not ours:
            return known
        applied = carry_out(
            replace(decided, lease=lease), world, part=decided.plan.following, known=known
        )
        lease.done()
    return applied.known


def ended(
    decided: Decided,
    world: World,
    *,
    known: Known,
    outcome: str,
    checks: tuple[Check, ...],
    lacks: tuple[str, ...] = (),
) -> Outcome:
    puts = [step for step in decided.plan.stage if isinstance(step, PutFiles)]
    domain = known.get(Ref(Made.DOMAIN), "")
    loopback = urlsplit(near(world))
    label = domain.partition(".")[0]
    return Outcome(
        site=decided.names.site,
        environment=PRODUCTION,
        release=decided.release.id,
        previous=decided.live.release,
        url=f"https://{_host(decided, known)}",
        local_url=f"http://{label}.localhost:{loopback.port}/" if loopback.netloc else "",
        api_url=api_url(decided, known),
        prefix=f"{PRODUCTION}/releases/{decided.release.id}/",
        outcome=outcome,
        seconds=world.clock() - decided.begun,
        calls=decided.aws.calls,
        uploaded=Uploaded(
            files=sum(len(step.files) for step in puts), bytes=sum(step.bytes for step in puts)
        ),
        checks=checks,
        lacks=lacks,
    )


def _host(decided: Decided, known: Known) -> str:
    """The site's own name once it works, else the distribution's."""
    live = decided.live
    own = live.domains_work and live.domains == decided.foundation.domains and live.domains
    return known.get(Ref(Made.HOST), "") or (own[0] if own else known.get(Ref(Made.DOMAIN), ""))
