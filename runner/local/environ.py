"""A request as moto and werkzeug read one: a WSGI environment."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote_to_bytes

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.core.request import Request as MotoRequest

from runner.local.wire import Request


def moto_request(request: Request) -> MotoRequest:
    return MotoRequest(environ(request))


def environ(request: Request) -> dict[str, Any]:
    """The WSGI environment of a request, as moto's own server would make it."""
    made: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client,
        "HTTP_HOST": request.host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    made.update(_header_variables(request))
    made["CONTENT_LENGTH"] = str(len(request.body))
    return made


def _header_variables(request: Request) -> dict[str, Any]:
    """S3 tells `x-amz-meta-a_b` from `x-amz-meta-a-b`; WSGI does not: moto wants the spelling."""
    made: dict[str, Any] = {}
    spelling: dict[str, str] = {}
    for name, value in request.headers:
        if name in ("host", "transfer-encoding"):
            continue
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        if "_" in name and name.startswith("x-amz-meta-"):
            spelling[key] = name
        made[key] = value
    made[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = spelling
    return made
