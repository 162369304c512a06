"""Addresses of AWS's that would not lead back to the embedded cloud, corrected. Pure."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit, urlunsplit


def stay_on_loopback(request: Any, **_: object) -> None:
    """Takes the account's number off a loopback host, where no name server knows it.

    The KeyValueStore's endpoint rules put it before any host, `127.0.0.1` included.
    Source: botocore's endpoint rule set of cloudfront-keyvaluestore, "{accountId}.{authority}".
    """
    parts = urlsplit(request.url)
    _, _, host = parts.netloc.partition(".")
    if _is_loopback(urlsplit(f"//{host}").hostname or ""):
        request.url = urlunsplit(parts._replace(netloc=host))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
