"""What changes for visitors and for the account between two releases, from their summaries. Pure.

Sizes are those of the files as built: what a browser downloads is compressed, by how much nobody
knows before CloudFront has done it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.package.summary import Summary

_Told = Mapping[str, Any]  # a function, as `runner.package.summary` tells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The first few of some names; `more` counts those that were left out."""

    first: tuple[str, ...] = ()
    more: int = 0

    def __len__(self) -> int:
        return len(self.first) + self.more

    def cut(self, most: int) -> Names:
        return Names(first=self.first[:most], more=len(self) - len(self.first[:most]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of one kind is new, other than before, and gone."""

    added: Names = Names()
    changed: Names = Names()
    removed: Names = Names()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`since` is the release that is compared with, empty if there is none: all is new then.

    `hashed` are files with a hash in their name, which browsers keep for ever. `again` are bytes
    that somebody who has seen every page of before downloads to see every page of now. `site` are
    all files, `packages` the functions' archives that changed. `settings` are lines about how
    functions are set up, `rights` what they may do, `variables` names alone, `money` lines.
    """

    since: str = ""
    pages: Changes = Changes()
    assets: Changes = Changes()
    hashed: Names = Names()
    again: int = 0
    site: Size = Size(name="", before=None, after=None)
    functions: Changes = Changes()
    settings: Names = Names()
    routes: Changes = Changes()
    headers: Changes = Changes()
    redirects: Changes = Changes()
    rights: Changes = Changes()
    variables: Changes = Changes()
    packages: tuple[Size, ...] = ()
    money: tuple[str, ...] = ()


def difference(before: Summary, after: Summary, *, preview: bool = False) -> Difference:
    """What `after` changes of `before`, which is empty where nothing was published.

    With `preview` it is a pull request's environment against production: it never has schedules
    or streams, and its settings may give it other variables and tables.
    """
    return Difference(since=before.release)
