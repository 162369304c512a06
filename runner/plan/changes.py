"""What of some kind is new, other than before, or gone, by name; what is cut is counted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Some(Generic[Thing]):
    """The first few of some things; `more` counts those that were left out."""

    first: tuple[Thing, ...] = ()
    more: int = 0

    def __len__(self) -> int:
        return len(self.first) + self.more

    def cut(self, most: int) -> Some[Thing]:
        return Some(first=self.first[:most], more=len(self) - len(self.first[:most]))


Names = Some[str]
NO_NAMES: Names = Some()  # never `Names()`: a generic alias cannot make what has slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of one kind is new, other than before, and gone."""

    added: Names = NO_NAMES
    changed: Names = NO_NAMES
    removed: Names = NO_NAMES

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)

    def cut(self, most: int) -> Changes:
        return Changes(
            added=self.added.cut(most),
            changed=self.changed.cut(most),
            removed=self.removed.cut(most),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes before and after; None where there was, or is, nothing."""

    name: str
    before: int | None
    after: int | None


NO_CHANGES = Changes()
NO_SIZE = Size(name="", before=None, after=None)


def names_of(names: Iterable[str]) -> Names:
    return Some(first=tuple(sorted(names)))


def between(was: Mapping[str, str], now: Mapping[str, str]) -> Changes:
    """Things by name, each with its value."""
    return Changes(
        added=names_of(f"{name} ({now[name]})" for name in now.keys() - was.keys()),
        changed=names_of(
            f"{name} ({was[name]} → {now[name]})"
            for name in now.keys() & was.keys()
            if now[name] != was[name]
        ),
        removed=names_of(was.keys() - now.keys()),
    )
