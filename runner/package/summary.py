"""What of a release others may know: its files with their sizes, its rules, how its functions are
set up. Pure.

No value of any variable is in it. Production publishes its newest beside its releases, so that a
preview can copy what has not changed and tell what has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from runner.model import Function, Release
from runner.package.manifest import Many, document, encoded

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`files` by storage key, as manifests have them: [kind, type, cache, headers, digest];
    `sizes` in bytes by the same keys. `functions` by name, as `text_of` writes them; `headers` are
    header sets by reference."""

    release: str = ""
    host: str = ""  # production's, where anybody may ask what is live
    files: Mapping[str, list[str]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    headers: Mapping[str, list[list[str]]] = field(default_factory=dict)
    redirects: tuple[Mapping[str, Any], ...] = ()
    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def text_of(release: Release, *, host: str = "") -> bytes:
    """As compact JSON; `host` is production's, where it is known."""
    told = {
        "v": VERSION,
        **({"host": host} if host else {}),
        "manifest": document(release),
        "sizes": Many((each.key, each.size) for each in release.files),
        "functions": {each.name: _told(each) for each in release.functions},
    }
    return encoded(told)


def summary_of(text: bytes) -> Summary:
    """The summary in a text; empty for one of a later version, which is no reason to fail."""
    told = msgspec.json.decode(text)
    if told.get("v") != VERSION:
        return Summary()
    whole = told["manifest"]
    return Summary(
        release=whole["release"],
        host=told.get("host", ""),
        files=whole["files"],
        sizes=told["sizes"],
        headers=whole["headers"],
        redirects=tuple(whole["redirects"]),
        functions=told["functions"],
    )


def _told(function: Function) -> dict[str, Any]:
    admission = function.admission
    return {
        "route": function.route if function.methods else "",
        "methods": list(function.methods),
        "runtime": function.runtime,
        "architecture": function.architecture,
        "memory": function.memory,
        "timeout": function.timeout,
        "size": function.size,
        "digest": function.digest,
        "code": function.code_sha256,  # a preview's digest differs by its settings alone
        "variables": [name for name, _ in function.environment],
        "tables": [list(each) for each in function.grants.tables],
        "invoke": list(function.grants.invoke),
        "secrets": [name for name, _ in function.grants.secrets],
        "schedule": function.background.schedule,
        "requests": function.background.requests,
        "stream": function.stream,
        "authorizer": admission.authorizer.name if admission.authorizer else "",
        "upkeep": asdict(function.upkeep),
    }
