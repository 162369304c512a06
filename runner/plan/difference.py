"""What changes for visitors and for the account between two releases, from their summaries. Pure.

Sizes are those of the files as built: what a browser downloads is compressed, by how much nobody
knows before CloudFront has done it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from runner.model import Kind
from runner.package.summary import Summary
from runner.paths import INDEX, decode
from runner.plan import function_changes
from runner.plan.changes import NO_CHANGES, NO_NAMES, NO_SIZE, Changes, Names, Size, Some, names_of
from runner.plan.money import Price, prices, scheduled

NO_SIZES: Some[Size] = Some()
NO_PRICES: Some[Price] = Some()
_CONDITIONS = {"countries": "Country", "languages": "Language"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`since` is the release that is compared with, empty if there is none: all is new then.

    `hashed` are files with a hash in their name, which browsers keep for ever. `again` are bytes
    that somebody who has seen every page of before downloads to see every page of now. `site` are
    all files, `packages` the functions' archives that changed. `settings` are lines about how
    functions are set up, `rights` what they may do, `variables` names alone, `schedules` what all
    schedules cost a month at most, before and after.
    """

    since: str = ""
    pages: Changes = NO_CHANGES
    assets: Changes = NO_CHANGES
    hashed: Names = NO_NAMES
    again: int = 0
    site: Size = NO_SIZE
    functions: Changes = NO_CHANGES
    settings: Names = NO_NAMES
    routes: Changes = NO_CHANGES
    headers: Changes = NO_CHANGES
    redirects: Changes = NO_CHANGES
    rights: Changes = NO_CHANGES
    variables: Changes = NO_CHANGES
    packages: Some[Size] = NO_SIZES
    money: Some[Price] = NO_PRICES
    schedules: tuple[float, float] = (0.0, 0.0)

    def cut(self, most: int) -> Difference:
        """With at most so many names of each kind."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        cut: dict[str, Any] = {
            name: part.cut(most) for name, part in parts.items() if isinstance(part, Some | Changes)
        }
        return replace(self, **cut)


def difference(before: Summary, after: Summary, *, preview: bool = False) -> Difference:
    """What `after` changes of `before`, which is empty where nothing was published.

    With `preview` it is a pull request's environment against production: it never has schedules
    or streams, and its settings may give it other variables and tables.
    """
    was, now = before.functions, after.functions
    return Difference(
        since=before.release,
        pages=_files(before, after, of=Kind.DOCUMENT),
        assets=_files(before, after, of=Kind.ASSET),
        hashed=names_of(_path(key) for key in after.files if _is_new_hashed(key, before, after)),
        again=sum(after.sizes[key] for key in after.files if _is_loaded_again(key, before, after))
        if before.release
        else 0,
        site=Size(
            name="",
            before=sum(before.sizes.values()) if before.release else None,
            after=sum(after.sizes.values()),
        ),
        functions=function_changes.code(was, now),
        settings=function_changes.settings(was, now, preview=preview),
        routes=function_changes.routes(was, now),
        headers=_headers(before, after),
        redirects=_redirects(before, after),
        rights=function_changes.rights(was, now, preview=preview),
        variables=function_changes.variables(was, now, preview=preview),
        packages=Some(first=function_changes.packages(was, now)),
        money=Some(first=prices(was, now, preview=preview)),
        schedules=(0.0, 0.0) if preview else (scheduled(was), scheduled(now)),
    )


def _path(key: str) -> str:
    """As a visitor writes it: documents and files without an extension have no `index.html`."""
    path = "/" + decode(key)
    return path.removesuffix("/" + INDEX) or "/"


def _is_new_hashed(key: str, before: Summary, after: Summary) -> bool:
    return after.files[key][0] == Kind.IMMUTABLE and key not in before.files


def _files(before: Summary, after: Summary, *, of: Kind) -> Changes:
    was, now = (
        {key: digest for key, (kind, *_, digest) in summary.files.items() if kind == of}
        for summary in (before, after)
    )
    return Changes(
        added=names_of(_path(key) for key in now.keys() - was.keys()),
        changed=names_of(_path(key) for key in now.keys() & was.keys() if now[key] != was[key]),
        removed=names_of(_path(key) for key in was.keys() - now.keys()),
    )


def _is_loaded_again(key: str, before: Summary, after: Summary) -> bool:
    """What has the same bytes is answered 304; what has a hash in its name, and is new, takes the
    place of something; any other new file is downloaded for the first time."""
    if key in before.files:
        return before.files[key][4] != after.files[key][4]
    return after.files[key][0] == Kind.IMMUTABLE


def _headers(before: Summary, after: Summary) -> Changes:
    """By what a file is sent with; a file that is new counts if no other had the header."""
    known = {pair for key in before.files for pair in _sent(key, before).items()}
    found: dict[tuple[str, str], int] = {}
    for key in after.files:
        was, now = _sent(key, before), _sent(key, after)
        if key not in before.files:
            was = {name: value for name, value in now.items() if (name, value) in known}
        for kind, line in _lines(was, now):
            found[kind, line] = found.get((kind, line), 0) + 1
    return Changes(
        **{
            kind: names_of(
                f"{line} ({count} {'file' if count == 1 else 'files'})"
                for (of, line), count in found.items()
                if of == kind
            )
            for kind in ("added", "changed", "removed")
        }
    )


def _lines(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in was.keys() | now.keys():
        if name not in was:
            yield "added", f"{name}: {now[name]}"
        elif name not in now:
            yield "removed", name
        elif was[name] != now[name]:
            yield "changed", f"{name}: {was[name]} → {now[name]}"


def _sent(key: str, summary: Summary) -> dict[str, str]:
    reference = summary.files[key][3] if key in summary.files else ""
    sent: dict[str, str] = {}
    for name, value in summary.headers.get(reference, ()):  # `link` may come twice
        sent[name] = f"{sent[name]}, {value}" if name in sent else value
    return sent


def _redirects(before: Summary, after: Summary) -> Changes:
    was, now = [[_rule(each) for each in it.redirects] for it in (before, after)]
    order = set(was) == set(now) and was != now
    return Changes(
        added=names_of(set(now) - set(was)),
        changed=Some(first=("the order of the rules",) if order else ()),
        removed=names_of(set(was) - set(now)),
    )


def _rule(told: Mapping[str, Any]) -> str:
    """As `_redirects` has it."""
    conditions = [
        *(f"{name}={value}" for name, value in told["query"]),
        *(f"{_CONDITIONS[kind]}={','.join(told[kind])}" for kind in _CONDITIONS if told[kind]),
    ]
    force = "!" if told["force"] else ""
    source = " ".join([told["source"], *conditions])
    return f"{source} → {told['target']} {told['status']}{force}".replace("  ", " ")
