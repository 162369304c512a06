"""`gc` for previews: those that are over go, and what killed runs of others left.

Whether a pull request is still open only GitHub knows; it is asked again under the preview's lease,
so that one which was reopened meanwhile stays. What a run is at is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Protocol

from runner.aws import (
    emptying,
    keyvalues,
    pool_tending,
    preview_api,
    preview_records,
    previewed,
    removal,
)
from runner.aws.inventory import things
from runner.aws.preview_records import Known
from runner.aws.refusals import explained, tolerating
from runner.aws.session import Aws
from runner.closing import Closing
from runner.names import PREVIEW, PREVIEWS, Names
from runner.plan.inventory import Thing, What
from runner.plan.ledger import ARCHIVES
from runner.plan.overdue import DAY, is_forgotten, why_over
from runner.plan.previewed import Previewed, is_of_previews, is_stray, owner, without_run
from runner.together import at_once
from runner.turn import leased

AT_ONCE = 8


class Pulls(Protocol):
    """What somebody knows of the repository's pull requests; None where nobody can tell."""

    def open_numbers(self) -> frozenset[int] | None:
        """All that were open when this was first asked."""

    def is_open(self, number: int) -> bool | None:
        """Whether it is open now."""


class Nobody:
    """Without GitHub age alone decides."""

    def open_numbers(self) -> frozenset[int] | None:
        return None

    def is_open(self, number: int) -> bool | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Previews that are gone now, with why; those that a run was at; what else went, in words."""

    gone: tuple[tuple[Known, str], ...] = ()
    busy: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """How to tell what is over; `expire` in seconds since the last push."""

    closing: Closing
    pulls: Pulls
    expire: float


def clear(aws: Aws, names: Names, clearing: Clearing) -> Cleared:
    """Nothing where the site never had a preview."""
    if not previewed.exists(aws, names):
        return Cleared()
    with explained():
        every = preview_records.every(aws, names.previews)
    over = [each for each in every if not each.is_gone and _why(aws, each, clearing, first=True)]
    busy = [each for each in over if each.busy_until > aws.clock()]
    with at_once(AT_ONCE) as workers:
        going = [each for each in over if each not in busy]
        ends = list(workers.map(partial(_ended, aws, names, clearing), going))
    for each in every:
        if each.is_gone and is_forgotten(each.closed, now=aws.clock()):
            with explained():
                preview_records.forget(aws, names.preview(each.number))
    return Cleared(
        gone=tuple((each, why) for each, why in zip(going, ends, strict=True) if why),
        busy=tuple(each.environment for each in busy),
        removed=(*_strays(aws, names, clearing), *_archives(aws, names), *_pool(aws, names)),
    )


def _why(aws: Aws, known: Known, clearing: Clearing, *, first: bool) -> str:
    """The first look is a cheap one: one list of all that are open."""
    if known.closed and not known.is_gone:
        return "its closing had not ended"
    listed = clearing.pulls.open_numbers() if first else None

    def is_open(number: int) -> bool | None:
        return number in listed if listed is not None else clearing.pulls.is_open(number)

    return why_over(
        number=known.number,
        pushed=known.pushed,
        now=aws.clock(),
        expire=clearing.expire,
        is_open=is_open,
    )


def _ended(aws: Aws, names: Names, clearing: Clearing, known: Known) -> str:
    """Why it is gone; empty if it stayed after all."""
    mine, told = names.preview(known.number), [""]

    def is_over() -> bool:
        found = preview_records.known(aws, mine)
        told[0] = _why(aws, found, clearing, first=False) if found else ""
        return bool(told[0])

    ended = replace(clearing.closing, is_over=is_over).end(aws, mine)
    return told[0] if ended == "removed" else ""


def _strays(aws: Aws, names: Names, clearing: Clearing) -> Iterator[str]:
    """What is previews' and nothing explains, under the lease of whoever might be making it."""
    there, told = things(aws, names), previewed.read(aws, names)
    apis = {each.name: each.key for each in there if each.kind is What.API}
    found = sorted(_unexplained(there, told, names), key=owner)
    for environment, some in groupby(found, key=owner):
        tenant, batch = told.tenants.get(environment), tuple(some)
        if tenant and tenant.at_it:
            continue
        mine = replace(names, environment=environment)
        closing = clearing.closing
        lease = leased(aws, mine, run=closing.run, say=closing.say, origin=closing.origin)
        with lease, explained():
            again = without_run(previewed.read(aws, names), environment)  # the run is we
            left = list(_unexplained(batch, again, names))
            gone = _removed(aws, mine, left, apis=apis)
            if environment != PREVIEWS and tenant is None:
                preview_records.forget(aws, mine)  # the lease was all that there was
        yield from (f"{each.kind} {each.name}" for each in gone)


def _unexplained(there: tuple[Thing, ...], told: Previewed, names: Names) -> Iterator[Thing]:
    for each in there:
        is_ours = each.site == names.site and is_of_previews(each, names)
        if is_ours and is_stray(each, told, names):
            yield each


def _removed(
    aws: Aws, names: Names, things: list[Thing], *, apis: Mapping[str, str]
) -> list[Thing]:
    """Without what something still uses: that goes another time."""
    keys = [each.key for each in things if each.kind is What.KEY]
    store = keyvalues.find(aws, names.previews) if keys else None
    if store:
        keyvalues.drop(aws, store, keys=keys)
    return [each for each in things if _is_removed(aws, names, each, apis=apis)]


def _is_removed(aws: Aws, names: Names, thing: Thing, *, apis: Mapping[str, str]) -> bool:
    match thing.kind:
        case What.KEY:
            return True  # with all the others
        case What.API_STAGE if PREVIEW.fullmatch(thing.name):
            preview_api.drop_stage(aws, replace(names, environment=thing.name))
        case What.SPARE_DEPLOYMENT:
            # Refused where somebody made an api_stage of it since: then it is no stray.
            with tolerating("NotFoundException", "BadRequestException"):
                aws.api.delete_deployment(ApiId=apis[thing.of], DeploymentId=thing.key)
        case What.API_STAGE:
            with tolerating("NotFoundException"):
                aws.api.delete_stage(ApiId=apis[thing.of], StageName=thing.name)
        case _:
            return removal.collect(aws, names, thing)
    return True


def _archives(aws: Aws, names: Names) -> Iterator[str]:
    """Lambda has copies of its own. Source: Lambda API reference, FunctionCode."""
    past, shared = aws.clock() - DAY, names.previews
    with explained():
        old = [it for it in emptying.stored(aws, shared, prefix=ARCHIVES) if it.at < past]
        emptying.delete(aws, shared, old)
    yield from (f"{What.OBJECTS} {each.key}" for each in old)


def _pool(aws: Aws, names: Names) -> Iterator[str]:
    with explained():
        yield from pool_tending.tend(aws, names, previewed.read(aws, names))
