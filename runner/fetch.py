"""Fetches from a host as a visitor would; never follows a redirect, never retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

from runner.errors import busy_error

TIMEOUT = 35.0  # seconds: API Gateway gives a function 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""


class Fetch(Protocol):
    """GETs a path (with its query) of one host."""

    def __call__(self, path: str, headers: Mapping[str, str], /) -> Answer: ...


def loopback(endpoint: str) -> str:
    """`endpoint` if that is an embedded cloud's, else nothing: it answers for all hosts."""
    return endpoint if urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1") else ""


def fetch_from(base: str, *, connect_to: str = "", whole: bool = True) -> Fetch:
    """A `Fetch` below `base` (`https://d1.cloudfront.net`, `https://api…/stage`).

    `connect_to` is the address that really answers (`http://127.0.0.1:4566`), with the host of
    `base` in the Host header: how the embedded cloud's distributions are reached. Unless `whole`, a
    body of unknown length is left unread: a stream may never end.
    """
    import urllib3

    pool = urllib3.PoolManager(timeout=TIMEOUT, retries=False, maxsize=16)
    url = urllib3.util.parse_url(base)
    prefix = (url.path or "").rstrip("/")
    root = connect_to.rstrip("/") or f"{url.scheme}://{url.netloc}"

    def fetch(path: str, headers: Mapping[str, str], /) -> Answer:
        sent = {"host": str(url.netloc), "accept-encoding": "identity", **headers}
        try:
            found = pool.request(
                "GET", root + prefix + path, headers=sent, redirect=False, preload_content=whole
            )
            body = found.data if whole or "content-length" in found.headers else b""
        except urllib3.exceptions.HTTPError as error:
            raise busy_error(
                "JAM-UNREACHABLE",
                f"{base} cannot be reached: {error}",
                hint="Check the network; a second run continues where this one stopped.",
            ) from error
        named = {name.lower(): value for name, value in found.headers.items()}
        if not whole:
            found.close()
        return Answer(status=found.status, headers=named, body=body)

    return fetch
