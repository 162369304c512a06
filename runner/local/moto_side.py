"""moto, asked in our process: what it answers, what it lacks, its backends, its time.

moto's state belongs to the process: two clouds at once in one process would share it.
"""

from __future__ import annotations

import datetime
import re
import types
from collections import deque
from collections.abc import Callable
from typing import Any

import moto.core.utils
from moto.backends import get_backend
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.model_instances import model_data
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from runner.local.environ import environ
from runner.local.protocol import ACCOUNT, Incoming
from runner.local.wire import AwsError, Request, Response

# Services without a region keep their state under the partition's name.
_GLOBAL = frozenset({"s3", "iam", "sts", "cloudfront", "route53", "organizations"})

# Services whose every request goes to one of moto's applications.
_ONE_APP = frozenset({"s3", "dynamodb", "iam", "logs", "cloudwatch", "codedeploy"})

# Codes that every service may answer and no service's model lists; for others moto warns.
# Source: "Common errors" of the services' API references; the last three are ours.
_COMMON = (
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException",
    "IncompleteSignature", "InternalFailure", "InvalidClientTokenId",
    "MissingAuthenticationToken", "ServiceUnavailable", "Throttling", "ThrottlingException",
    "UnrecognizedClientException", "NotImplemented", "SerializationException",
    "UnspecifiedErrorCode",
)  # fmt: skip

# Werkzeug's own page for an address that no rule of moto's matches.
_UNROUTED = re.compile(rb"^\s*<!doctype html>", re.IGNORECASE)


class Moto:
    """moto behind one function: a request in, a response out, or NotImplementedError."""

    def __init__(self, now: Callable[[], float]) -> None:
        COMMON_ERROR_CODES.extend(set(_COMMON) - set(COMMON_ERROR_CODES))
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._apps: dict[str, Any] = {}
        _follow(now)

    def backend(self, service: str, region: str) -> Any:
        """moto's own state of a service: `backend("lambda", "eu-west-1")`."""
        return get_backend(service)[ACCOUNT]["aws" if service in _GLOBAL else region]  # type: ignore[call-overload,unused-ignore]  # moto lists its services as literals

    def seed(self, number: int) -> None:
        """The ids that moto picks from here on repeat with the same number."""
        mock_random.seed(number)

    def reset(self) -> None:
        self.raw(Request(method="POST", host="localhost", path="/moto-api/reset"))
        _forget_instances()

    def answer(self, incoming: Incoming) -> Response:
        """moto's answer, or AwsError 501 with the operation's name if it has none."""
        try:
            response = self._run(self._app_of(incoming), incoming.request)
        except NotImplementedError:
            raise missing(incoming) from None
        if response.status in (404, 405) and _UNROUTED.match(response.body):
            raise missing(incoming)
        return response

    def raw(self, request: Request) -> Response:
        """Whatever moto makes of the request: its own addresses too."""
        return self._run(self._dispatcher, request)

    def _app_of(self, incoming: Incoming) -> Any:
        """moto looks through a folder of its own on each request to find out whose it is."""
        if incoming.service not in _ONE_APP:
            return self._dispatcher
        if incoming.service not in self._apps:
            found = self._dispatcher.get_application(environ(incoming.request))
            self._apps[incoming.service] = found
            _forget_instances()
        return self._apps[incoming.service]

    def _run(self, app: Any, request: Request) -> Response:
        started: list[tuple[int, tuple[tuple[str, str], ...]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _failure: object = None
        ) -> None:
            lowered = tuple((name.lower(), value) for name, value in headers)
            started.append((int(status.partition(" ")[0]), lowered))

        chunks = app(environ(request), start_response)
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        status, headers = started[-1]
        return Response(status=status, headers=headers, body=body)


def missing(incoming: Incoming) -> AwsError:
    """501: botocore does not retry it, and nobody takes it for "does not exist"."""
    name = f"{incoming.service}:{incoming.operation or incoming.request.path}"
    return AwsError(
        "NotImplemented",
        f"The embedded cloud does not have {name}. docs/fidelity.md lists what it has.",
        status=501,
    )


def _forget_instances() -> None:
    """moto keeps all that it ever made, for a page of its server: a table's every state before a
    transaction too. S3's own reset closes files by that list, and keeps it.
    """
    for service, models in model_data.items():
        if service != "s3":
            for model in models.values():
                model.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]  # moto lists its models as objects


def _follow(now: Callable[[], float]) -> None:
    """Makes the cloud's clock moto's: its `utcnow` reads the time through its module's `datetime`.

    moto has no setting for this, and its many importers hold `utcnow` itself.
    """

    class CloudTime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]  # plain datetimes, so that they pickle and compare as moto expects
            return datetime.datetime.fromtimestamp(now(), tz)

    shim = types.SimpleNamespace(**{name: getattr(datetime, name) for name in datetime.__all__})
    shim.datetime = CloudTime
    vars(moto.core.utils)["datetime"] = shim
