"""Functions as Lambda keeps them: versions, aliases, URLs, policies. State only, no rules.

Settings are dicts in botocore's shapes: they come in that way and go out unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LATEST = "$LATEST"
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One zip: `sha256` in base64 as Lambda tells it, `folder` where it is unpacked."""

    sha256: str
    size: int
    archive: Path
    folder: Path


@dataclass(kw_only=True)
class Version:
    """`$LATEST` or a published version. Before `ready_at` (cloud seconds) it is not yet usable:
    Pending if it is new, InProgress if `before` still answers."""

    number: str
    code: Code
    settings: Settings
    revision: str
    modified: float
    ready_at: float
    before: Version | None = None


@dataclass(kw_only=True)
class Alias:
    name: str
    version: str
    description: str
    weights: dict[str, float]
    revision: str


@dataclass(kw_only=True)
class Policy:
    """The resource policy of one qualifier (empty: the function itself)."""

    revision: str
    statements: list[dict[str, Any]] = field(default_factory=list)


@dataclass(kw_only=True)
class Url:
    """`identity` is the first label of its host."""

    identity: str
    qualifier: str
    settings: Settings
    created: float
    modified: float


@dataclass(kw_only=True)
class Function:
    """`numbered` is the last version number that was ever given: numbers are never reused."""

    name: str
    region: str
    arn: str
    latest: Version
    tags: dict[str, str]
    published: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    urls: dict[str, Url] = field(default_factory=dict)
    event_configs: dict[str, Settings] = field(default_factory=dict)
    numbered: int = 0
    reserved: int | None = None

    def version(self, number: str) -> Version | None:
        return self.latest if number == LATEST else self.published.get(number)

    def qualified(self, qualifier: str) -> str:
        return f"{self.arn}:{qualifier}" if qualifier else self.arn


class Store:
    """All functions of the account, by region and name."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, str], Function] = {}

    def find(self, region: str, name: str) -> Function | None:
        return self.functions.get((region, name))

    def of(self, region: str) -> Iterator[Function]:
        return (each for (where, _), each in sorted(self.functions.items()) if where == region)

    def url(self, identity: str, region: str) -> tuple[Function, Url] | None:
        # Copies: visitors come while the control plane changes things.
        for function in list(self.functions.values()):
            for url in list(function.urls.values()):
                if url.identity == identity and function.region == region:
                    return function, url
        return None
