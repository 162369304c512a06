"""An HTTP request and its response as values, whoever serves them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An AWS service that signs a data-plane request for itself (CloudFront's OAC)."""

    service: str  # "cloudfront.amazonaws.com"
    source_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A data-plane request. `path` and `query` are raw, as sent; header names are lower case."""

    method: str
    host: str  # without a port
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = "127.0.0.1"
    scheme: str = "https"
    principal: Principal | None = None

    def header(self, name: str, default: str = "") -> str:
        """The header's values, joined with a comma."""
        found = [value for key, value in self.headers if key == name]
        return ", ".join(found) if found else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A data-plane response; header names are lower case, repeated ones stand apart.

    With `parts` the body is still being made: it is what they yield, and `body` is empty. An
    exception of theirs cuts it off.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    parts: Iterator[bytes] | None = field(default=None, compare=False)

    def header(self, name: str, default: str = "") -> str:
        found = [value for key, value in self.headers if key == name]
        return ", ".join(found) if found else default
