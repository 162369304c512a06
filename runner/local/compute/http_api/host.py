"""The hosts `<api>.execute-api.<region>.amazonaws.com`: stage, route, who may, answer.

Sources: API Gateway developer guide, "Quotas for configuring and running an HTTP API", "Control
access to HTTP APIs with JWT authorizers in API Gateway", "Throttle requests to your HTTP APIs for
better throughput in API Gateway"; authorizers by a Lambda function are deciding.py's.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterable
from typing import assert_never

from runner.execution import payload
from runner.execution.matching import match
from runner.execution.tokens import Admitted, Refused, Wanted, authorizer, refusal, text_of
from runner.local.cloudwatch.traffic import ApiRequest
from runner.local.compute.desk import Desk
from runner.local.compute.http_api import cors
from runner.local.compute.http_api.access_log import request_context, response_context, write
from runner.local.compute.http_api.deciding import Deciders, of_request
from runner.local.compute.http_api.integrating import Integrations
from runner.local.compute.http_api.refusals import ApiDesk
from runner.local.compute.http_api.store import DEFAULT_STAGE, Api, Settings, Stage
from runner.local.compute.http_api.throttling import Buckets, limits_of
from runner.local.compute.http_api.visit import NOT_FOUND, Judged, Passed, Visit
from runner.local.compute.invoking import Invoker
from runner.local.quotas import API_PAYLOAD
from runner.local.wire import Request, Response

_SUFFIX = ".amazonaws.com"


class HttpApis:
    """`functions` finds and judges Lambda functions; `invoker` runs them; `counted` is told of
    every request to a stage.
    """

    def __init__(
        self,
        desk: ApiDesk,
        functions: Desk,
        invoker: Invoker,
        *,
        counted: Callable[[float, ApiRequest], None] = lambda *_told: None,
    ) -> None:
        self._desk = desk
        self._counted = counted
        self._integrations = Integrations(functions, invoker, now=desk.clock.now)
        self._deciders = Deciders(functions, invoker, now=desk.clock.now)
        self._buckets = Buckets(desk.clock.now)

    def owns(self, host: str) -> bool:
        return self._find(host) is not None

    def names(self) -> Iterable[str]:
        return [api.host for api in list(self._desk.apis.apis.values())]

    def handle(self, request: Request) -> Response:
        api = self._find(request.host)
        if api is None or api.settings.get("DisableExecuteApiEndpoint"):
            return NOT_FOUND
        # As they look at AWS: 15 characters and "=".
        identity = base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()
        visit = _visit(api, request, identity)
        if visit is None:
            return _told(cors.preflight(api, request) or NOT_FOUND, identity)
        at, begun = self._desk.clock.now(), time.monotonic()
        answer = self._answer(visit)
        visit.told.update(
            request_context(api, request, account=self._desk.account, at=at),
            requestId=identity,
            extendedRequestId=identity,
            routeKey=visit.chosen.key if visit.chosen else "",
            stage=visit.stage.name,
        )
        elapsed = int((time.monotonic() - begun) * 1000)
        self._counted(at, _counted(visit, answer, elapsed))
        visit.told.update(response_context(answer, milliseconds=elapsed))
        write(self._desk.groups, api, visit.stage.settings, _with_old_names(visit.told))
        return _told(answer, identity)

    def _find(self, host: str) -> Api | None:
        if not host.endswith(_SUFFIX) or ".execute-api." not in host:
            return None
        api = self._desk.apis.apis.get(host.partition(".")[0])
        return api if api and api.host == host else None

    def _answer(self, visit: Visit) -> Response:
        """Only what an integration answers bears CORS headers, and preflights."""
        if len(visit.request.body) > API_PAYLOAD.limit:
            return _refused(visit, 413, "Request Entity Too Large")
        # A preflight has no token: on a route that takes OPTIONS, an authorizer refuses it.
        guarded = visit.chosen is not None and bool(visit.route.get("AuthorizerId"))
        preflight = None if guarded else cors.preflight(visit.api, visit.request)
        if preflight:
            return preflight
        if visit.chosen is None:
            return _refused(visit, 404, "Not Found")
        judged = self._judged(visit)
        if isinstance(judged, Response):
            return judged
        answer = self._integrations.answer(visit, judged.authorizer)
        return cors.with_headers(visit.api, visit.request, answer)

    def _judged(self, visit: Visit) -> Judged:
        key = str(visit.route["RouteKey"])
        bucket = (visit.api.identity, visit.stage.name, key)
        if not self._buckets.take(bucket, limits_of(visit.stage.settings, key)):
            return _refused(visit, 429, "Too Many Requests")
        guard = visit.authorizers.get(str(visit.route.get("AuthorizerId") or ""))
        return self._let_in(visit, guard) if guard else Passed()

    def _let_in(self, visit: Visit, guard: Settings) -> Judged:
        if guard["AuthorizerType"] == "REQUEST":
            return self._deciders.judged(visit, guard)
        jwt = guard["JwtConfiguration"]
        wanted = Wanted(
            issuer=jwt["Issuer"],
            audience=tuple(jwt["Audience"]),
            scopes=tuple(visit.route.get("AuthorizationScopes") or ()),
        )
        given = of_request(visit.request, guard["IdentitySource"][0])
        found = self._desk.tokens.judge(given, wanted)
        match found:
            case Refused():
                visit.told["authorizer.error"] = found.reason or "no token"
                return refusal(found)
            case Admitted():
                for name, value in found.claims.items():
                    visit.told[f"authorizer.claims.{name}"] = text_of(value)
                return Passed(authorizer=authorizer(found))
            case _:
                assert_never(found)


def _visit(api: Api, request: Request, identity: str) -> Visit | None:
    """The request at its stage; None where none answers."""
    stage, path = _stage(api, request.path)
    found = api.deployments.get(stage.deployment) if stage else None
    if stage is None or found is None:
        return None
    return Visit(
        api=api,
        stage=stage,
        routes=found.routes,
        authorizers=found.authorizers,
        path=path,
        request=request,
        request_id=identity,
        chosen=match((r["RouteKey"] for r, _ in found.routes), request.method, path),
    )


def _stage(api: Api, path: str) -> tuple[Stage | None, str]:
    """The stage that the first segment names, else `$default`; and the path behind it."""
    first, _, rest = path.removeprefix("/").partition("/")
    named = api.stages.get(first)
    if named and first != DEFAULT_STAGE:
        return named, f"/{rest}"
    return api.stages.get(DEFAULT_STAGE), path


def _counted(visit: Visit, answer: Response, elapsed: int) -> ApiRequest:
    """A route counts by itself where its metrics are detailed."""
    key = visit.chosen.key if visit.chosen else ""
    detailed = limits_of(visit.stage.settings, key).get("DetailedMetricsEnabled")
    integration = visit.told.get("integration.latency")
    return ApiRequest(
        region=visit.api.region,
        api=visit.api.identity,
        stage=visit.stage.name,
        method=visit.request.method,
        route=key.rpartition(" ")[2] if detailed else "",
        status=answer.status,
        latency=elapsed,
        integration=float(integration) if integration else None,
        size=len(visit.request.body) + len(answer.body),
    )


def _refused(visit: Visit, status: int, text: str) -> Response:
    visit.told["error.message"] = text
    return payload.message(status, text)


def _with_old_names(told: dict[str, str]) -> dict[str, str]:
    """The variables that API Gateway knows under two names.

    Source: API Gateway developer guide, "Customize HTTP API access logs".
    """
    return {
        **told,
        "integrationErrorMessage": told.get("integration.error", ""),
        "integrationLatency": told.get("integration.latency", ""),
        "integrationStatus": told.get("integration.integrationStatus", ""),
    }


def _told(response: Response, identity: str) -> Response:
    headers = (*response.headers, ("apigw-requestid", identity))
    return Response(status=response.status, headers=headers, body=response.body)
