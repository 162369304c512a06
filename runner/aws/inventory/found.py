"""From what AWS lists to things: whose a resource is, by its tags. Pure but for what is passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from runner.plan.inventory import Thing, What
from runner.together import at_once

T = TypeVar("T")
OURS = "jam-"  # what names of ours begin with
KEPT = "jam:kept"  # the tag of a table that outlives its site
AT_ONCE = 8


def thing(kind: What, name: str, *, tags: Mapping[str, str], key: str = "", of: str = "") -> Thing:
    return Thing(
        kind=kind,
        name=name,
        key=key or name,
        site=tags.get("jam:site", ""),
        environment=tags.get("jam:environment", ""),
        of=of,
        kept=KEPT in tags,
    )


def part(kind: What, name: str, *, whole: Thing, key: str = "") -> Thing:
    """A part is whose its whole is."""
    return Thing(
        kind=kind,
        name=name,
        key=key or name,
        site=whole.site,
        environment=whole.environment,
        of=whole.name,
    )


def each_of(items: Iterable[T], look: Callable[[T], Thing | None]) -> Iterator[Thing]:
    """What `look` makes of each, some at once; None is left out."""
    with at_once(AT_ONCE) as pool:
        yield from (found for found in pool.map(look, items) if found)
