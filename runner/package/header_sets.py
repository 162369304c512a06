"""Header sets: response headers that files share, in pieces that a KeyValueStore takes. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from runner.errors import site_error
from runner.model import HeaderSet

Headers = tuple[tuple[str, str], ...]

# A value of a KeyValueStore has at most 1 KB.
# Source: CloudFront developer guide, "Quotas", Quotas on CloudFront Functions.
PART = 1024
# CloudFront adds at most 10,240 characters of headers to a response, and each part costs a read.
# Source: CloudFront developer guide, "Quotas", Quotas on headers.
PARTS = 10


def header_set(headers: Headers) -> HeaderSet:
    """The set, named by its contents; `headers` are in the order in which they are sent.

    Raises JAM-HEADERS-SIZE when they are more than CloudFront sends.
    """
    text = json.dumps([list(pair) for pair in headers], separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
    parts = tuple(text[start : start + PART] for start in range(0, len(text), PART))
    if len(parts) > PARTS:
        raise site_error(
            "JAM-HEADERS-SIZE",
            f"A file's headers are {len(text):,} bytes; CloudFront sends {PART * PARTS:,} at most.",
            hint=f"shorten the largest in _headers: {_largest(headers)}",
        )
    return HeaderSet(ref=f"{digest}.{len(parts)}", headers=headers, parts=parts)


def header_sets(all_headers: Iterable[Headers]) -> dict[Headers, HeaderSet]:
    """One set for each distinct list of headers that is not empty."""
    return {headers: header_set(headers) for headers in sorted(set(all_headers)) if headers}


def _largest(headers: Headers) -> str:
    name, value = max(headers, key=lambda pair: len(pair[1]))
    return f"{name} ({len(value):,} bytes)"
