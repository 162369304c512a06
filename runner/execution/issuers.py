"""Fetches what an issuer publishes, over https; the embedded cloud's own through its port.

Source of the limits: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
"""

from __future__ import annotations

from urllib.parse import urlsplit

SECONDS = 1.5  # for the discovery document, and for the keys
LARGEST = 150_000  # bytes of the keys


def over_https(address: str) -> bytes:
    """The body under an https address. Raises OSError."""
    return _got(address, host="")


def through(endpoint: str, address: str) -> bytes:
    """The body under the address as the embedded cloud at `endpoint` has it. Raises OSError."""
    parts = urlsplit(address)
    return _got(f"{endpoint.rstrip('/')}{parts.path}", host=parts.netloc)


def _got(address: str, *, host: str) -> bytes:
    import urllib3

    try:
        found = urllib3.request(
            "GET",
            address,
            headers={"host": host} if host else {},
            timeout=SECONDS,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        body = found.read(LARGEST + 1)
        found.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from error
    if found.status != 200:
        raise OSError(f"status {found.status}")
    if len(body) > LARGEST:
        raise OSError(f"more than {LARGEST:,} bytes")
    return body
