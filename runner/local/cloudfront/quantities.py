"""CloudFront's lists carry their own length: checks it and brings it into one form. Pure."""

from __future__ import annotations

from typing import Any

from runner.local.cloudfront.pages import api, rule
from runner.local.wire import AwsError

RULES = rule(
    api("CreateDistribution"),
    "Quantity is the number of Items: InconsistentQuantities; an empty list comes back without "
    "Items",
)


def normalised(value: Any) -> Any:
    """A copy in which every list has its Quantity and none is empty."""
    if isinstance(value, list):
        return [normalised(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: normalised(each) for key, each in value.items() if each is not None}
    return _counted(made) if "Quantity" in made else made


def _counted(made: dict[str, Any]) -> dict[str, Any]:
    items = made.pop("Items", None) or []
    if int(made["Quantity"]) != len(items):
        raise AwsError(
            "InconsistentQuantities",
            "The value of Quantity and the size of Items don't match.",
        )
    return {**made, "Items": items} if items else made
