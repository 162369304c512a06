"""A preview taken away: what visitors reach first, what it was made of after; the record last.

A tombstone says so before anything goes, so that a run which is older than the closing makes
nothing again. A closing that is killed goes on where it stopped, whoever runs it next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from runner.aws import emptying, pool, preview_api, preview_records, previews, records, removal
from runner.aws.owned import is_of_environment
from runner.aws.preview_records import Known
from runner.aws.records import Environment
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.model import Origin
from runner.names import Names
from runner.plan.inventory import Thing, What
from runner.plan.refs import Made
from runner.report.text import Outcome
from runner.turn import leased, newer_than, overtaken
from runner.world import World

AT_ONCE = 8


def close(aws: Aws, names: Names, world: World, *, run: str, origin: Origin) -> Outcome:
    """Outcome `removed`, also where there is nothing; `superseded` if a newer run has begun."""
    begun, say = world.clock(), world.watcher.note
    with explained():
        there = preview_records.known(aws, names)
    if there is None or there.is_gone:
        return _told(aws, names, "removed", seconds=world.clock() - begun)
    with leased(aws, names, run=run, say=say, origin=origin) as lease, explained():
        found = records.read(aws, names, release="")
        if found and (newer := newer_than(origin, found[0], is_ancestor=world.is_ancestor)):
            say(overtaken(newer))
            return _told(aws, names, "superseded", seconds=world.clock() - begun)
        there = preview_records.known(aws, names)
        if there is not None:
            remove(aws, names, there, origin=origin, say=say)
        lease.done()
    return _told(aws, names, "removed", seconds=world.clock() - begun)


def remove(
    aws: Aws, names: Names, there: Known, *, origin: Origin, say: Callable[[str], None]
) -> None:
    """Everything of the preview; under its lease."""
    preview_records.close(aws, names, origin=origin)
    shared = records.read(aws, names.previews, release="")
    ids = (shared[0] if shared else Environment()).ids
    say(f"removing {names.environment}: {len(there.owns)} functions and tables")
    if store := ids.get(Made.STORE):
        previews.hide(aws, names, store)
    if api := ids.get(Made.API):
        preview_api.drop_stage(aws, api, api_stage=names.environment)
    with ThreadPoolExecutor(AT_ONCE) as workers:
        list(workers.map(partial(_remove, aws, names), _things(there.owns)))
    if store:
        emptying.empty(aws, names, prefix=f"{names.objects}/")
    pool.give_back(aws, names)
    preview_records.forget_releases(aws, names, releases=there.releases)


def _things(owns: Iterable[str]) -> list[Thing]:
    """`owns` names them as `function NAME` and `table NAME`."""
    found = []
    for each in owns:
        kind, _, name = each.partition(" ")
        what = What.TABLE if kind == "table" else What.FUNCTION
        found.append(Thing(kind=what, name=name, key=name))
        if what is What.FUNCTION:
            group = f"/aws/lambda/{name}"
            found.append(Thing(kind=What.LOG_GROUP, name=group, key=group))
    return found


def _remove(aws: Aws, names: Names, thing: Thing) -> None:
    """What bears others' tags, or none, was not made by us: it stays, whatever its name is."""
    if is_of_environment(aws, names, thing):
        removal.remove(aws, names, thing)


def _told(aws: Aws, names: Names, outcome: str, *, seconds: float) -> Outcome:
    return Outcome(
        site=names.site,
        environment=names.environment,
        release="",
        previous="",
        url="",
        api_url="",
        prefix=f"{names.objects}/",
        outcome=outcome,
        seconds=seconds,
        calls=aws.calls,
    )
