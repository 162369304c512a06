"""What a service sends to a queue, a topic, a function or a bus, and who sends it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Attributes = Mapping[str, tuple[str, str]]
"""A message's attributes: type (`String`, `Number`) and value by name."""


class UndeliveredError(Exception):
    """The target did not take it: `code` and `message` as AWS tells them in dead letters."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Either `role`, or `service` on behalf of the resource `source`; both ARNs but the service."""

    role: str = ""
    service: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent; a queue's group and attributes where it has them, `event` for a bus."""

    body: str
    attributes: Attributes = field(default_factory=dict)
    group: str = ""
    event: Mapping[str, Any] | None = None


class Outlet(Protocol):
    """Whoever delivers letters."""

    def send(self, arn: str, letter: Letter, *, sender: Sender) -> None:
        """Raises UndeliveredError."""

    def exists(self, arn: str) -> bool: ...

    def may(self, arn: str, action: str, *, sender: Sender) -> bool: ...
