"""What must hold after anything: a visitor gets one release whole, and AWS holds what is recorded.

A trouble is `mixed`, an `orphan` or a `loss`; a site that does not become what was wanted is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from runner.audit import audit
from tests.labs import holdings
from tests.labs.crash import Wire
from tests.labs.site import Commit, Seen, Site

RECORDS_AT_MOST = 12  # writes of one deploy to the table of records
_RECORDING = frozenset({"UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """`what` went wrong at which point, of which experiment."""

    kind: str
    what: str
    where: str = ""


def seen(site: Site, allowed: tuple[Seen | Commit, ...]) -> Iterator[Trouble]:
    seen = site.visit()
    if seen in [_shown(each) for each in allowed]:
        return
    yield Trouble("mixed" if seen.is_mixed else "loss", f"visitors get {seen}")


def _shown(wanted: Seen | Commit) -> Seen:
    if isinstance(wanted, Seen):
        return wanted
    return Seen(document=wanted.page, asset=wanted.page, function=wanted.code)


def held(site: Site, whole: Counter[str]) -> Iterator[Trouble]:
    """Orphans and losses in what AWS holds; `whole` is the foundation of an uncrashed site."""
    aws, names = site.aws, site.names
    told = holdings.known(aws, names, remembered=site.remembered)
    for what in holdings.orphans(aws, names, told):
        yield Trouble("orphan", what)
    for each in audit(aws, names).unexplained:
        yield Trouble("orphan", f"{each.kind} {each.name}, by audit")
    for what in holdings.losses(aws, names, told, pause=lambda: site.sleep(5)):
        yield Trouble("loss", what)
    found = holdings.foundation(aws)
    if whole and found != whole:
        yield Trouble("orphan", f"{found - whole} too many, {whole - found} missing")


def writes(wire: Wire) -> int:
    return sum(call in _RECORDING for call in wire.calls)
