"""A true answer with some of its values changed: what AWS says of a thing that is not well.

Pure. JSON members by dotted path, added where missing; XML elements by name, where there are any.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from runner.local.wire import Response


def changed(response: Response, values: Mapping[str, Any]) -> Response:
    """The answer with `values`; a refusal stays as it is."""
    if response.status >= 400 or not response.body:
        return response
    is_xml = response.body.lstrip().startswith(b"<")
    body = _xml(response.body, values) if is_xml else _json(response.body, values)
    headers = tuple(
        (name, str(len(body)) if name.lower() == "content-length" else value)
        for name, value in response.headers
    )
    return dataclasses.replace(response, headers=headers, body=body)


def _json(body: bytes, values: Mapping[str, Any]) -> bytes:
    document = json.loads(body)
    for path, value in values.items():
        *parents, last = path.split(".")
        found = document
        for parent in parents:
            found = found.setdefault(parent, {})
        found[last] = value
    return json.dumps(document).encode()


def _xml(body: bytes, values: Mapping[str, Any]) -> bytes:
    text = body.decode()
    for name, value in values.items():
        told = f"<{name}>{value}</{name}>"
        text = re.sub(f"<{name}>[^<]*</{name}>", told.replace("\\", r"\\"), text)
    return text.encode()
