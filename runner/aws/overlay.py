"""What AWS has, with what we want laid over it: what is not ours in it stays."""

from __future__ import annotations

from typing import Any


def overlay(actual: Any, wanted: Any) -> Any:
    """`actual` with everything that `wanted` says: what goes into an update.

    AWS fills in what we leave out, and a person may add an alias or a firewall: both stay. Lists
    are replaced; an item with the id of an old one keeps what the old one has beyond ours.
    """
    if isinstance(wanted, dict) and isinstance(actual, dict):
        kept = {key: value for key, value in actual.items() if key not in wanted}
        return kept | {key: overlay(actual.get(key), value) for key, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(actual, list):
        return _overlay_items(actual, wanted)
    return wanted


# What identifies an item of a list; in the first two lists the order counts as well.
_ORDERED = ("PathPattern", "OriginId")
_UNORDERED = ("Id", "ErrorCode", "EventType", "HeaderName")


def _overlay_items(actual: list[Any], wanted: list[Any]) -> list[Any]:
    before = {_identity(item): item for item in actual}
    after = {_identity(item): overlay(before.get(_identity(item)), item) for item in wanted}
    if any(isinstance(item, dict) and key in item for item in wanted for key in _ORDERED):
        return list(after.values())
    kept = [key for key in before if key in after]  # AWS's order is not ours to correct
    return [after[key] for key in dict.fromkeys([*kept, *after])]


def _identity(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    keys = (*_ORDERED, *_UNORDERED)
    return next((str(item[key]) for key in keys if key in item), str(item))
