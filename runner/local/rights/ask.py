"""One thing that a call asks IAM for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner.local.protocol import Incoming


@dataclass(frozen=True, slots=True)
class Ask:
    """`context` has condition keys as AWS writes them; `whole` is the resource whose tags count."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)
    whole: str = ""

    def given(self, tags: Mapping[str, str]) -> Ask:
        """The same of a request with these tags."""
        told = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        return replace(self, context={**self.context, **told})


Asks = Callable[[Incoming, str], Iterator[Ask]]
"""What a call needs; the text is region and account."""


def passing(role: str | None, service: str) -> Iterator[Ask]:
    """To give a service a role. Source: IAM user guide, "Grant a user permissions to pass a role
    to an AWS service"."""
    if role:
        yield Ask("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})


def tags_in(parameters: Mapping[str, Any]) -> dict[str, str]:
    """A request's tags, whatever its service calls them."""
    found: Any = parameters.get("Tags") or parameters.get("tags") or {}
    if isinstance(found, Mapping) and "Items" not in found:
        return {str(key): str(value) for key, value in found.items()}
    items: Iterable[Any] = found.get("Items") or () if isinstance(found, Mapping) else found
    return {
        str(each.get("Key", each.get("key"))): str(each.get("Value", each.get("value", "")))
        for each in items
    }
