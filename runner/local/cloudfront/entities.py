"""What the control plane keeps: each thing verbatim, with the ETag that changes on every write.

Things are replaced as a whole and never changed in place, so that the data plane reads them
without a lock.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from runner.local.cloudfront.pages import api, rule
from runner.local.wire import AwsError, Result

RULES = rule(
    api("UpdateDistribution"),
    "a write without the current ETag in If-Match is refused: PreconditionFailed for an older one, "
    "InvalidIfMatchVersion for none or an unknown one",
)

DEFAULT_PAGE = 100  # "MaxItems" of every List operation when it is left out


class Draws(Protocol):
    """Where ids come from."""

    def upper(self, length: int) -> str: ...

    def uuid(self) -> str: ...


class Now(Protocol):
    """The cloud's clock, as far as the control plane needs it."""

    def now(self) -> float: ...


def etag(ids: Draws) -> str:
    return "E" + ids.upper(13)


def moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One thing as it was written; `body` must not be changed, only replaced."""

    id: str
    arn: str
    body: Any
    etag: str
    created: float
    modified: float
    past: frozenset[str] = frozenset()  # its earlier ETags

    def rewritten(self, body: Any, *, etag: str, now: float) -> Entity:
        return replace(self, body=body, etag=etag, modified=now, past=self.past | {self.etag})

    def copy(self) -> Any:
        return copy.deepcopy(self.body)


class Kept(Protocol):
    """What a shelf can hold."""

    @property
    def id(self) -> str: ...

    @property
    def etag(self) -> str: ...

    @property
    def past(self) -> frozenset[str]: ...


K = TypeVar("K", bound=Kept)


@dataclass(kw_only=True)
class Shelf(Generic[K]):
    """Things of one kind by id. Writers hold the control plane's lock; readers need none."""

    missing: str  # the error code for an id that is not there
    what: str
    changed: Callable[[], None] = lambda: None
    items: dict[str, K] = field(default_factory=dict)

    def find(self, identity: str) -> K | None:
        return self.items.get(identity)

    def get(self, identity: str) -> K:
        found = self.items.get(identity)
        if found is None:
            raise AwsError(self.missing, f"The specified {self.what} does not exist.")
        return found

    def matched(self, identity: str, if_match: str | None) -> K:
        """The thing, if `if_match` is its current ETag."""
        found = self.get(identity)
        if if_match in found.past:
            raise AwsError(
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more "
                "request-header fields.",
            )
        if if_match != found.etag:
            raise AwsError(
                "InvalidIfMatchVersion",
                "The If-Match version is missing or not valid for the resource.",
            )
        return found

    def put(self, thing: K) -> K:
        self.items = {**self.items, thing.id: thing}
        self.changed()
        return thing

    def remove(self, identity: str) -> None:
        self.items = {key: value for key, value in self.items.items() if key != identity}
        self.changed()


def page(things: Sequence[Any], parameters: dict[str, Any], *, key: Callable[[Any], str]) -> Result:
    """One page of a List operation: Items, Quantity, MaxItems and, if there is more, NextMarker."""
    size = int(parameters.get("MaxItems") or DEFAULT_PAGE)
    marker = parameters.get("Marker") or ""
    names = [key(thing) for thing in things]
    start = names.index(marker) + 1 if marker in names else 0
    chosen = list(things[start : start + size])
    made: Result = {"MaxItems": size, "Quantity": len(chosen)}
    if chosen:
        made["Items"] = chosen
    if start + size < len(things):
        made["NextMarker"] = names[start + size - 1]
    return made


def truncated(made: Result, parameters: dict[str, Any]) -> Result:
    """Adds what the older lists carry: Marker and IsTruncated."""
    return made | {"Marker": parameters.get("Marker") or "", "IsTruncated": "NextMarker" in made}
