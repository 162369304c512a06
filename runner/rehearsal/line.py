"""Requests of many visitors to one host, each thread on a line of its own.

The host is AWS's, or one of an embedded cloud.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

_PATIENCE = 40.0  # seconds: API Gateway gives a function 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; header names are lower case, `cookies` are those that it sets."""

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cookies: tuple[str, ...] = ()
    body: bytes = b""


class Send(Protocol):
    """GETs a path of the visitors' host. Raises OSError where nobody answers."""

    def __call__(self, path: str, headers: Mapping[str, str], /) -> Reply: ...


class Line:
    """`endpoint` is the embedded cloud's (`http://127.0.0.1:4566`), or empty: then it is the host
    itself that answers (`d1.cloudfront.net`), by HTTPS.
    """

    def __init__(self, endpoint: str, host: str) -> None:
        self._near = urlsplit(endpoint).netloc
        self._host = host
        self._kept = threading.local()

    def __call__(self, path: str, headers: Mapping[str, str], /) -> Reply:
        try:
            return self._asked(path, headers)
        except (http.client.HTTPException, ConnectionError):
            self._drop()  # a line that was idle for long is closed by the other side
        try:
            return self._asked(path, headers)
        except http.client.HTTPException as error:
            self._drop()
            raise OSError(f"{self._host}{path}: {error}") from error

    def _asked(self, path: str, headers: Mapping[str, str]) -> Reply:
        kept = self._kept
        line: http.client.HTTPConnection | None = getattr(kept, "line", None)
        if line is None:
            line = kept.line = self._opened()
        line.request("GET", path, headers={"host": self._host, **headers})
        answer = line.getresponse()
        body = answer.read()
        return Reply(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            cookies=tuple(answer.headers.get_all("set-cookie") or ()),
            body=body,
        )

    def _opened(self) -> http.client.HTTPConnection:
        if self._near:
            return http.client.HTTPConnection(self._near, timeout=_PATIENCE)
        return http.client.HTTPSConnection(self._host, timeout=_PATIENCE)

    def _drop(self) -> None:
        line: http.client.HTTPConnection | None = getattr(self._kept, "line", None)
        if line is not None:
            line.close()
        self._kept.line = None
