"""Everything that CloudFront's control plane keeps for one account; what all operations share."""

from __future__ import annotations

from dataclasses import dataclass

from runner.local.cloudfront.entities import Draws, Entity, Now, Shelf, etag
from runner.local.cloudfront.settings import Settings
from runner.local.cloudfront.values import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A function's code and configuration in one stage."""

    config: dict[str, object]
    code: bytes
    etag: str
    modified: float

    @property
    def store(self) -> str:
        """ARN of its key value store, or empty."""
        associated = self.config.get("KeyValueStoreAssociations") or {}
        items = associated.get("Items") or [] if isinstance(associated, dict) else []
        return str(items[0]["KeyValueStoreARN"]) if items else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A CloudFront Function: what is being developed and what is published."""

    id: str  # its name
    arn: str
    created: float
    development: Stage
    live: Stage | None = None
    past: frozenset[str] = frozenset()

    @property
    def etag(self) -> str:
        return self.development.etag


class Account:
    """The shelves. `version` grows with every write, so that the data plane knows when to look."""

    def __init__(self, *, number: str, clock: Now, ids: Draws, settings: Settings) -> None:
        self.number = number
        self.clock = clock
        self.ids = ids
        self.settings = settings
        self.version = 0
        self.reset()

    def reset(self) -> None:
        self.distributions: Shelf[Entity] = self._shelf("NoSuchDistribution", "distribution")
        self.controls: Shelf[Entity] = self._shelf(
            "NoSuchOriginAccessControl", "origin access control"
        )
        self.cache_policies: Shelf[Entity] = self._shelf("NoSuchCachePolicy", "cache policy")
        self.request_policies: Shelf[Entity] = self._shelf(
            "NoSuchOriginRequestPolicy", "origin request policy"
        )
        self.functions: Shelf[Function] = Shelf(
            missing="NoSuchFunctionExists", what="function", changed=self._changed
        )
        # Written often, and looked up by each function call: no reason to read distributions anew.
        self.stores: Shelf[Store] = Shelf(missing="EntityNotFound", what="key value store")
        self.invalidations: dict[str, tuple[Entity, ...]] = {}  # by distribution
        self.tags: dict[str, dict[str, str]] = {}  # by ARN
        self._changed()

    def _shelf(self, missing: str, what: str) -> Shelf[Entity]:
        return Shelf(missing=missing, what=what, changed=self._changed)

    def _changed(self) -> None:
        self.version += 1

    def now(self) -> float:
        return self.clock.now()

    def arn(self, resource: str) -> str:
        return f"arn:aws:cloudfront::{self.number}:{resource}"

    def etag(self) -> str:
        return etag(self.ids)

    def entity(self, *, identity: str, kind: str, body: object) -> Entity:
        """A new thing with its first ETag."""
        now = self.now()
        arn = self.arn(f"{kind}/{identity}")
        return Entity(id=identity, arn=arn, body=body, etag=self.etag(), created=now, modified=now)

    def store_by_arn(self, arn: str) -> Store | None:
        return next((store for store in self.stores.items.values() if store.arn == arn), None)

    def configs(self) -> tuple[dict[str, object], ...]:
        """The configurations of all distributions."""
        return tuple(entity.body.config for entity in self.distributions.items.values())
