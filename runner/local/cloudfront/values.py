"""The contents of key value stores, and what an edge sees of them while a change spreads.

A store's values are replaced as a whole, so one function call sees one snapshot.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.settings import Propagation

RULES = rule(
    guide("kvs-with-functions"),
    "the store is eventually consistent: at will, edges see changes late, out of order, and "
    "sometimes nothing under a key that changes (settings: `propagation`)",
    "one call of a function sees one snapshot of the store",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last change of a key: when, and what stood there before (None: nothing)."""

    at: float
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A key value store: the control plane's record of it and the data plane's contents."""

    id: str  # its name; `uuid` is what AWS calls its id
    uuid: str
    arn: str
    comment: str
    etag: str  # the control plane's; not interchangeable with `values_etag`
    past: frozenset[str] = frozenset()
    created: float
    modified: float
    ready_at: float
    values: Mapping[str, str] = field(default_factory=dict)
    values_etag: str = ""
    values_past: frozenset[str] = frozenset()
    values_modified: float = 0.0
    changes: Mapping[str, Change] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all keys and values."""
        return sum(len(k.encode()) + len(v.encode()) for k, v in self.values.items())


class Snapshot(Mapping[str, str]):
    """What one function call at one edge sees of a store."""

    def __init__(self, store: Store, *, propagation: Propagation, now: float, coin: random.Random):
        self._values = store.values
        self._seen: dict[str, str | None] = {}
        since = now - propagation.seconds
        for key, change in store.changes.items():
            if change.at > since:
                self._seen[key] = _look(store, key, propagation=propagation, coin=coin)

    def __getitem__(self, key: str) -> str:
        value = self._seen[key] if key in self._seen else self._values.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self):  # type: ignore[no-untyped-def]  # Mapping's own signature
        names = {*self._values, *self._seen}
        return (name for name in sorted(names) if self._present(name))

    def _present(self, name: str) -> bool:
        return self._seen[name] is not None if name in self._seen else True

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _look(store: Store, key: str, *, propagation: Propagation, coin: random.Random) -> str | None:
    drawn = coin.random()
    if drawn < propagation.missing:
        return None
    if drawn < propagation.missing + propagation.old:
        return store.changes[key].before
    return store.values.get(key)


class Edges:
    """All edge locations together: each look is at another one of them."""

    def __init__(self) -> None:
        self._coin = random.Random(0)  # noqa: S311 -- repeats in tests; nothing here is a secret
        self._seed = 0

    def snapshot(self, store: Store, propagation: Propagation, *, now: float) -> Mapping[str, str]:
        if propagation.seconds <= 0:
            return store.values
        if propagation.seed != self._seed:
            self._seed = propagation.seed
            self._coin = random.Random(propagation.seed)  # noqa: S311 -- as above
        return Snapshot(store, propagation=propagation, now=now, coin=self._coin)
