"""A release as text: the manifest, ROUTING and the identity. Pure; the forms of architecture.md.

Compact JSON with the members in a fixed order, so that equal releases are equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from itertools import islice
from typing import Any

import msgspec

from runner.model import Admission, Api, File, Function, Redirect, Release, Routing

_API = Api()
_AT_ONCE = 1_000  # of many members


def compact(value: Any) -> str:
    """JSON without a space; not ASCII alone, because the KeyValueStore counts bytes of UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Many:
    """An object of so many members that they are not held beside its text.

    No dataclass: of one that lies within a list msgspec would write the fields.
    """

    def __init__(self, members: Iterable[tuple[str, Any]]) -> None:
        self.members = members


def encoded(value: Any) -> bytes:
    """The same bytes as `compact`, for what may have a hundred thousand files: a tenth of the time,
    and no text beside them in memory. Of `Many` members a few are made at a time."""
    if not _has_many(value):
        return msgspec.json.encode(value)
    whole = BytesIO()
    _write(whole, value)
    return whole.getvalue()  # no copy: it is the buffer's own


def _has_many(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_many, value.values()))
    return isinstance(value, Many)


def _write(whole: BytesIO, value: Any) -> None:
    if not _has_many(value):
        whole.write(msgspec.json.encode(value))
        return
    whole.write(b"{")
    before = b""
    if isinstance(value, Many):
        members = iter(value.members)
        while few := dict(islice(members, _AT_ONCE)):
            whole.write(before + msgspec.json.encode(few)[1:-1])
            before = b","
    else:
        for name, member in value.items():
            whole.write(before + msgspec.json.encode(name) + b":")
            _write(whole, member)
            before = b","
    whole.write(b"}")


def manifest(release: Release) -> bytes:
    """`~release.json`, which entry also has in its zip."""
    return encoded(document(release))


def document(release: Release) -> dict[str, Any]:
    """The manifest before it is a text, which can be made of it once."""
    return {
        "v": 1,
        "release": release.id,
        "files": Many((it.key, _stored(it)) for it in release.files),
        "redirects": [redirect_form(it) for it in release.redirects],
        "headers": {it.ref: [list(pair) for pair in it.headers] for it in release.header_sets},
        "routing": routing_form(release.routing),
        "notFound": release.not_found,
    }


def _stored(file: File) -> list[str]:
    return [file.kind, file.content_type, file.cache_control, file.headers, file.digest]


def routing_form(routing: Routing) -> dict[str, Any]:
    """ROUTING: empty members are left out."""
    members = {
        "s": routing.api_stage,
        "i": list(routing.immutable),
        "h": routing.headers,
        "spa": int(routing.spa),
        "x": list(routing.except_below),
    }
    return {name: member for name, member in members.items() if member}


def routing_text(routing: Routing) -> str:
    """The value of `r/<release>`, and of `r` in `live`."""
    return compact(routing_form(routing))


def redirect_form(redirect: Redirect) -> dict[str, Any]:
    """A rule of `_redirects` with all its members."""
    return {
        "source": redirect.source,
        "target": redirect.target,
        "status": redirect.status,
        "force": redirect.force,
        "query": [list(pair) for pair in redirect.query],
        "countries": list(redirect.countries),
        "languages": list(redirect.languages),
    }


ADMISSION = 2  # raise it when the same routes let in others than before, or answer otherwise


def api_stage_of(functions: Iterable[Function], api: Api = _API, *, acceptor: str = "") -> str:
    """The name of the snapshot that serves these functions: 16 hex digits, empty without any.

    `acceptor` is the digest of the program that takes requests for those in the background.
    """
    routes = sorted(
        (
            *(it.name, it.route, sorted(it.methods), it.digest, _let_in(it.admission)),
            acceptor if it.background.requests else "",
        )
        for it in functions
        if it.methods and not it.stream
    )
    return _digest([ADMISSION, routes, _whole(api)])[:16] if routes else ""


def _let_in(admission: Admission) -> list[Any]:
    by = admission.authorizer
    authorizer = [by.name, by.issuer, list(by.audience)] if by else []
    return [authorizer, list(admission.scopes), admission.rate, admission.burst]


def _whole(api: Api) -> list[Any]:
    return [list(api.cors), api.access_log, api.log_days if api.access_log else 0]


def identity(release: Release, entry: Mapping[str, bytes]) -> str:
    """The release's id: 32 hex digits over all that a visitor can tell, in no order of reading.

    `entry` is the program that answers for the release: a newer one makes another release, so that
    it is rolled out and taken back like any change. Not over where files lie, nor over the old id.
    """
    functions = (
        (it.name, it.route, sorted(it.methods), it.digest, str(it.upkeep), it.background.schedule)
        for it in release.functions
    )
    headers = ((it.ref, [list(pair) for pair in it.headers]) for it in release.header_sets)
    return _digest(
        {
            "files": sorted(_told(it) for it in release.files),
            "headers": sorted(headers),
            "redirects": [redirect_form(it) for it in release.redirects],
            "functions": sorted(functions),
            "routing": routing_form(release.routing),
            "notFound": release.not_found,
            "entry": {name: hashlib.sha256(code).hexdigest() for name, code in entry.items()},
        }
    )[:32]


def _told(file: File) -> tuple[str, ...]:
    stored = (file.path, file.key, file.kind, file.digest)
    return (*stored, file.content_type, file.cache_control, file.headers)


def _digest(value: Any) -> str:
    return hashlib.sha256(encoded(value)).hexdigest()
