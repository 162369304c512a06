"""Lambda functions that say who gets through: asked once for the same identity, then remembered.

Source: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers".
Whether a refusal is remembered as well it does not say: here it is.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

from runner.execution import payload
from runner.execution.http_messages import Response
from runner.local.compute.desk import Desk
from runner.local.compute.http_api.authorizers import arn_of
from runner.local.compute.http_api.store import Settings
from runner.local.compute.http_api.visit import Judged, Passed, Visit
from runner.local.compute.invoking import Invoker
from runner.local.compute.permissions import permits
from runner.local.compute.reference import function_of, parse
from runner.local.compute.store import Function
from runner.local.wire import AwsError, Request

_SERVICE = "apigateway.amazonaws.com"
_BODY = ("body", "isBase64Encoded")  # what an authorizer is not told
# "Quotas for configuring and running an HTTP API" has no time for authorizers; it is REST's.
_LONGEST = 10.0  # seconds

UNAUTHORIZED = payload.message(401, "Unauthorized")
FORBIDDEN = payload.message(403, "Forbidden")
FAILED = payload.message(500, "Internal Server Error")


class Deciders:
    """`functions` finds and judges Lambda functions; `invoker` runs them."""

    def __init__(self, functions: Desk, invoker: Invoker, *, now: Callable[[], float]) -> None:
        self._functions = functions
        self._invoker = invoker
        self._now = now

    def judged(self, visit: Visit, guard: Settings) -> Judged:
        """A missing identity is refused without a call; a known one is answered as before."""
        told = tuple(identity(visit, each) for each in guard["IdentitySource"])
        if not all(told):
            return _refused(visit, UNAUTHORIZED, "The request lacks an identity source")
        decisions, key = visit.stage.decisions, (str(guard["AuthorizerId"]), *told)
        until, is_let_in = decisions.get(key, (0.0, False))
        if until <= self._now():
            decided = self._decided(visit, guard, told)
            if decided is None:
                return FAILED
            is_let_in = decided
            if guard["AuthorizerResultTtlInSeconds"]:
                decisions[key] = (self._now() + guard["AuthorizerResultTtlInSeconds"], decided)
        if not is_let_in:
            return _refused(visit, FORBIDDEN, "The authorizer refused the request")
        # Without a context of the authorizer's the member is there, and null.
        return Passed(authorizer={"lambda": None})

    def _decided(self, visit: Visit, guard: Settings, told: tuple[str, ...]) -> bool | None:
        """None where the function cannot be asked, or says nothing that is understood."""
        try:
            wanted = parse(arn_of(guard), region=visit.api.region)
            function = function_of(self._functions.store, wanted, account=self._functions.account)
            self._check(visit, guard, function, wanted.qualifier)
            event = json.dumps(self._event(visit, told), separators=(",", ":")).encode()
            outcome = self._invoker.run(function, wanted.qualifier, event)
            answer = json.loads(outcome.payload)
        except (AwsError, ValueError) as error:
            visit.told["authorizer.error"] = str(error)
            return None
        is_let_in = answer.get("isAuthorized") if isinstance(answer, dict) else None
        late = outcome.seconds > _LONGEST
        if outcome.error or late or not isinstance(is_let_in, bool):
            visit.told["authorizer.error"] = outcome.error or "The authorizer's answer is invalid"
            return None
        return is_let_in

    def _check(self, visit: Visit, guard: Settings, function: Function, qualifier: str) -> None:
        if not self._may(visit, guard, function, qualifier):
            raise AwsError("AccessDenied", "API Gateway may not invoke the authorizer")

    def _may(self, visit: Visit, guard: Settings, function: Function, qualifier: str) -> bool:
        """Through the authorizer's role, else by the function's own policy."""
        role, roles = guard.get("AuthorizerCredentialsArn"), self._functions.roles
        if role:
            target = function.qualified(qualifier)
            allowed = roles.allows(role, "lambda:InvokeFunction", target)
            return allowed and roles.assumable(role, _SERVICE)
        account, api = self._functions.account, visit.api
        tail = f"{api.identity}/authorizers/{guard['AuthorizerId']}"
        source = f"arn:aws:execute-api:{api.region}:{account}:{tail}"
        return permits(
            function,
            qualifier,
            principal=_SERVICE,
            action="lambda:InvokeFunction",
            context={"AWS:SourceArn": source, "AWS:SourceAccount": account},
        )

    def _event(self, visit: Visit, told: tuple[str, ...]) -> dict[str, Any]:
        """Payload format 2.0, its members in the order of AWS's example."""
        chosen, api, account = visit.chosen, visit.api, self._functions.account
        assert chosen
        now, whole = self._now(), unquote(visit.request.path)
        asked = payload.Asked(
            api=api.identity,
            account=account,
            stage=visit.stage.name,
            route=chosen.key,
            path=whole,
            context_path=whole,
            request_id=visit.request_id,
            at=now,
            trace=f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}",
            path_parameters=chosen.parameters,
            stage_variables=visit.variables,
        )
        heard = payload.event(visit.request, asked)
        tail = f"{api.identity}/{visit.stage.name}/{visit.request.method}{unquote(visit.path)}"
        return {
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": f"arn:aws:execute-api:{api.region}:{account}:{tail}",
            "identitySource": list(told),
            **{name: value for name, value in heard.items() if name not in ("version", *_BODY)},
        }


def identity(visit: Visit, expression: str) -> str:
    """`$request.header.Name`, `$request.querystring.name`, `$context.x`, `$stageVariables.x`."""
    kind, _, name = expression.removeprefix("$").partition(".")
    if kind == "stageVariables":
        return visit.variables.get(name, "")
    if kind == "context":
        known = {"stage": visit.stage.name, "routeKey": visit.chosen.key if visit.chosen else ""}
        return known.get(name, "")
    return of_request(visit.request, expression)


def of_request(request: Request, expression: str) -> str:
    """A header, or a parameter of the query."""
    _, kind, name = expression.split(".", 2)
    if kind == "header":
        return request.header(name.lower())
    return next(iter(parse_qs(request.query).get(name, ())), "")


def _refused(visit: Visit, answer: Response, why: str) -> Response:
    visit.told["authorizer.error"] = why
    return answer
