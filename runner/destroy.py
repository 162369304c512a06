"""`destroy`: everything of a site, of its production or of its previews goes, in AWS's order.

What does not bear this site's tags stays, and so do tables of production that nobody names. A run
that ends anywhere is continued by the next: each lists anew what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from runner.aws import (
    edge_removal,
    emptying,
    ledger,
    preview_records,
    previewed,
    records,
    removal,
)
from runner.aws.inventory import things
from runner.aws.refusals import explained, tolerating
from runner.aws.session import Aws
from runner.closing import Closing
from runner.errors import JamError, site_error
from runner.guard.rollout import Act
from runner.model import Origin
from runner.names import PREVIEW, PREVIEWS, PRODUCTION, Names
from runner.plan import named_tables
from runner.plan.inventory import SHARED, Thing, What, is_removable
from runner.plan.ledger import Ledger, is_policy_of_all, site_of
from runner.plan.previewed import Previewed, is_of_previews
from runner.plan.refs import Ref
from runner.promote import Follower, Say
from runner.together import at_once
from runner.turn import leased

AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """What goes: an `environment`, or with none all of them; tables only if named in `tables`.

    `previews` are all of them with what they share, `pr-7` is one. `run` is how others find this
    run.
    """

    environment: str = ""
    tables: frozenset[str] = frozenset()
    run: str = ""

    @property
    def is_of_production(self) -> bool:
        return self.environment in ("", PRODUCTION)

    @property
    def is_of_previews(self) -> bool:
        return self.environment in ("", PREVIEWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """What will go, in order, what of this site's names or tags stays, and the policies of all
    sites, which the last site takes along; whether the account has what `bootstrap` made."""

    ledger: Ledger
    previewed: Previewed
    going: tuple[Thing, ...]
    left: tuple[Thing, ...]
    shared: tuple[Thing, ...] = ()
    bootstrapped: bool = True


def survey(aws: Aws, names: Names, doom: Doom) -> Doomed:
    """What there is to remove; changes nothing.

    Raises JamError `JAM-BUCKET-FOREIGN` with the names of objects that others put there, and
    `JAM-TABLE-UNKNOWN` with those of tables that are not there.
    """
    is_one = bool(PREVIEW.fullmatch(doom.environment))
    if not (is_one or doom.is_of_production or doom.is_of_previews):
        raise _unknown(doom.environment)
    there = things(aws, names)
    told, previews = ledger.read(aws, names), previewed.read(aws, names)
    named_tables.check(doom.tables, there, told=told, names=names)
    with explained():
        buckets = {each.name for each in there if each.kind is What.BUCKET and each.is_tagged}
        if names.bucket in buckets and doom.is_of_production:
            emptying.check_foreign(aws, names, ledger=told)
        if names.previews.bucket in buckets and doom.is_of_previews:
            emptying.check_foreign(aws, names.previews, ledger=Ledger())
    going = tuple(each for each in _goes(there, names, doom) if removal.is_own(each))
    stays = _stays(there, going, told, names=names)
    left = tuple(each for each in stays if _was_asked_for(each, names, doom))
    shared = tuple(each for each in there if is_policy_of_all(each))
    return Doomed(
        ledger=told,
        previewed=previews,
        going=going,
        left=left,
        shared=shared,
        bootstrapped=any(each.kind is What.STACK for each in there),
    )


def destroy(aws: Aws, names: Names, doom: Doom, *, say: Say) -> tuple[Doomed, tuple[str, ...]]:
    """Removes it; returns what stays, and what went, in words."""
    first = survey(aws, names, doom)  # refused before anything is touched
    if PREVIEW.fullmatch(doom.environment):
        return first, _closed(aws, names, first, doom=doom, say=say)
    if doom.is_of_previews:
        _bury(aws, names, first.previewed, doom=doom, say=say)
    with ExitStack() as leases:
        for each in _held(names, first, doom):
            leases.enter_context(leased(aws, each, run=doom.run, say=say))
        if doom.is_of_production:
            _settle(aws, names, first.ledger, say=say)
        held = first.ledger.exists or first.previewed.exists
        found = survey(aws, names, doom) if held else first
        for each in _held(names, found, doom):
            # A run after one that ended early begins anew, and finds what still stands.
            ledger.forget(aws, each, beginning=True)
        removed = _remove(aws, names, found.going, say=say)
        with explained():
            removed = (*removed, *edge_removal.unused_policies(aws, names, found.shared))
        _keep(aws, found.left)
    # The lease lies in the records: they are the last of all.
    return found, (*removed, *_forget(aws, names, found, doom=doom, say=say))


def _held(names: Names, found: Doomed, doom: Doom) -> Iterator[Names]:
    """The environments whose records are to go."""
    if doom.is_of_production and found.ledger.exists:
        yield names
    if doom.is_of_previews and found.previewed.exists:
        yield names.previews


def _closed(aws: Aws, names: Names, found: Doomed, *, doom: Doom, say: Say) -> tuple[str, ...]:
    """One preview, as when its pull request is closed."""
    tenant = found.previewed.tenants.get(doom.environment)
    if not found.going and not (tenant and tenant.releases):
        return ()
    mine = names.preview(int(doom.environment.removeprefix("pr-")))
    outcome = Closing(run=doom.run, origin=Origin(), say=say).end(aws, mine)
    return (f"preview {doom.environment}",) if outcome == "removed" else ()


def _bury(aws: Aws, names: Names, told: Previewed, *, doom: Doom, say: Say) -> None:
    """A tombstone for each preview, under its lease: whoever is at it is waited for."""

    def bury(environment: str) -> None:
        mine = names.preview(int(environment.removeprefix("pr-")))
        with leased(aws, mine, run=doom.run, say=say) as lease, explained():
            preview_records.close(aws, mine, origin=Origin(), lease=lease)

    with at_once(AT_ONCE) as pool:
        alive = [name for name, it in told.tenants.items() if it.releases or it.at_it]
        list(pool.map(bury, alive))


def _goes(there: Iterable[Thing], names: Names, doom: Doom) -> Iterable[Thing]:
    """With production alone the records stay, and what others put into its bucket."""
    listed = tuple(there)
    shares = doom.environment == PRODUCTION and any(_is_of_others(each, names) for each in listed)
    for each in listed:
        if not _is_doomed(each, names, doom):
            continue
        if each.kind is What.TABLE and not _is_named(each, names, doom):
            continue
        if each.kind is What.OBJECTS and not (shares and each.name.startswith(f"{PRODUCTION}/")):
            continue
        if each.kind is What.BUCKET and shares:
            continue
        yield each


def _is_doomed(thing: Thing, names: Names, doom: Doom) -> bool:
    if doom.environment == PREVIEWS:
        ours = is_removable(thing, site=names.site, environment="")
        return ours and is_of_previews(thing, names)
    return is_removable(thing, site=names.site, environment=doom.environment)


def _stays(
    there: Iterable[Thing], going: tuple[Thing, ...], told: Ledger, *, names: Names
) -> Iterator[Thing]:
    """What bears this site's names or tags and does not go, not even with its whole."""
    wholes = {each.name for each in going}
    for each in there:
        is_ours = each.kind not in SHARED and site_of(each, told, names) == names.site
        if is_ours and each not in going and each.of not in wholes:
            yield each


