"""boto3 without sockets: what a client would send is handed to the cloud in this process.

All above the connection is botocore's own: signing, parsing, retries. Its pauses take no time.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.endpoint
import botocore.session
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError
from botocore.loaders import Loader

from runner.aws.session import Aws
from runner.local.cloud import Cloud
from runner.local.faults import ConnectionLost
from runner.local.wire import Request, Response

TEST = ("test", "test", None)  # an administrator's key, its secret, and no token


def session(cloud: Cloud, credentials: tuple[str, str, str | None] = TEST) -> boto3.Session:
    """For one account object: hooks of one run are not those of another."""
    inner = botocore.session.get_session()
    inner.register_component("data_loader", _models())
    made = boto3.Session(
        region_name="eu-central-1",
        aws_access_key_id=credentials[0],
        aws_secret_access_key=credentials[1],
        aws_session_token=credentials[2],
        botocore_session=inner,
    )
    made.events.register_last("before-send", _Line(cloud).answer)
    vars(botocore.endpoint)["time"] = types.SimpleNamespace(sleep=lambda _seconds: None)
    return made


def account(
    cloud: Cloud,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    chance: Callable[[], float] = lambda: 0.5,
) -> Aws:
    """As `runner.aws.session.connect` gives it, for a cloud in this process."""
    return Aws(session(cloud), cloud.endpoint, clock=clock, sleep=sleep, chance=chance)


@cache
def _models() -> Loader:
    """AWS's models, parsed once: that is most of what a client costs."""
    return botocore.session.get_session().get_component("data_loader")


class _Line:
    """One call at a time and thread, as over a connection of its own."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def answer(self, request: Any, **_: object) -> AWSResponse:
        try:
            found = self._cloud.handle(_request(request))
        except ConnectionLost as error:
            raise ConnectionClosedError(endpoint_url=request.url, request=request) from error
        return _response(request, found)


def _request(sent: Any) -> Request:
    parts = urlsplit(sent.url)
    headers = tuple((name.lower(), _text(value)) for name, value in sent.headers.items())
    body = sent.body
    if hasattr(body, "read"):
        body = body.read()
    return Request(
        method=sent.method,
        host=parts.hostname or "",
        path=parts.path or "/",
        query=parts.query,
        headers=(("host", parts.netloc), *(each for each in headers if each[0] != "host")),
        body=body.encode() if isinstance(body, str) else body or b"",
    )


def _response(request: Any, found: Response) -> AWSResponse:
    body = b"".join(found.parts) if found.parts is not None else found.body
    bare = request.method == "HEAD" or found.status in (204, 304)
    headers = HeadersDict({"content-length": str(len(body))} | dict(found.headers))
    raw = _Raw(b"" if bare else body)
    return AWSResponse(request.url, found.status, headers, raw)


class _Raw(BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: object) -> Any:
        yield self.read()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
