"""`audit`: every resource that bears our tags or names, and what accounts for it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from runner.aws import ledger, previewed
from runner.aws.inventory import things
from runner.aws.session import Aws
from runner.names import PRODUCTION, Names
from runner.plan import previewed as of_previews
from runner.plan.inventory import Thing, is_removable
from runner.plan.ledger import SURVIVED, Ledger, explained, site_of
from runner.plan.previewed import Previewed
from runner.plan.retention import COLLECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """A resource and what explains it; empty if nothing does."""

    thing: Thing
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What there is in one account and region."""

    site: str
    account: str
    region: str
    found: tuple[Accounted, ...]

    @property
    def unexplained(self) -> tuple[Thing, ...]:
        return tuple(each.thing for each in self.found if not each.by)

    @property
    def of_site(self) -> tuple[Thing, ...]:
        """What is this site's, by its tags, or as a part of what bears them."""
        return tuple(each.thing for each in self.found if each.thing.site == self.site)


def audit(aws: Aws, names: Names) -> Audit:
    """The resources first: a record that is made meanwhile explains more, never less."""
    there = things(aws, names)
    told, previews = ledger.read(aws, names), previewed.read(aws, names)
    return Audit(
        site=names.site,
        account=names.account,
        region=names.region,
        found=tuple(
            Accounted(thing=each, by=_by(each, told, previews, names=names)) for each in there
        ),
    )


def _by(thing: Thing, told: Ledger, previews: Previewed, *, names: Names) -> str:
    is_ours = site_of(thing, told, names) == names.site
    if is_ours and of_previews.is_of_previews(thing, names):
        return of_previews.explained(thing, previews, names)
    return explained(thing, told, names) or _left(thing, told, names)


def _left(thing: Thing, told: Ledger, names: Names) -> str:
    """What a new release does not name, of those that a dead run of `destroy` left standing."""
    ours = is_removable(thing, site=names.site, environment=PRODUCTION)
    return SURVIVED if told.survived and ours and thing.kind in COLLECTED else ""