def _was_asked_for(thing: Thing, names: Names, doom: Doom) -> bool:
    """What stays of an environment that nobody named is not told."""
    if not doom.environment:
        return True
    if PREVIEW.fullmatch(doom.environment):
        return False  # its closing takes whatever is its own
    return is_of_previews(thing, names) == doom.is_of_previews


def _is_of_others(thing: Thing, names: Names) -> bool:
    is_other = thing.kind is What.OBJECTS and thing.name.startswith(f"{PREVIEWS}/")
    return is_other and thing.of == names.bucket


def _is_named(table: Thing, names: Names, doom: Doom) -> bool:
    """The records go with everything; of the site's own tables only those that are named."""
    if table.name == names.records:
        return not doom.environment
    if table.environment not in ("", PRODUCTION):
        return True
    return any(table.name in (each, names.table(each)) for each in doom.tables)


def _remove(aws: Aws, names: Names, going: tuple[Thing, ...], *, say: Say) -> tuple[str, ...]:
    """Kind by kind, in their order; of one kind some at once. The records come later."""
    removed: list[str] = []
    wanted = (each for each in going if not _is_records(each, names))
    for kind, some in groupby(wanted, key=lambda each: each.kind):
        batch = tuple(some)
        say(f"removing {len(batch)} of kind {kind}")
        with explained(), at_once(AT_ONCE) as pool:
            if kind is What.DISTRIBUTION:  # so that all of them spread at once
                list(pool.map(partial(_switch_off, aws), batch))
            list(pool.map(partial(_removed, aws, names), batch))
        removed += [f"{kind} {each.name}" for each in batch]
    return tuple(removed)


def _switch_off(aws: Aws, thing: Thing) -> None:
    with tolerating("NoSuchDistribution"):
        edge_removal.disable(aws, thing.key)


def _removed(aws: Aws, names: Names, thing: Thing) -> None:
    removal.remove(aws, names.previews if is_of_previews(thing, names) else names, thing)


def _forget(aws: Aws, names: Names, found: Doomed, *, doom: Doom, say: Say) -> Iterator[str]:
    """The tables of records; with production alone its own stays, empty."""
    with explained():
        for table in (each for each in found.going if _is_records(each, names)):
            say("removing the records")
            removal.remove(aws, names, table)
            yield f"{What.TABLE} {table.name}"
        if doom.environment == PRODUCTION and found.ledger.exists:
            ledger.forget(aws, names)


def _is_records(thing: Thing, names: Names) -> bool:
    return thing.kind is What.TABLE and thing.name in (names.records, names.previews.records)


def _keep(aws: Aws, left: tuple[Thing, ...]) -> None:
    """Tables that stay say why: nothing else will account for them."""
    with explained():
        for each in left:
            if each.kind is What.TABLE and each.is_tagged and each.environment == PRODUCTION:
                removal.mark_kept(aws, each)


def _settle(aws: Aws, names: Names, told: Ledger, *, say: Say) -> None:
    """An open rollout is taken back first; one that cannot be goes with all the rest."""
    if not told.rollout:
        return
    with explained():
        found = records.read(aws, names, release="")
    known = {Ref(made): value for made, value in (found[0].ids if found else {}).items()}
    try:
        Follower(aws, names, known=known, say=say).act(Act.TAKE_BACK, "its site is destroyed")
    except JamError as error:
        say(f"the open rollout could not be settled: {error.message}")


def _unknown(environment: str) -> JamError:
    return site_error(
        "JAM-ENVIRONMENT",
        f"{environment!r} is not an environment of a site.",
        hint="`--environment production`, `previews`, or a pull request's (`pr-7`); or `--all`.",
    )
