"""A preview taken away: what visitors reach first, what it was made of after; the record last.

A tombstone says so before anything goes, so that a run which is older than the closing makes
nothing again. A closing that is killed goes on where it stopped, whoever runs it next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.aws import (
    emptying,
    pool_records,
    preview_api,
    preview_keys,
    preview_records,
    preview_rights,
    preview_steps,
    records,
)
from runner.aws.holders import lost
from runner.aws.leases import Lease
from runner.aws.preview_records import Known
from runner.aws.preview_steps import things_of
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.tables import make_records
from runner.aws.written import Environment
from runner.errors import JamError
from runner.model import Origin
from runner.names import Names
from runner.plan.inventory import Thing
from runner.plan.order import IsAncestor
from runner.plan.refs import Made
from runner.report.text import Outcome
from runner.together import at_once
from runner.turn import leased, newer_than, overtaken
from runner.world import World

AT_ONCE = 8
TRIES = 3  # by a run that others take for dead


def close(aws: Aws, names: Names, world: World, *, run: str, origin: Origin) -> Outcome:
    """Outcome `removed`, also where there is nothing; `superseded` if a newer run has begun.

    Where there is nothing a tombstone stands afterwards as well: the run that was to make the
    preview may only be slow.
    """
    begun = world.clock()
    closing = Closing(run=run, origin=origin, say=world.watcher.note, is_ancestor=world.is_ancestor)
    outcome = closing.end(aws, names)
    return _told(aws, names, outcome, seconds=world.clock() - begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Who takes previews away; `is_over`, asked under the lease, may still say that one is not."""

    run: str
    origin: Origin
    say: Callable[[str], None]
    is_ancestor: IsAncestor | None = None
    is_over: Callable[[], bool] = lambda: True

    def end(self, aws: Aws, names: Names) -> str:
        """`removed`, `superseded`, or `kept` where it is not over."""
        with explained():
            there = preview_records.known(aws, names)
            if there and there.is_gone and self.origin.number and there.origin == self.origin:
                return "removed"  # by this very run
            make_records(aws, names.previews)
        run, say, origin = self.run, self.say, self.origin
        for _ in range(TRIES):
            with leased(aws, names, run=run, say=say, origin=origin) as lease:
                if ended := self._ended(aws, names, lease):
                    return ended
            say("another run has taken over meanwhile: looking at what it left")
        raise lost(None)

    def _ended(self, aws: Aws, names: Names, lease: Lease) -> str:
        """Empty where another run has taken the lease over: it may be a newer one, or not."""
        try:
            with explained():
                return self._end(aws, names, lease)
        except JamError as error:
            if not lease.is_lost_by(error):
                raise
            return ""

    def _end(self, aws: Aws, names: Names, lease: Lease) -> str:
        before = Environment(origin=lease.inherited.origin) if lease.inherited else Environment()
        found = records.read(aws, names, release="")
        for each in (found[0] if found else Environment(), before):
            if newer := newer_than(self.origin, each, is_ancestor=self.is_ancestor):
                self.say(overtaken(newer))
                return "superseded"
        if not self.is_over():
            return "kept"
        sure = lease.inherited is None
        lease.begin()
        preview_records.close(aws, names, origin=self.origin, lease=lease)
        remove(aws, names, lease=lease, say=self.say, sure=sure)
        lease.done()
        return "removed"


def remove(
    aws: Aws,
    names: Names,
    *,
    lease: Lease,
    say: Callable[[str], None],
    sure: bool = False,
    owns: tuple[str, ...] = (),
) -> None:
    """Everything of a preview that is closed, under its `lease`, which is asked for before each
    call; `owns` names what no record tells any more.

    Unless it is `sure` that its last run ended well, more is looked for than is recorded.
    """

    with aws.fenced(lease.check):
        _remove(aws, names, lease=lease, say=say, sure=sure, owns=owns)


def _remove(
    aws: Aws,
    names: Names,
    *,
    lease: Lease,
    say: Callable[[str], None],
    sure: bool,
    owns: tuple[str, ...],
) -> None:
    def gone(thing: Thing) -> None:
        with aws.fenced(fence):  # a worker's thread has none
            preview_steps.remove(aws, names, thing)

    fence = lease.check
    there = preview_records.known(aws, names)
    if there is None:
        return
    there = replace(there, owns=tuple(dict.fromkeys((*there.owns, *owns))))
    shared = records.read(aws, names.previews, release="")
    store = (shared[0] if shared else Environment()).ids.get(Made.STORE)
    say(f"removing {names.environment}: {len(there.owns)} functions and tables")
    if store:
        fence()
        preview_keys.hide(aws, names, store, there=there, sure=sure, fence=fence)
    fence()
    preview_api.drop_stage(aws, names)
    with at_once(AT_ONCE) as workers:
        list(workers.map(gone, things_of(there.owns)))
    fence()
    if store:
        emptying.empty(aws, names, prefix=f"{names.objects}/")
    fence()
    _drop_rights(aws, names, there)
    pool_records.give_back(aws, names, lease=lease)
    preview_records.forget_releases(aws, names, releases=there.releases, lease=lease)


def _drop_rights(aws: Aws, names: Names, there: Known) -> None:
    """Those that no other preview has. One that is being pushed right now finds them gone, and
    makes them again with its next change."""
    mine = {each for each in there.owns if each.startswith("rights ")}
    if not mine:
        return
    others = (it for it in preview_records.every(aws, names) if it.environment != there.environment)
    used = {each for other in others for each in other.owns}
    preview_rights.drop(aws, names, policies=sorted(each.partition(" ")[2] for each in mine - used))


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
