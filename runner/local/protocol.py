"""Reads AWS requests and writes AWS answers through moto's engine, which botocore's models drive.

No state. An operation that moto lacks needs nothing here: name, parameters and answer's shape all
come from the service's model.
"""

from __future__ import annotations

import gzip
import re
import threading
import uuid
import zlib
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from runner.local.environ import moto_request
from runner.local.wire import AwsError, By, Call, Parameters, Request, Response, Result

ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"

# Names in the credential scope that differ from boto3's.
# Source: AWS general reference, "Service endpoints and quotas"; botocore's service models.
SIGNED_AS = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "email": "ses",
    "servicequotas": "service-quotas",
}

_SCOPE = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/\d+/(?:(?P<region>[^/]*)/)?(?P<service>[^/]+)/aws4_request"
)

# Operations that AWS takes unsigned. Source: STS API reference, AssumeRoleWithWebIdentity.
_UNSIGNED = re.compile(rb"(?:^|&)Action=(AssumeRoleWithWebIdentity|AssumeRoleWithSAML)(?:&|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the request says of its signer; an empty `access_key` means that it is not signed."""

    service: str
    region: str
    access_key: str


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One control-plane request, with its operation looked up and its parameters parsed once."""

    request: Request
    caller: Caller
    account: str = ACCOUNT
    matched: tuple[OperationModel, dict[str, Any]] | None = field(default=None, repr=False)
    recorded: bool = True  # kept for a replay, if it changes something
    by: By = "client"

    @property
    def service(self) -> str:
        return self.caller.service

    @property
    def operation(self) -> str:
        return str(self.matched[0].name) if self.matched else ""

    @property
    def unsigned(self) -> bool:
        """Whether AWS takes the operation from anybody, as its model says (Cognito's SignUp)."""
        return self.matched is not None and self.matched[0].auth_type == "none"

    @cached_property
    def parameters(self) -> Parameters:
        """The operation's parameters by the model's names; raises AwsError for a broken body."""
        if self.matched is None:
            return {}
        model, labels = self.matched
        request = moto_request(self.request)
        protocol = determine_request_protocol(model.service_model, request.content_type)
        parser = PROTOCOL_PARSERS[protocol](model, map_type=dict)
        try:
            parsed: Parameters = parser.parse(
                {
                    "method": request.method,
                    "values": request.values,
                    "headers": request.headers,
                    "body": request.data,
                    "url_path": request.path,
                    "url_params": labels,
                }
            )
        except (ValueError, KeyError, TypeError) as error:
            raise AwsError("SerializationException", f"The body cannot be read: {error}") from error
        return parsed

    @property
    def call(self) -> Call:
        return Call(
            service=self.service,
            operation=self.operation,
            account=self.account,
            region=self.caller.region,
            access_key=self.caller.access_key,
            headers=dict(self.request.headers),
        )


def caller_of(request: Request) -> Caller:
    """Service, region and key from the credential scope, of a header or of a presigned address."""
    scope = request.header("authorization")
    if not scope and "X-Amz-Credential=" in request.query:
        scope = "Credential=" + parse_qs(request.query)["X-Amz-Credential"][0]
    found = _SCOPE.search(scope)
    if found is None:
        return Caller(service=_unsigned(request), region=DEFAULT_REGION, access_key="")
    region = found["region"] or request.header("x-amz-region-set", "*")
    return Caller(
        service=_service(found["service"], request),
        region=DEFAULT_REGION if region == "*" else region,
        access_key=unquote_plus(found["key"]),
    )


def _service(signed_as: str, request: Request) -> str:
    if signed_as == "apigateway":  # two services under one name
        return "apigatewayv2" if request.path.startswith("/v2/") else "apigateway"
    if signed_as == "dynamodb" and request.header("x-amz-target").startswith("DynamoDBStreams"):
        return "dynamodbstreams"
    if signed_as == "execute-api":
        return "apigatewaymanagementapi"
    return SIGNED_AS.get(signed_as, signed_as)


def _unsigned(request: Request) -> str:
    if _UNSIGNED.search(request.body):
        return "sts"
    target = request.header("x-amz-target")
    if target.startswith("AWSCognitoIdentityProviderService."):
        return "cognito-idp"
    return "" if target or request.path == "/" else "s3"


def incoming(request: Request) -> Incoming:
    """Looks the operation up; an unknown one leaves `operation` empty."""
    caller = caller_of(request)
    if not caller.service:
        return Incoming(request=request, caller=caller)
    request = request if caller.service == "s3" else _unpacked(request)
    try:
        _learn(caller.service)
        matched = get_service_router(caller.service).match(moto_request(request))
    except (NotFound, NotImplementedError, UnknownServiceError):
        matched = None
    return Incoming(request=request, caller=caller, matched=matched)


_learning = threading.Lock()


@cache
def _learn(service: str) -> None:
    """Makes the models of the service's operations, by one thread.

    moto's take the place of botocore's in one cache: a second thread that comes between gets one
    without a route.
    """
    with _learning:
        model = get_service_model(service)
        for name in model.operation_names:
            model.operation_model(name)


def _unpacked(request: Request) -> Request:
    """Clients compress large bodies of some operations (PutMetricData); objects stay as they are.

    Source: Smithy, "requestCompression trait".
    """
    if request.header("content-encoding") != "gzip":
        return request
    try:
        body = gzip.decompress(request.body)
    except (OSError, EOFError, zlib.error):
        return request  # the parser says what it thinks of it
    headers = tuple(
        (name, str(len(body)) if name == "content-length" else value)
        for name, value in request.headers
        if name != "content-encoding"
    )
    return replace(request, headers=headers, body=body)


def answer(incoming: Incoming, result: Result | AwsError) -> Response:
    """The result or error, in the shape of the service's own protocol."""
    model = _model(incoming)
    protocol = determine_request_protocol(
        model.service_model, incoming.request.header("content-type")
    )
    identity = _identity(result)
    serializer = get_serializer_class(str(model.service_model.service_name), protocol)(
        model, context=SerializationContext(identity)
    )
    made = serializer.serialize(result)
    status = int(made["status_code"])
    # The model's own status holds, unless the operation chose one or the model knows none.
    if isinstance(result, AwsError) and result.status != 400:
        status = result.status
    if isinstance(result, dict):
        status = _chosen(model, result, status)
    headers = {name.lower(): str(value) for name, value in made["headers"].items()}
    headers |= {"x-amzn-requestid": identity, "x-amz-request-id": identity}
    return Response(status=status, headers=tuple(headers.items()), body=_bytes(made["body"]))


def _identity(result: Result | AwsError) -> str:
    """The request's id: an operation may have given it to somebody already (Lambda's Invoke)."""
    told = result.get("ResponseMetadata", {}) if isinstance(result, dict) else {}
    return str(told.get("RequestId") or uuid.uuid4())


def _chosen(model: OperationModel, result: Result, status: int) -> int:
    """The status that a member of the result is: moto's serializers do not know the place.

    Source: Lambda API reference, Invoke, "Response Elements", StatusCode.
    """
    members = model.output_shape.members if model.output_shape else {}
    for name, shape in members.items():
        if shape.serialization.get("location") == "statusCode" and name in result:
            return int(result[name])
    return status


def _model(incoming: Incoming) -> OperationModel:
    if incoming.matched:
        return incoming.matched[0]
    try:
        service = get_service_model(incoming.service or "s3")
    except UnknownServiceError:
        service = get_service_model("s3")
    return OperationModel({"name": "Unknown"}, service)


def _bytes(body: Any) -> bytes:
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")
