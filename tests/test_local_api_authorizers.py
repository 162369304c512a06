"""Who gets through an HTTP API of the embedded cloud by a Lambda function's word.

Source: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api_site import DECIDER_ARN, ROLE, URI, Apis, Decided, decided, definition, operation
from tests.compute_site import ACCOUNT, REGION


@pytest.fixture
def site(tmp_path: Path) -> Decided:
    return Decided(tmp_path, {"/a": {"get": operation()}, "/b": {"get": operation()}})


@pytest.mark.parametrize(
    ("key", "status", "body", "asked"),
    [
        ("right", 200, '"lambda":null', 1),
        ("", 401, '{"message":"Unauthorized"}', 0),
        ("wrong", 403, '{"message":"Forbidden"}', 1),
        ("broken", 500, '{"message":"Internal Server Error"}', 1),
        ("vague", 500, '{"message":"Internal Server Error"}', 1),
    ],
)
def test_the_function_says_who_gets_through(
    site: Decided, key: str, status: int, body: str, asked: int
) -> None:
    answer = site.ask(key)
    assert (answer.status, body in answer.body.decode(), site.asked) == (status, True, asked)


def test_an_answer_counts_for_its_time_on_every_route_of_the_stage(site: Decided) -> None:
    assert [site.ask(key, f"/one/{path}").status for path in "abab" for key in ("right", "wrong")]
    assert site.asked == 2
    site.apis.clock.at += 301
    assert site.ask("right").status == 200
    assert site.asked == 3
    site.apis("ResetAuthorizersCache", ApiId=site.api, StageName="one")
    assert (site.ask("right").status, site.asked) == (200, 4)


def test_without_a_time_it_is_asked_for_every_request(tmp_path: Path) -> None:
    site = Decided(tmp_path, {"/a": {"get": operation()}}, authorizerResultTtlInSeconds=0)
    assert [site.ask("right").status for _ in range(3)] == [200] * 3
    assert site.asked == 3


def test_what_cannot_be_decided_is_not_remembered(site: Decided) -> None:
    assert [site.ask("broken").status for _ in range(2)] == [500] * 2
    assert site.asked == 2


def test_every_identity_source_has_to_be_there(tmp_path: Path) -> None:
    both = "$request.header.x-key, $request.querystring.who"
    site = Decided(tmp_path, {"/a": {"get": operation()}}, identitySource=both)
    assert (site.ask("right").status, site.asked) == (401, 0)
    assert site.ask("right", query="who=eve").status == 200
    assert site.ask("right", query="who=ann").status == 200
    assert site.asked == 2


@pytest.mark.parametrize(
    ("source", "status"),
    [("", 500), (":ours/authorizers/*", 200), (":other/authorizers/*", 500)],
)
def test_without_a_role_the_functions_own_policy_lets_it_be_asked(
    tmp_path: Path, source: str, status: int
) -> None:
    site = Decided(tmp_path, {"/a": {"get": operation()}}, authorizerCredentials=None)
    if source:
        site.plane(
            "AddPermission",
            FunctionName="decider",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}{source}".replace("ours", site.api),
        )
    assert site.ask("right").status == status


def test_a_preflight_without_the_identity_is_refused_where_the_route_takes_it(
    tmp_path: Path,
) -> None:
    site = Decided(tmp_path, {"/a": {"x-amazon-apigateway-any-method": operation()}})
    site.apis("UpdateApi", ApiId=site.api, CorsConfiguration={"AllowOrigins": ["https://a.test"]})
    asked = (("origin", "https://a.test"), ("access-control-request-method", "GET"))
    assert site.get("/one/a", method="OPTIONS", headers=asked).status == 401
    told = (*asked, ("x-key", "right"))
    assert site.get("/one/a", method="OPTIONS", headers=told).status == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"authorizerPayloadFormatVersion": None}, "BadRequestException"),
        ({"authorizerPayloadFormatVersion": "1.0"}, "NotImplemented"),
        ({"enableSimpleResponses": False}, "NotImplemented"),
        ({"authorizerUri": DECIDER_ARN}, "BadRequestException"),
        ({"authorizerResultTtlInSeconds": 3601}, "BadRequestException"),
        ({"identitySource": ""}, "BadRequestException"),
        ({"identitySource": "method.request.header.x-key"}, "BadRequestException"),
    ],
)
def test_an_authorizer_that_cannot_be_is_refused(changes: dict[str, Any], code: str) -> None:
    apis = Apis()
    schemes = {"components": {"securitySchemes": {"decider": decided(**changes)}}}
    text = json.dumps({**schemes, **definition({"/a": {"get": operation()}})})
    assert apis.refusal("ImportApi", Body=text) == code


def test_a_routes_kind_of_authorization_is_its_authorizers() -> None:
    apis = Apis()
    api = apis.deployed()
    given = {
        "AuthorizerType": "REQUEST",
        "Name": "decider",
        "IdentitySource": ["$request.header.x-key"],
        "AuthorizerUri": URI,
        "AuthorizerCredentialsArn": ROLE,
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
    }
    made = apis("CreateAuthorizer", ApiId=api, **given)
    assert made["AuthorizerResultTtlInSeconds"] == 0
    route = apis("GetRoutes", ApiId=api)["Items"][0]["RouteId"]
    wanted = {"ApiId": api, "RouteId": route, "AuthorizerId": made["AuthorizerId"]}
    assert apis.refusal("UpdateRoute", AuthorizationType="JWT", **wanted) == "BadRequestException"
    scopes = {"AuthorizationScopes": ["read"], "AuthorizationType": "CUSTOM"}
    assert apis.refusal("UpdateRoute", **scopes, **wanted) == "BadRequestException"
    assert apis("UpdateRoute", AuthorizationType="CUSTOM", **wanted)["AuthorizerId"]
