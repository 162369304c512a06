"""`destroy`: everything of a site, or of its production, goes, in the order that AWS demands.

What does not bear this site's tags stays, and so do tables of production that nobody names. A run
that ends anywhere is continued by the next: each lists anew what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from runner.aws import emptying, ledger, records, removal
from runner.aws.inventory import things
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.errors import JamError, site_error
from runner.guard.rollout import Act
from runner.names import PRODUCTION, Names
from runner.plan.inventory import SHARED, Thing, What, is_removable
from runner.plan.ledger import Ledger, site_of
from runner.plan.refs import Ref
from runner.promote import Follower, Say
from runner.together import at_once
from runner.turn import leased

AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """What goes: an `environment`, or with none all of them; tables only if named in `tables`.

    `run` is how others find this run.
    """

    environment: str = ""
    tables: frozenset[str] = frozenset()
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """What will go, in order, and what of this site's names or tags stays."""

    ledger: Ledger
    going: tuple[Thing, ...]
    left: tuple[Thing, ...]


def survey(aws: Aws, names: Names, doom: Doom) -> Doomed:
    """What there is to remove; changes nothing.

    Raises JamError `JAM-BUCKET-FOREIGN` with the names of objects that others put there.
    """
    if doom.environment not in ("", PRODUCTION):
        raise _not_production(doom.environment)
    there = things(aws, names)
    told = ledger.read(aws, names)
    with explained():
        if any(each.kind is What.BUCKET and each.site == names.site for each in there):
            emptying.check_foreign(aws, names, ledger=told)
    going = tuple(each for each in _goes(there, names, doom) if removal.is_own(each))
    return Doomed(ledger=told, going=going, left=tuple(_stays(there, going, told, names=names)))


def destroy(aws: Aws, names: Names, doom: Doom, *, say: Say) -> tuple[Doomed, tuple[str, ...]]:
    """Removes it; returns what stays, and what went, in words."""
    first = survey(aws, names, doom)  # refused before anything is touched
    lease = leased(aws, names, run=doom.run, say=say) if first.ledger.exists else nullcontext()
    with lease:
        _settle(aws, names, first.ledger, say=say)
        found = survey(aws, names, doom) if first.ledger.exists else first
        if found.ledger.exists:
            # A deploy after a run that ended early then begins anew, and finds what still stands.
            ledger.forget(aws, names, beginning=True)
        removed = _remove(aws, names, found.going, say=say)
        _keep(aws, found.left)
    # The lease lies in the records: they are the last of all.
    return found, (*removed, *_forget(aws, names, found, doom=doom, say=say))


def _goes(there: Iterable[Thing], names: Names, doom: Doom) -> Iterable[Thing]:
    """With one environment alone what it shares stays: the records, and others' objects."""
    listed = tuple(there)
    shares = doom.environment and any(_is_of_others(each, doom) for each in listed)
    for each in listed:
        if not is_removable(each, site=names.site, environment=doom.environment):
            continue
        if each.kind is What.TABLE and not _is_named(each, names, doom):
            continue
        if each.kind is What.OBJECTS and not (shares and each.name.startswith(f"{PRODUCTION}/")):
            continue
        if each.kind is What.BUCKET and shares:
            continue
        yield each


def _stays(
    there: Iterable[Thing], going: tuple[Thing, ...], told: Ledger, *, names: Names
) -> Iterator[Thing]:
    """What bears this site's names or tags and does not go, not even with its whole."""
    wholes = {each.name for each in going}
    for each in there:
        is_ours = each.kind not in SHARED and site_of(each, told, names) == names.site
        if is_ours and each not in going and each.of not in wholes:
            yield each


def _is_of_others(thing: Thing, doom: Doom) -> bool:
    is_other = thing.kind is What.OBJECTS and thing.name.startswith("previews/")
    return is_other or thing.environment not in ("", "account", doom.environment)


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
    wanted = (each for each in going if each.name != names.records or each.kind is not What.TABLE)
    for kind, some in groupby(wanted, key=lambda each: each.kind):
        batch = tuple(some)
        say(f"removing {len(batch)} of kind {kind}")
        with explained(), at_once(AT_ONCE) as pool:
            list(pool.map(partial(removal.remove, aws, names), batch))
        removed += [f"{kind} {each.name}" for each in batch]
    return tuple(removed)


def _forget(aws: Aws, names: Names, found: Doomed, *, doom: Doom, say: Say) -> tuple[str, ...]:
    """The records table; with one environment alone it stays, empty."""
    with explained():
        table = next((each for each in found.going if _is_records(each, names)), None)
        if table:
            say("removing the records")
            removal.remove(aws, names, table)
            return (f"{What.TABLE} {table.name}",)
        if doom.environment and found.ledger.exists:
            ledger.forget(aws, names)
    return ()


def _is_records(thing: Thing, names: Names) -> bool:
    return thing.kind is What.TABLE and thing.name == names.records


def _keep(aws: Aws, left: tuple[Thing, ...]) -> None:
    """Tables that stay say why: nothing else will account for them."""
    with explained():
        for each in left:
            if each.kind is What.TABLE and each.is_tagged:
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


def _not_production(environment: str) -> JamError:
    return site_error(
        "JAM-ENVIRONMENT",
        f"{environment!r} is not an environment that `destroy` takes down by itself.",
        hint="`--environment production`, or `--all`; previews go by `preview --pr N --close`.",
    )
