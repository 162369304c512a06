"""Tries a candidate at 0 %: its entry version itself, its pages and functions at the edge.

What is wrong here is seen by no visitor. Writes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from runner.entry.answer import LARGEST
from runner.entry.counts import Counts
from runner.entry.entry import Entry
from runner.entry.release import Content, content_of, site_of
from runner.errors import JamError, aws_error
from runner.fetch import Answer, Fetch
from runner.model import File, Function, Kind, Redirect, Release
from runner.package.manifest import manifest
from runner.report.text import Check
from runner.verify import PROBE, Patience, looked_at, visitor_path

PAGES, OTHERS = 20, 20  # files fetched; of more, an even sample
RULES = 2  # redirect rules that entry is asked for
MISSING = "/jam-smoke/no-such-page"

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Hands a function URL's event to the entry version itself; gives its answer."""


def try_entry(release: Release, ask: Ask) -> tuple[Check, ...]:
    """Asks the entry version for a page, a missing one and redirects; raises JAM-SMOKE.

    It must answer as the same program does here. It is asked as for a draw, so that it answers for
    its own release, but outside a rollout, so that it counts nothing.
    """
    here = Entry(site_of(manifest(release)), _contents(release), Counts("", lambda _: None))
    checks = tuple(_asked(path, query, ask=ask, here=here) for path, query in _questions(release))
    return _passed(checks)


def try_edge(
    release: Release,
    *,
    files: Sequence[File],
    functions: Sequence[Function],
    fetch: Fetch,
    token: str,
    patience: Patience,
) -> tuple[Check, ...]:
    """Fetches what changed through the distribution, which the token forces; raises JAM-SMOKE."""

    def forced(path: str, headers: Mapping[str, str], /) -> Answer:
        return fetch(path, {**headers, "x-jam-release": release.id, "x-jam-token": token})

    pages = [file for file in files if file.kind is Kind.DOCUMENT]
    others = [file for file in files if file.kind is not Kind.DOCUMENT]
    checks = looked_at(
        release,
        files=[*_sample(pages, PAGES), *_sample(others, OTHERS)],
        functions=functions,
        fetch=forced,
        patience=patience,
    )
    return _passed(checks)


def _questions(release: Release) -> Iterator[tuple[str, str]]:
    """Paths and queries."""
    pages = [each for each in release.files if each.kind is Kind.DOCUMENT and each.size < LARGEST]
    yield from ((visitor_path(page), "") for page in pages[:1])
    yield MISSING, ""
    # By country and language entry is asked by CloudFront alone.
    rules = [each for each in release.redirects if not each.countries and not each.languages]
    yield from (_question(rule) for rule in rules[:RULES])


def _question(rule: Redirect) -> tuple[str, str]:
    segments = rule.source.split("/")
    path = "/".join(PROBE if each.startswith((":", "*")) else each for each in segments)
    query = "&".join(
        f"{name}={PROBE if value.startswith(':') else value}" for name, value in rule.query
    )
    return path, query


def _asked(path: str, query: str, *, ask: Ask, here: Entry) -> Check:
    event = _event(path, query)
    wanted, found = here(event), ask(event)
    for name, of in _SEEN.items():
        if of(found) != of(wanted):
            detail = f"{name} of the entry is {of(found)!r}, not {of(wanted)!r}"
            return Check(name=path, outcome="failed", detail=detail)
    return Check(name=path, outcome="passed")


def _digest(answer: Mapping[str, Any]) -> str:
    body = str(answer.get("body", ""))
    read = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return hashlib.sha256(read).hexdigest()[:16]


# What an answer is compared by. Entity tags are the bucket's where a file does not fit the archive.
_SEEN: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "the status": lambda answer: answer.get("statusCode"),
    "the release": lambda answer: answer.get("headers", {}).get("x-jam-release"),
    "the address": lambda answer: answer.get("headers", {}).get("location"),
    "the body": _digest,
}


def _event(path: str, query: str) -> dict[str, Any]:
    """Source: Lambda developer guide, "Invoking Lambda function URLs", Request payload format."""
    http = {
        "method": "GET",
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "jam-deploy",
    }
    headers = {"x-jam-path": path, "x-jam-query": query, "x-jam-draw": "smoke"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name: value for name, value in headers.items() if value},
        "requestContext": {"http": http, "stage": "$default", "timeEpoch": 0},
        "isBase64Encoded": False,
    }


def _contents(release: Release) -> Callable[[str], Content | None]:
    """The release's files as entry reads them from the bucket."""
    sources = {
        f"assets/{file.key}"
        if file.kind is Kind.IMMUTABLE
        else f"releases/{release.id}/{file.key}": file.source
        for file in release.files
    }

    def read(key: str) -> Content | None:
        return content_of(sources[key].read_bytes()) if key in sources else None

    return read


def _sample(files: Sequence[File], most: int) -> list[File]:
    if len(files) <= most:
        return list(files)
    return [files[index * len(files) // most] for index in range(most)]


def _passed(checks: Iterable[Check]) -> tuple[Check, ...]:
    every = tuple(checks)
    failed = [check for check in every if check.outcome == "failed"]
    if failed:
        raise _refused(failed)
    return every


def _refused(failed: Sequence[Check]) -> JamError:
    shown = "\n".join(f"  {check.name} {check.detail}" for check in failed[:20])
    return aws_error(
        "JAM-SMOKE",
        f"The candidate failed before anybody was shown it, in {len(failed)} places:\n{shown}",
        hint="Nothing was switched. Deploy again; the release lies ready.",
    )
