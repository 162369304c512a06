"""Signs one request for AWS: Signature Version 4, for paths and queries that need no encoding.

Pure. Source: IAM user guide, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "lambda"


@dataclass(frozen=True)
class Keys:
    """A role's credentials, as Lambda gives them to its function, and where they are used."""

    access: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    region: str


def signed(
    keys: Keys,
    *,
    host: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    at: float,
) -> dict[str, str]:
    """All headers of the POST, signature included; `at` is in epoch seconds."""
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {"host": host, "x-amz-date": moment, **headers}
    if keys.token:
        sent["x-amz-security-token"] = keys.token
    named = ";".join(sorted(sent))
    lines = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
    request = "\n".join(("POST", path, query, lines, named, hashlib.sha256(body).hexdigest()))
    scope = f"{moment[:8]}/{keys.region}/{_SERVICE}/aws4_request"
    text = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(_key(keys, moment[:8]), text.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={keys.access}/{scope}"
    authorization = f"{_ALGORITHM} {credential}, SignedHeaders={named}, Signature={signature}"
    return {**sent, "authorization": authorization}


def _key(keys: Keys, day: str) -> bytes:
    key = f"AWS4{keys.secret}".encode()
    for part in (day, keys.region, _SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
