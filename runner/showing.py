"""What became of a preview: looked at as its visitors do, and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from runner.apply import Known
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.decide import Decided, changed_files, new_functions
from runner.errors import JamError
from runner.fetch import Answer, Fetch, fetch_from
from runner.model import Origin
from runner.names import Names
from runner.plan.order import is_older
from runner.plan.refs import Made, Ref
from runner.plan.releasing import PutFiles
from runner.report.text import Check, Outcome, Uploaded
from runner.stage import SETTLES, api_url
from runner.turn import newer_than, overtaken
from runner.verify import NOT_LET_IN, Patience, verify
from runner.world import World, near


def outrun(
    there: Environment,
    before: Environment,
    *,
    mine: Origin,
    is_open: Callable[[], bool] | None,
    world: World,
) -> str:
    """`removed` where the preview was closed by a newer run, or by anybody since it was read
    `before`; `superseded` where a newer run has shown it; empty where it is this run's turn.

    A tombstone is no obstacle for whoever knows that the pull request `is_open`: it was reopened,
    or `gc` found it too old.
    """
    newer = newer_than(mine, there, is_ancestor=world.is_ancestor)
    since = there.sequence != before.sequence and not is_older(
        there.origin, mine, is_ancestor=world.is_ancestor
    )
    if there.closed and (newer or since):
        if is_open and is_open():
            return ""
        by = f" by {newer.run}" if newer and newer.run else ""
        world.watcher.note(f"the preview was closed{by} while this run was under way")
        return "removed"
    if newer:
        world.watcher.note(overtaken(newer))
    return "superseded" if newer else ""


def looked_at(
    decided: Decided, world: World, *, known: Known, bypass: str, mend: Callable[[], bool]
) -> tuple[Check, ...]:
    """Once more where previews' API let nobody in and `mend` found why: no push is in vain."""
    try:
        return _looked_at(decided, world, known=known, bypass=bypass)
    except JamError as error:
        if NOT_LET_IN not in error.message or not mend():
            raise
    world.watcher.note("the keeper of previews' API was not as it should be, and is mended")
    return _looked_at(decided, world, known=known, bypass=bypass)


def _looked_at(decided: Decided, world: World, *, known: Known, bypass: str) -> tuple[Check, ...]:
    """What changed, as a visitor finds it; where nothing did, one file."""
    base = f"https://{known[Ref(Made.DOMAIN)]}"
    is_same = decided.plan.is_empty
    return verify(
        decided.release,
        files=decided.release.files[:1] if is_same else changed_files(decided),
        functions=() if is_same else new_functions(decided),
        fetch=with_bypass(fetch_from(base, connect_to=near(world)), bypass),
        patience=Patience(seconds=SETTLES, clock=world.clock, sleep=world.sleep),
    )


def with_bypass(fetch: Fetch, bypass: str) -> Fetch:
    """The same with the token that opens a private preview."""

    def fetched(path: str, headers: Mapping[str, str], /) -> Answer:
        return fetch(path, {**headers, **({"x-jam-bypass": bypass} if bypass else {})})

    return fetched


def outcome_of(
    decided: Decided,
    world: World,
    *,
    known: Known,
    checks: tuple[Check, ...],
    lacks: tuple[str, ...] = (),
) -> Outcome:
    puts = [step for step in decided.plan.stage if isinstance(step, PutFiles)]
    host, names = known[Ref(Made.DOMAIN)], decided.names
    return Outcome(
        site=names.site,
        environment=names.environment,
        release=decided.release.id,
        previous=decided.live.release,
        url=f"https://{host}",
        local_url=_local(host, world),
        api_url=api_url(decided, known),
        prefix=f"{names.objects}/releases/{decided.release.id}/",
        outcome="unchanged" if decided.plan.is_empty else "live",
        seconds=world.clock() - decided.begun,
        calls=decided.aws.calls,
        uploaded=Uploaded(
            files=sum(len(step.files) for step in puts), bytes=sum(step.bytes for step in puts)
        ),
        checks=checks,
        lacks=lacks,
    )


def told(
    aws: Aws, names: Names, there: Environment, outcome: str, *, world: World, begun: float
) -> Outcome:
    """For a run that changed nothing."""
    host = there.ids.get(Made.DOMAIN, "")
    return Outcome(
        site=names.site,
        environment=names.environment,
        release=there.release,
        previous=there.previous,
        url=f"https://{host}" if host else "",
        local_url=_local(host, world),
        api_url="",
        prefix=f"{names.objects}/releases/{there.release}/" if there.release else "",
        outcome=outcome,
        seconds=world.clock() - begun,
        calls=aws.calls,
    )


def _local(host: str, world: World) -> str:
    loopback = urlsplit(near(world))
    if not loopback.netloc or not host:
        return ""
    return f"http://{host.partition('.')[0]}.localhost:{loopback.port}/"
