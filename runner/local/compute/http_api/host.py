"""The hosts `<api>.execute-api.<region>.amazonaws.com`: stage, route, function, answer.

Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs",
"Troubleshooting issues with HTTP API Lambda integrations", "Quotas for configuring and running an
HTTP API".
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from runner.execution import payload
from runner.execution.matching import Match, match
from runner.local.compute.desk import Desk
from runner.local.compute.http_api import cors
from runner.local.compute.http_api.mapping import Source, mapped
from runner.local.compute.http_api.refusals import ApiDesk
from runner.local.compute.http_api.routes import function_arn
from runner.local.compute.http_api.store import DEFAULT_STAGE, Api, Settings, Stage
from runner.local.compute.invoking import Invoker
from runner.local.compute.permissions import permits
from runner.local.compute.reference import function_of, parse
from runner.local.compute.store import Function
from runner.local.quotas import API_PAYLOAD, PAYLOAD
from runner.local.wire import AwsError, Request, Response

_SUFFIX = ".amazonaws.com"
_SERVICE = "apigateway.amazonaws.com"
_DEFAULT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A request that found its stage; `path` is raw and without the stage."""

    api: Api
    stage: Stage
    path: str
    request: Request
    request_id: str


class HttpApis:
    """`functions` finds and judges Lambda functions; `invoker` runs them."""

    def __init__(self, desk: ApiDesk, functions: Desk, invoker: Invoker) -> None:
        self._desk = desk
        self._functions = functions
        self._invoker = invoker

    def owns(self, host: str) -> bool:
        return self._find(host) is not None

    def names(self) -> Iterable[str]:
        return [api.host for api in list(self._desk.apis.apis.values())]

    def handle(self, request: Request) -> Response:
        api = self._find(request.host)
        if api is None or api.settings.get("DisableExecuteApiEndpoint"):
            return payload.message(404, "Not Found")
        if len(request.body) > API_PAYLOAD.limit:
            return payload.message(413, "Request Entity Too Large")
        answer = cors.preflight(api, request) or self._staged(api, request)
        return cors.with_headers(api, request, answer)

    def _find(self, host: str) -> Api | None:
        if not host.endswith(_SUFFIX) or ".execute-api." not in host:
            return None
        api = self._desk.apis.apis.get(host.partition(".")[0])
        return api if api and api.host == host else None

    def _staged(self, api: Api, request: Request) -> Response:
        stage, path = _stage(api, request.path)
        # As they look at AWS: 15 characters and "=".
        identity = base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()
        found = api.deployments.get(stage.deployment) if stage else None
        if stage is None or found is None:
            return _told(payload.message(404, "Not Found"), identity)
        chosen = match((r["RouteKey"] for r, _ in found.routes), request.method, path)
        if chosen is None:
            return _told(payload.message(404, "Not Found"), identity)
        visit = _Visit(api=api, stage=stage, path=path, request=request, request_id=identity)
        return _told(self._integrated(visit, chosen, found.routes[chosen.index][1]), identity)

    def _integrated(self, visit: _Visit, chosen: Match, integration: Settings) -> Response:
        variables: dict[str, str] = visit.stage.settings.get("StageVariables") or {}
        arn = function_arn(integration, variables)
        try:
            wanted = parse(arn, region=visit.api.region)
            function = function_of(self._functions.store, wanted, account=self._desk.account)
        except AwsError:
            return payload.message(500, "Internal Server Error")
        if not self._may(visit, chosen, integration, function, wanted.qualifier):
            return payload.message(500, "Internal Server Error")
        asked, request = self._asked(visit, chosen, integration, variables)
        event = json.dumps(payload.event(request, asked), separators=(",", ":")).encode()
        if len(event) > PAYLOAD.limit:
            return payload.message(413, "Request Entity Too Large")
        seconds = integration["TimeoutInMillis"] / 1000
        return self._run(function, wanted.qualifier, event, trace=asked.trace, seconds=seconds)

    def _may(
        self,
        visit: _Visit,
        chosen: Match,
        integration: Settings,
        function: Function,
        qualifier: str,
    ) -> bool:
        """Through the integration's role, else by the function's own policy."""
        role = integration.get("CredentialsArn")
        roles = self._functions.roles
        if role:
            target = function.qualified(qualifier)
            allowed = roles.allows(role, "lambda:InvokeFunction", target)
            return allowed and roles.assumable(role, _SERVICE)
        api = visit.api
        path = chosen.key.partition(" ")[2]
        tail = "$default" if chosen.key == "$default" else f"{visit.request.method}{path}"
        arn = (
            f"arn:aws:execute-api:{api.region}:{self._desk.account}:{api.identity}/"
            f"{visit.stage.name}/{tail}"
        )
        context = {"AWS:SourceArn": arn, "AWS:SourceAccount": self._desk.account}
        return permits(
            function,
            qualifier,
            principal=_SERVICE,
            action="lambda:InvokeFunction",
            context=context,
        )

    def _asked(
        self, visit: _Visit, chosen: Match, integration: Settings, variables: dict[str, str]
    ) -> tuple[payload.Asked, Request]:
        now = self._desk.clock.now()
        stage, request = visit.stage.name, visit.request
        whole = unquote(request.path)
        source = Source(
            path=unquote(visit.path),
            request=request,
            path_parameters=chosen.parameters,
            stage_variables=variables,
            context={"stage": stage, "requestId": visit.request_id, "apiId": visit.api.identity},
        )
        changed, path = mapped(integration.get("RequestParameters") or {}, source, whole)
        asked = payload.Asked(
            api=visit.api.identity,
            account=self._desk.account,
            stage=stage,
            route=chosen.key,
            path=path,
            context_path=whole,
            request_id=visit.request_id,
            at=now,
            trace=f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}",
            path_parameters=chosen.parameters,
            stage_variables=variables,
        )
        return asked, changed

    def _run(
        self, function: Function, qualifier: str, event: bytes, *, trace: str, seconds: float
    ) -> Response:
        """The function goes on when API Gateway has stopped waiting for it."""
        answers: list[Response] = []

        def run() -> None:
            answers.append(self._outcome(function, qualifier, event, trace))

        waiting = threading.Thread(target=run, daemon=True)
        waiting.start()
        waiting.join(seconds)
        return answers[0] if answers else payload.message(503, "Service Unavailable")

    def _outcome(self, function: Function, qualifier: str, event: bytes, trace: str) -> Response:
        try:
            outcome = self._invoker.run(function, qualifier, event, trace_id=trace)
            if outcome.error:
                return payload.message(500, "Internal Server Error")
            return payload.response(outcome.payload, default_type=_DEFAULT_TYPE)
        except (AwsError, payload.BadResultError):
            return payload.message(500, "Internal Server Error")


def _stage(api: Api, path: str) -> tuple[Stage | None, str]:
    """The stage that the first segment names, else `$default`; and the path behind it."""
    first, _, rest = path.removeprefix("/").partition("/")
    named = api.stages.get(first)
    if named and first != DEFAULT_STAGE:
        return named, f"/{rest}"
    return api.stages.get(DEFAULT_STAGE), path


def _told(response: Response, identity: str) -> Response:
    headers = (*response.headers, ("apigw-requestid", identity))
    return Response(status=response.status, headers=headers, body=response.body)
