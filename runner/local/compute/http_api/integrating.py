"""From a visit to its function and back.

Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs",
"Troubleshooting issues with HTTP API Lambda integrations".
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from runner.execution import payload
from runner.local.compute.desk import Desk
from runner.local.compute.http_api.mapping import Source, answered, mapped
from runner.local.compute.http_api.routes import function_arn
from runner.local.compute.http_api.visit import Visit
from runner.local.compute.invoking import Invoker
from runner.local.compute.permissions import permits
from runner.local.compute.reference import function_of, parse
from runner.local.compute.store import Function
from runner.local.quotas import PAYLOAD
from runner.local.wire import AwsError, Request, Response

_SERVICE = "apigateway.amazonaws.com"
_DEFAULT_TYPE = "text/plain; charset=utf-8"


class Integrations:
    """`functions` finds and judges Lambda functions; `invoker` runs them."""

    def __init__(self, functions: Desk, invoker: Invoker, *, now: Callable[[], float]) -> None:
        self._now = now
        self._functions = functions
        self._invoker = invoker

    def answer(self, visit: Visit, authorizer: dict[str, Any] | None) -> Response:
        """What the function answers, or what API Gateway does in its place."""
        arn = function_arn(visit.integration, visit.variables)
        try:
            wanted = parse(arn, region=visit.api.region)
            function = function_of(self._functions.store, wanted, account=self._functions.account)
        except AwsError as error:
            return _failed(visit, f"The Lambda function cannot be found: {error.message}")
        if not self._may(visit, function, wanted.qualifier):
            return _failed(visit, "The IAM role configured on the integration or API Gateway does "
                                  "not have permissions to call the integration.")  # fmt: skip
        asked, request = self._asked(visit, authorizer)
        event = json.dumps(payload.event(request, asked), separators=(",", ":")).encode()
        if len(event) > PAYLOAD.limit:
            return payload.message(413, "Request Entity Too Large")
        return self._run(visit, function, wanted.qualifier, event=event, trace=asked.trace)

    def _may(self, visit: Visit, function: Function, qualifier: str) -> bool:
        """Through the integration's role, else by the function's own policy."""
        role = visit.integration.get("CredentialsArn")
        roles = self._functions.roles
        if role:
            target = function.qualified(qualifier)
            allowed = roles.allows(role, "lambda:InvokeFunction", target)
            return allowed and roles.assumable(role, _SERVICE)
        account = self._functions.account
        context = {"AWS:SourceArn": _source_arn(visit, account), "AWS:SourceAccount": account}
        return permits(
            function,
            qualifier,
            principal=_SERVICE,
            action="lambda:InvokeFunction",
            context=context,
        )

    def _asked(
        self, visit: Visit, authorizer: dict[str, Any] | None
    ) -> tuple[payload.Asked, Request]:
        now = self._now()
        stage, request, variables = visit.stage.name, visit.request, visit.variables
        whole = unquote(request.path)
        chosen = visit.chosen
        assert chosen
        source = Source(
            path=unquote(visit.path),
            request=request,
            path_parameters=chosen.parameters,
            stage_variables=variables,
            context={"stage": stage, "requestId": visit.request_id, "apiId": visit.api.identity},
        )
        changed, path = mapped(visit.integration.get("RequestParameters") or {}, source, whole)
        asked = payload.Asked(
            api=visit.api.identity,
            account=self._functions.account,
            stage=stage,
            route=chosen.key,
            path=path,
            context_path=whole,
            request_id=visit.request_id,
            at=now,
            trace=f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}",
            authorizer=authorizer,
            path_parameters=chosen.parameters,
            stage_variables=variables,
        )
        return asked, changed

    def _run(
        self, visit: Visit, function: Function, qualifier: str, *, event: bytes, trace: str
    ) -> Response:
        """The function goes on when API Gateway has stopped waiting for it."""
        answers: list[tuple[Response, str]] = []
        begun = time.monotonic()

        def run() -> None:
            answers.append(self._outcome(function, qualifier, event, trace))

        waiting = threading.Thread(target=run, daemon=True)
        waiting.start()
        waiting.join(visit.integration["TimeoutInMillis"] / 1000)
        visit.told["integration.latency"] = str(int((time.monotonic() - begun) * 1000))
        if not answers:
            visit.told["integration.error"] = "Endpoint request timed out"
            return payload.message(503, "Service Unavailable")
        response, error = answers[0]
        visit.told["integration.integrationStatus"] = "200"
        if error:
            visit.told["integration.error"] = error
        else:
            visit.told["integration.status"] = str(response.status)
            response = answered(visit.integration.get("ResponseParameters") or {}, response)
        return response

    def _outcome(
        self, function: Function, qualifier: str, event: bytes, trace: str
    ) -> tuple[Response, str]:
        failed = payload.message(500, "Internal Server Error")
        try:
            outcome = self._invoker.run(function, qualifier, event, trace_id=trace)
            if outcome.error:
                return failed, f"The Lambda function failed: {outcome.error}"
            return payload.response(outcome.payload, default_type=_DEFAULT_TYPE), ""
        except (AwsError, payload.BadResultError) as error:
            return failed, str(error)


def _failed(visit: Visit, why: str) -> Response:
    visit.told["integration.error"] = why
    return payload.message(500, "Internal Server Error")


def _source_arn(visit: Visit, account: str) -> str:
    key = visit.chosen.key if visit.chosen else ""
    path = key.partition(" ")[2]
    tail = "$default" if key == "$default" else f"{visit.request.method}{path}"
    api = visit.api
    return f"arn:aws:execute-api:{api.region}:{account}:{api.identity}/{visit.stage.name}/{tail}"
