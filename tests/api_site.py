"""What tests of HTTP APIs share: a control plane called with dicts, definitions, a host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.execution.program import Event, Listener, Outcome, Program
from runner.execution.tokens import Tokens
from runner.local.compute.http_api.host import HttpApis
from runner.local.compute.http_api.refusals import ApiDesk
from runner.local.compute.http_api.service import ApiGateway
from runner.local.compute.http_api.stages import redeploy
from runner.local.ids import Ids
from runner.local.wire import AwsError, Call, Request, Response
from tests.compute_site import ACCOUNT, REGION, Echo, Plane, Standing

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:1"
URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jam/api"


def operation(**changes: Any) -> dict[str, Any]:
    """An OpenAPI operation whose integration calls `f` in version 1, through a role."""
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": URI,
        "credentials": ROLE,
        "payloadFormatVersion": "2.0",
        "requestParameters": {"overwrite:path": "$request.path"},
    } | changes
    kept = {name: value for name, value in integration.items() if value is not None}
    return {"x-amazon-apigateway-integration": kept}


def definition(paths: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.0.1", "info": {"title": "jam-notes", "version": "1"}, "paths": paths}


class Groups:
    """CloudWatch Logs with the groups of `names`; keeps what is delivered."""

    def __init__(self) -> None:
        self.names = {"access"}
        self.denied: set[str] = set()
        self.lines: list[str] = []

    def has(self, _region: str, group: str) -> bool:
        return group in self.names

    def may(self, _call: Call, action: str) -> bool:
        return action not in self.denied

    def deliver(self, _region: str, _group: str, _stream: str, line: str) -> None:
        self.lines.append(line)


class Apis:
    """The control plane of API Gateway; `published` is what lies under https addresses."""

    def __init__(self) -> None:
        self.region = REGION
        self.clock = Standing()
        self.groups = Groups()
        self.published: dict[str, bytes] = {}
        self.desk = ApiDesk(
            clock=self.clock,  # type: ignore[arg-type]  # a double of what is asked of it
            ids=Ids(),
            account=ACCOUNT,
            tokens=Tokens(self._fetch, self.clock.now),
            groups=self.groups,
            redeploy=redeploy,
        )
        self.service = ApiGateway(self.desk)

    def _fetch(self, address: str) -> bytes:
        if address not in self.published:
            raise OSError("status 404")
        return self.published[address]

    def __call__(self, name: str, **parameters: Any) -> dict[str, Any]:
        call = Call(
            service="apigatewayv2", operation=name, account=ACCOUNT, region=self.region,
            access_key="test",
        )  # fmt: skip
        return self.service.operations()[name](parameters, call)

    def refusal(self, name: str, **parameters: Any) -> str:
        with pytest.raises(AwsError) as caught:
            self(name, **parameters)
        return caught.value.code

    def deployed(self, paths: dict[str, Any] | None = None, *, stage: str = "one") -> str:
        """The id of an API with a deployed stage; `GET /a` where no paths are given."""
        body = json.dumps(definition(paths or {"/a": {"get": operation()}}))
        api = str(self("ImportApi", Body=body)["ApiId"])
        made = self("CreateDeployment", ApiId=api)["DeploymentId"]
        self("CreateStage", ApiId=api, StageName=stage, DeploymentId=made)
        return api


DECIDER_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:decider"


def decided(**changes: Any) -> dict[str, Any]:
    """A security scheme: the function `decider` says who may, by the header `x-key`."""
    authorizer = {
        "type": "request",
        "identitySource": "$request.header.x-key",
        "authorizerUri": URI.replace(FUNCTION, DECIDER_ARN),
        "authorizerCredentials": ROLE,
        "authorizerPayloadFormatVersion": "2.0",
        "authorizerResultTtlInSeconds": 300,
        "enableSimpleResponses": True,
    } | changes
    given = {name: value for name, value in authorizer.items() if value is not None}
    return {
        "type": "apiKey", "name": "x-key", "in": "header", "x-amazon-apigateway-authorizer": given
    }  # fmt: skip


class Served:
    """An API in front of the function `f`, which returns its event."""

    def __init__(
        self, folder: Path, paths: dict[str, Any], *, stage: str = "one", pool: Echo | None = None
    ) -> None:
        self.plane = Plane(folder, pool=pool)
        self.plane.create(Publish=True)
        self.apis = Apis()
        self.api = self.apis.deployed(paths, stage=stage)
        self.host = f"{self.api}.execute-api.{REGION}.amazonaws.com"
        self.hosts = HttpApis(self.apis.desk, self.plane.desk, self.plane.invoker)

    def get(self, path: str, **more: Any) -> Response:
        given: dict[str, Any] = {"method": "GET", "host": self.host, "path": path}
        return self.hosts.handle(Request(**(given | more)))

    def heard(self, path: str, **more: Any) -> dict[str, Any]:
        """The event that the function got."""
        answer = self.get(path, **more)
        assert answer.status == 200, answer
        event: dict[str, Any] = json.loads(answer.body)
        return event


class _Deciding(Echo):
    """Runs `decider` too: it lets in whoever says `right`, fails for `broken`, and has nothing of
    use to say for `vague`."""

    def invoke(self, program: Program, event: Event, listener: Listener | None = None) -> Outcome:
        if program.name != "decider":
            return super().invoke(program, event, listener)
        (told, *_) = json.loads(event.payload)["identitySource"]
        answer = {"isAuthorized": "yes" if told == "vague" else told == "right"}
        error = "Unhandled" if told == "broken" else ""
        return Outcome(
            payload=json.dumps(answer).encode(), error=error, log=(), seconds=0.01, init=None,
            memory=1,
        )  # fmt: skip


class Decided(Served):
    """`Served`, with `decider` before every route."""

    def __init__(self, folder: Path, paths: dict[str, Any], **changes: Any) -> None:
        super().__init__(
            folder, {"/before": {"get": operation()}}, stage="before", pool=_Deciding()
        )
        self.plane.create("decider")
        guarded = {
            path: {
                method: each | {"security": [{"decider": []}]} for method, each in methods.items()
            }
            for path, methods in paths.items()
        }
        schemes = {"components": {"securitySchemes": {"decider": decided(**changes)}}}
        body = json.dumps({**schemes, **definition(guarded)})
        self.apis("ReimportApi", ApiId=self.api, Body=body)
        made = self.apis("CreateDeployment", ApiId=self.api)["DeploymentId"]
        self.apis("CreateStage", ApiId=self.api, StageName="one", DeploymentId=made)

    def ask(self, key: str = "", path: str = "/one/a", **more: Any) -> Response:
        return self.get(path, headers=(("x-key", key),) if key else (), **more)

    @property
    def asked(self) -> int:
        """How often `decider` was."""
        return sum(each.function == "decider" for each in self.plane.invoker.invocations)
