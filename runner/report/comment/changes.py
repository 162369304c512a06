"""What a release changes, as a headline and as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.plan.changes import Changes, Names, Size, Some, Thing
from runner.plan.difference import Difference
from runner.plan.money import Basis, Price
from runner.report.comment.foreign import code
from runner.report.comment.words import count, dollars
from runner.report.watch import size_of


def headline(difference: Difference) -> str:
    """One line; says so if a visitor will find nothing changed."""
    if not difference.since:
        whole = size_of(difference.site.after or 0)
        return f"The first release: {count(len(difference.pages), 'page')}, {whole} in all"
    said = [part for part in _said(difference) if part]
    if not said:
        return "Nothing changes for visitors"
    return " · ".join(said)


def again(difference: Difference) -> str:
    if not difference.again:
        return ""
    return (
        f"A returning visitor who opens every page downloads {size_of(difference.again)} again, "
        "uncompressed; unchanged files are not sent again."
    )


def _said(difference: Difference) -> Iterator[str]:
    yield _counted(difference.pages, "page")
    yield _counted(_with(difference.assets, difference.hashed), "file")
    yield _counted(difference.functions, "function")
    yield _counted(difference.routes, "route")
    rules = len(difference.headers) + len(difference.redirects)
    yield f"{count(rules, 'rule')} changed" if rules else ""
    yield _counted(difference.rights, "permission")


def _with(changes: Changes, hashed: Names) -> Changes:
    return replace(changes, added=Some(more=len(changes.added) + len(hashed)))


def _counted(changes: Changes, noun: str) -> str:
    kinds = (
        (len(changes.added), "added"),
        (len(changes.changed), "changed"),
        (len(changes.removed), "removed"),
    )
    told = [(number, kind) for number, kind in kinds if number]
    if not told:
        return ""
    (first, kind), *rest = told
    return ", ".join([f"{count(first, noun)} {kind}", *(f"{n:,} {kind}" for n, kind in rest)])


def table(difference: Difference) -> str:
    """A line for each kind of thing that changes; empty if there is none."""
    lines = [
        f"| {name} | {_cell(each.added)} | {_cell(each.changed)} | {_cell(each.removed)} |"
        for name, each in _kinds(difference)
        if len(each)
    ]
    if not lines:
        return ""
    return "\n".join(["| | Added | Changed | Removed |", "|---|---|---|---|", *lines])


def _kinds(difference: Difference) -> Iterator[tuple[str, Changes]]:
    yield "**Pages**", difference.pages
    yield "**Files**", difference.assets
    yield "**Hashed files**", Changes(added=difference.hashed)
    yield "**Functions**", difference.functions
    yield "**Routes**", difference.routes
    yield "**Set-up**", Changes(changed=difference.settings)
    yield "**Permissions**", difference.rights
    yield "**Environment** (names)", difference.variables
    yield "**Header rules**", difference.headers
    yield "**Redirect rules**", difference.redirects


def _cell(names: Names) -> str:
    return "<br>".join([*map(code, names.first), *_more(names)])


def _more(some: Some[Thing]) -> list[str]:
    if not some.more:
        return []
    return [f"and {some.more:,} more" if some.first else f"{some.more:,}"]


def amounts(difference: Difference) -> list[str]:
    """Sizes and prices, a line each, with what they rest on."""
    return [*_sizes(difference), *_prices(difference)]


def _sizes(difference: Difference) -> Iterator[str]:
    site = difference.site
    if site.before != site.after:
        yield f"All files: {_size(site)}, uncompressed."
    if len(difference.packages):
        told = [f"{code(each.name)} {_size(each)}" for each in difference.packages.first]
        yield f"Functions' packages: {', '.join([*told, *_more(difference.packages)])}."


def _size(size: Size) -> str:
    return " → ".join("none" if it is None else size_of(it) for it in (size.before, size.after))


def _prices(difference: Difference) -> Iterator[str]:
    before, after = difference.schedules
    if before != after:
        yield (
            f"Schedules: at most USD {dollars(before)} → {dollars(after)} a month, if each run "
            f"lasted until its timeout{_of(difference.money, Basis.SCHEDULE)}."
        )
    if any(each.basis is Basis.MILLION for each in difference.money.first):
        yield (
            f"A million requests of 100 ms, Lambda's part{_of(difference.money, Basis.MILLION)}."
        )
    if len(difference.money):
        yield "By the list prices of us-east-1, without free tiers; traffic is not estimated."


def _of(money: Some[Price], basis: Basis) -> str:
    told = [
        f"{code(each.name)} USD {_dollars(each.before)} → {_dollars(each.after)}"
        for each in money.first
        if each.basis is basis
    ]
    return f": {', '.join(told)}" if told else ""


def _dollars(amount: float | None) -> str:
    return "nothing" if amount is None else dollars(amount)
