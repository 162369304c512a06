"""Which of the tables that `destroy` was told are none of production's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from runner.errors import JamError, site_error
from runner.names import PRODUCTION, Names
from runner.plan.inventory import Thing, What
from runner.plan.ledger import Ledger


def check(named: frozenset[str], there: Iterable[Thing], *, told: Ledger, names: Names) -> None:
    """Raises JamError `JAM-TABLE-UNKNOWN` with those that never were.

    A name is as in the settings, or DynamoDB's. Where a run of `destroy` ended early, or one went
    before, a table that is not there any more is no mistake, unless another one would stay.
    """
    whole = names.table("")
    wanted = {each.removeprefix(whole) for each in named}
    tables = {each.name for each in there if each.kind is What.TABLE}
    standing = {each.removeprefix(whole) for each in tables if each.startswith(whole)}
    unknown = wanted - standing - told.tables
    if unknown and (standing - wanted or (told.exists and not told.destroying)):
        raise _unknown(unknown, standing | told.tables, site=names.site)


def _unknown(unknown: Iterable[str], known: Iterable[str], *, site: str) -> JamError:
    tables = ",".join(sorted(known))
    return site_error(
        "JAM-TABLE-UNKNOWN",
        f"{site} has no table {', '.join(sorted(unknown))} in {PRODUCTION}; nothing was removed.",
        hint=f"Its tables: `--with-tables {tables}`." if tables else "Leave --with-tables out.",
    )
