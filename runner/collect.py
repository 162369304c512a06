"""`gc`: releases past retention go, and what killed runs left. Never what a kept release needs.

Under the lease, so that no deploy adopts what is just going. A run that ends anywhere is continued
by the next: a release's record goes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from runner.aws import api_room, edge_removal, emptying, ledger, removal
from runner.aws.inventory import things
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.inventory import Thing
from runner.plan.ledger import ARCHIVES, POLICIES, fixed
from runner.plan.retention import DAY, Collection, Retention, collection, outdated, strays
from runner.promote import Say
from runner.together import at_once
from runner.turn import leased

AT_ONCE = 8
OPEN = "a rollout is open: nothing is collected while two releases are shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What went, in words; `expired` will go once no visitor can be pinned to it any more."""

    removed: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    why_not: str = ""


def collect(aws: Aws, names: Names, retention: Retention, *, run: str, say: Say) -> Collected:
    """Collects what is past `retention`; nothing where the site has no records."""
    if not ledger.exists(aws, names):
        return Collected()
    with leased(aws, names, run=run, say=say):
        return make_room(aws, names, retention, say=say)


def make_room(
    aws: Aws, names: Names, retention: Retention, *, say: Say, wanted: str = ""
) -> Collected:
    """The same for whoever has the lease; `wanted` is a release that is about to be activated."""
    there = things(aws, names)
    told = ledger.read(aws, names)
    if told.rollout or told.destroying or not told.live:
        return Collected(why_not=OPEN if told.rollout else "")
    decided = collection(told, retention, now=aws.clock(), wanted=wanted)
    with explained():
        return _collected(aws, names, there, decided, say=say)


def _collected(
    aws: Aws, names: Names, there: tuple[Thing, ...], decided: Collection, *, say: Say
) -> Collected:
    ledger.mark_expired(aws, names, expired=decided.expire, revived=decided.revive)
    if decided.remove:
        # Before the api_stages go: a deploy that needs one again must not believe that it stands.
        left = decided.left
        api_room.record_stages(aws, names, stages=left.stages, sequence=left.sequence)
    going = tuple(strays(there, decided, names, outdated=outdated(there, names)))
    removed = [
        *_removed(aws, names, going, say=say),
        *_archives(aws, names),
        *edge_removal.unused_policies(aws, names, _own_policies(there, names)),
    ]
    for release in decided.remove:
        ledger.forget_release(aws, names, release=release)
        removed.append(f"release {release}")
    if decided.left.survived:
        ledger.forget_destroy(aws, names)
    return Collected(removed=tuple(removed), expired=decided.expire)


def _own_policies(there: Iterable[Thing], names: Names) -> list[Thing]:
    """Those that a site had before all sites of an account had the same."""
    own = {name for each in (names, names.previews) for it in POLICIES for name in fixed(each)[it]}
    return [each for each in there if each.kind in POLICIES and each.name in own]


def _removed(aws: Aws, names: Names, going: tuple[Thing, ...], *, say: Say) -> Iterator[str]:
    for kind, some in groupby(going, key=lambda each: each.kind):
        batch = tuple(some)
        say(f"removing {len(batch)} of kind {kind}")
        if kind in removal.BATCHES:
            removal.BATCHES[kind](aws, names, batch)
            went = [True] * len(batch)
        else:
            with at_once(AT_ONCE) as pool:
                went = list(pool.map(partial(removal.collect, aws, names), batch))
        pairs = zip(batch, went, strict=True)
        yield from (f"{kind} {each.name}" for each, is_gone in pairs if is_gone)


def _archives(aws: Aws, names: Names) -> Iterator[str]:
    """Lambda has copies of its own. Source: Lambda API reference, FunctionCode."""
    past = aws.clock() - DAY
    old = [each for each in emptying.stored(aws, names, prefix=ARCHIVES) if each.at < past]
    emptying.delete(aws, names, old)
    yield from (f"objects {each.key}" for each in old)
