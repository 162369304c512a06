"""Who gets through an HTTP API of the embedded cloud: tokens, throttles, other origins, the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jwt

from runner.local.compute.http_api.access_log import rendered
from runner.local.wire import Response
from tests.api_site import ROLE, Apis, Served, definition, operation
from tests.compute_site import ACCOUNT, REGION

ISSUER = "https://issuer.example.com/pool"
NOW = 1_800_000_000
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:access"
FORMAT = '{"id":"$context.requestId","status":"$context.status","why":"$context.authorizer.error"}'


@cache
def key(name: str) -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": name})


def published() -> dict[str, bytes]:
    """What the issuer publishes."""
    discovery = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
    keys = {"keys": [{**key("one").as_dict(private=False), "kid": "one"}]}
    return {
        f"{ISSUER}/.well-known/openid-configuration": json.dumps(discovery).encode(),
        f"{ISSUER}/keys": json.dumps(keys).encode(),
    }


def token(algorithm: str = "RS256", signed: str = "one", kid: str = "one", **claims: Any) -> str:
    """A token that opens `/a`, but for what is changed; None takes a claim away."""
    whole = {"iss": ISSUER, "aud": "app", "exp": NOW + 60, "iat": NOW, "sub": "eve"} | claims
    kept = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": kid}, kept, key(signed), algorithms=[algorithm])


def guarded(*scopes: str) -> dict[str, Any]:
    return operation() | {"security": [{"members": list(scopes)}]}


def scheme(**changes: Any) -> dict[str, Any]:
    jwt_settings = {"issuer": ISSUER, "audience": ["app", "web"]}
    authorizer = {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": jwt_settings,
    } | changes
    return {"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}


def body(paths: dict[str, Any], **more: Any) -> str:
    components = {"securitySchemes": {"members": scheme()}}
    return json.dumps({"components": components, **definition(paths), **more})


class Site(Served):
    """`Served`, with an issuer and whatever stage settings are asked for."""

    def __init__(self, folder: Path, paths: dict[str, Any], **more: Any) -> None:
        super().__init__(folder, {"/x": {"get": operation()}}, stage="before")
        self.apis.published |= published()
        stage = {name: more.pop(name) for name in tuple(more) if name[0].isupper()}
        self.apis("ReimportApi", ApiId=self.api, Body=body(paths, **more))
        made = self.apis("CreateDeployment", ApiId=self.api)["DeploymentId"]
        self.apis("CreateStage", ApiId=self.api, StageName="one", DeploymentId=made, **stage)

    def ask(self, text: str, path: str = "/one/a", **more: Any) -> Response:
        return self.get(path, headers=(("authorization", text),), **more)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(
        tmp_path,
        {"/a": {"get": guarded()}, "/b": {"get": guarded("read", "write")}},
        AccessLogSettings={"DestinationArn": GROUP, "Format": FORMAT},
    )


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        (token, 200, ""),
        (lambda: "Bearer " + token(), 200, ""),
        (lambda: "bearer  " + token(), 200, ""),
        (lambda: token("RS512"), 200, ""),
        (lambda: token(aud=["other", "web"]), 200, ""),
        (lambda: token(aud=None, client_id="app"), 200, ""),
        (lambda: "", 401, ""),
        (lambda: "Bearer nonsense", 401, "cannot be verified"),
        (lambda: token()[:-4] + "AAAA", 401, "cannot be verified"),
        (lambda: token(signed="two"), 401, "cannot be verified"),
        (lambda: token(kid="two"), 401, "kid"),
        (lambda: token("PS256"), 401, "algorithm"),
        (lambda: token(iss="https://other.example.com"), 401, "issuer"),
        (lambda: token(aud="other"), 401, "the token does not have a valid audience"),
        (lambda: token(aud="other", client_id="app"), 401, "audience"),
        (lambda: token(aud=None), 401, "audience"),
        (lambda: token(exp=NOW), 401, "expired"),
        (lambda: token(exp=None), 401, "expired"),
        (lambda: token(exp="soon"), 401, "exp"),
        (lambda: token(nbf=NOW + 1), 401, "nbf"),
        (lambda: token(iat=NOW + 1), 401, "iat"),
    ],
)
def test_a_token_opens_the_route_or_says_why_not(
    site: Site, text: Callable[[], str], status: int, reason: str
) -> None:
    site.apis.clock.at = NOW
    answer = site.ask(text())
    assert answer.status == status
    if status == 401:
        told = answer.header("www-authenticate")
        assert answer.body == b'{"message":"Unauthorized"}'
        assert (told == "Bearer") if not reason else (reason in told)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "other read"}, 200),
        ({"scp": "write"}, 200),
        ({"scp": ["write", "other"]}, 200),
        ({"scope": "reader"}, 403),
        ({}, 403),
    ],
)
def test_a_route_with_scopes_asks_for_one_of_them(
    site: Site, claims: dict[str, Any], status: int
) -> None:
    site.apis.clock.at = NOW
    answer = site.ask(token(**claims), "/one/b")
    assert answer.status == status
    if status == 403:
        assert answer.body == b'{"message":"Forbidden"}'


def test_the_function_hears_the_claims_as_text(site: Site) -> None:
    site.apis.clock.at = NOW
    claims: dict[str, Any] = {
        "scope": "read",
        "cognito:groups": ["a", "b"],
        "email_verified": True,
        "n": 1.5,
    }
    context = json.loads(site.ask(token(**claims), "/one/b").body)["requestContext"]
    assert context["authorizer"] == {
        "jwt": {
            "claims": {
                "iss": ISSUER, "aud": "app", "exp": str(NOW + 60), "iat": str(NOW), "sub": "eve",
                "scope": "read", "cognito:groups": "[a b]", "email_verified": "true", "n": "1.5",
            },
            "scopes": ["read"],
        }
    }  # fmt: skip
    plain = json.loads(site.ask(token()).body)["requestContext"]["authorizer"]["jwt"]
    assert plain["scopes"] is None


def test_an_issuers_keys_are_kept_two_hours(site: Site) -> None:
    site.apis.clock.at = NOW
    site.apis.published.clear()
    assert site.ask(token()).status == 200
    site.apis.clock.at = NOW + 2 * 3600 + 60
    assert site.ask(token(exp=NOW + 9999)).status == 401


def test_a_deployment_keeps_its_authorizer(site: Site) -> None:
    site.apis.clock.at = NOW
    site.apis(
        "ReimportApi", ApiId=site.api, Body=json.dumps(definition({"/x": {"get": operation()}}))
    )
    assert site.apis("GetAuthorizers", ApiId=site.api)["Items"] == []
    assert (site.ask("").status, site.ask(token()).status) == (401, 200)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"jwtConfiguration": {"issuer": "http://issuer.example.com", "audience": ["a"]}},
         "BadRequestException"),
        ({"jwtConfiguration": {"issuer": "https://nobody.example.com", "audience": ["a"]}},
         "BadRequestException"),
        ({"jwtConfiguration": {"issuer": ISSUER, "audience": []}}, "BadRequestException"),
        ({"jwtConfiguration": {"issuer": ISSUER, "audience": ["a"] * 51}}, "BadRequestException"),
        ({"identitySource": "Authorization"}, "BadRequestException"),
        ({"type": "request"}, "NotImplemented"),
    ],
)  # fmt: skip
def test_what_is_no_authorizer_is_refused_and_changes_nothing(
    changes: dict[str, Any], code: str
) -> None:
    apis = Apis()
    apis.published |= published()
    api = apis.deployed()
    wrong = {"securitySchemes": {"members": scheme(**changes)}}
    text = json.dumps({"components": wrong, **definition({"/a": {"get": guarded()}})})
    assert apis.refusal("ReimportApi", ApiId=api, Body=text) == code
    assert [each["RouteKey"] for each in apis("GetRoutes", ApiId=api)["Items"]] == ["GET /a"]
    count = len(apis("GetApis")["Items"])
    assert apis.refusal("ImportApi", Body=text) == code
    assert len(apis("GetApis")["Items"]) == count


@pytest.mark.parametrize(
    "security",
    [[{"unknown": []}], [{"members": [], "other": []}], [{"members": [str(n) for n in range(11)]}]],
)
def test_what_no_authorizer_can_guard_is_refused(security: list[Any]) -> None:
    apis = Apis()
    apis.published |= published()
    text = body({"/a": {"get": operation() | {"security": security}}})
    assert apis.refusal("ImportApi", Body=text) == "BadRequestException"


def test_authorizers_are_made_read_changed_and_deleted() -> None:
    apis = Apis()
    apis.published |= published()
    api = apis.deployed()
    given = {
        "AuthorizerType": "JWT",
        "Name": "members",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": ISSUER, "Audience": ["app"]},
    }
    made = [apis("CreateAuthorizer", ApiId=api, **given)["AuthorizerId"] for _ in range(10)]
    assert apis.refusal("CreateAuthorizer", ApiId=api, **given) == "BadRequestException"
    wanted = {"ApiId": api, "AuthorizerId": made[0]}
    apis("UpdateAuthorizer", **wanted, Name="others")
    assert apis("GetAuthorizer", **wanted)["Name"] == "others"
    route = apis("GetRoutes", ApiId=api)["Items"][0]["RouteId"]
    guard = {"AuthorizationType": "JWT", "AuthorizerId": made[0]}
    apis("UpdateRoute", ApiId=api, RouteId=route, **guard)
    assert apis.refusal("DeleteAuthorizer", **wanted) == "BadRequestException"
    apis("DeleteAuthorizer", ApiId=api, AuthorizerId=made[1])
    assert len(apis("GetAuthorizers", ApiId=api)["Items"]) == 9
    gone = {"AuthorizationType": "JWT", "AuthorizerId": made[1]}
    assert apis.refusal("UpdateRoute", ApiId=api, RouteId=route, **gone) == "BadRequestException"


LIMIT = {"ThrottlingRateLimit": 2.0, "ThrottlingBurstLimit": 3}


def test_more_than_the_burst_is_429_until_the_rate_has_refilled_it(tmp_path: Path) -> None:
    paths = {"/a": {"get": operation()}, "/b": {"get": operation()}}
    site = Site(tmp_path, paths, RouteSettings={"GET /a": LIMIT})
    assert [site.get("/one/a").status for _ in range(4)] == [200, 200, 200, 429]
    assert site.get("/one/a").body == b'{"message":"Too Many Requests"}'
    assert site.get("/one/b").status == 200
    site.apis.clock.at += 1.0
    assert [site.get("/one/a").status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    "settings",
    [
        {"RouteSettings": {"GET /none": LIMIT}},
        {"RouteSettings": {"GET /a": {"ThrottlingRateLimit": 10_001}}},
        {"RouteSettings": {"GET /a": {"ThrottlingBurstLimit": -1}}},
        {"DefaultRouteSettings": {"LoggingLevel": "INFO"}},
        {"AccessLogSettings": {"DestinationArn": GROUP, "Format": "$context.status"}},
        {"AccessLogSettings": {"DestinationArn": GROUP, "Format": "$context.requestId\n"}},
        {"AccessLogSettings": {"DestinationArn": GROUP, "Format": "$context.requestId" * 200}},
        {"AccessLogSettings": {"DestinationArn": GROUP + "-none", "Format": FORMAT}},
        {"AccessLogSettings": {"DestinationArn": "access", "Format": FORMAT}},
        {"AccessLogSettings": {"DestinationArn": GROUP.replace(ACCOUNT, "1" * 12),
                               "Format": FORMAT}},
    ],
)  # fmt: skip
def test_a_stage_with_settings_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    apis = Apis()
    api = apis.deployed()
    for call, name in (("CreateStage", "two"), ("UpdateStage", "one")):
        assert apis.refusal(call, ApiId=api, StageName=name, **settings) == "BadRequestException"


def test_who_turns_the_access_log_on_needs_log_delivery() -> None:
    apis = Apis()
    api = apis.deployed()
    settings = {"AccessLogSettings": {"DestinationArn": GROUP, "Format": FORMAT}}
    apis.groups.denied.add("logs:CreateLogDelivery")
    assert apis.refusal("UpdateStage", ApiId=api, StageName="one", **settings)
    apis.groups.denied.clear()
    assert apis("UpdateStage", ApiId=api, StageName="one", **settings)["AccessLogSettings"]


def test_each_request_of_a_stage_is_a_line(site: Site) -> None:
    site.apis.clock.at = NOW
    answers = [site.ask(token()), site.ask(""), site.ask("", "/one/none"), site.ask("", "/none/a")]
    lines = [json.loads(line) for line in site.apis.groups.lines]
    assert [line["status"] for line in lines] == ["200", "401", "404"]
    assert [line["why"] for line in lines] == ["-", "no token", "-"]
    assert [line["id"] for line in lines] == [a.header("apigw-requestid") for a in answers[:3]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("$context.status", "200"),
        ("$context.status.", "200."),
        ("$context.unknown", "-"),
        ("$context.empty", "-"),
        ("$context.authorizer.claims.cognito:groups end", "[a b] end"),
        ("$stageVariables.x", "$stageVariables.x"),
    ],
)
def test_a_format_is_filled_in(text: str, line: str) -> None:
    told = {"status": "200", "empty": "", "authorizer.claims.cognito:groups": "[a b]"}
    assert rendered(text, told) == line


def test_a_function_that_cannot_be_called_is_told_in_the_log(tmp_path: Path) -> None:
    log = {"DestinationArn": GROUP, "Format": "$context.requestId $context.integrationErrorMessage"}
    site = Site(tmp_path, {"/a": {"get": operation()}}, AccessLogSettings=log)
    site.plane.roles.refused.add(ROLE)
    site.get("/one/a")
    assert "does not have permissions" in site.apis.groups.lines[0]


CORS = {
    "x-amazon-apigateway-cors": {
        "allowOrigins": ["https://app.example.com"],
        "allowMethods": ["GET"],
        "allowHeaders": ["authorization"],
        "allowCredentials": True,
        "maxAge": 600,
    }
}
ASKED = (("access-control-request-method", "GET"), ("origin", "https://app.example.com"))


@pytest.mark.parametrize(
    ("paths", "headers", "status", "allowed"),
    [
        ({"/a": {"get": operation()}}, ASKED, 204, True),
        ({"/a": {"get": guarded()}}, ASKED, 204, True),
        ({"/a": {"x-amazon-apigateway-any-method": operation()}}, ASKED, 204, True),
        ({"/a": {"x-amazon-apigateway-any-method": guarded()}}, ASKED, 401, False),
        ({"/a": {"options": guarded()}}, ASKED, 401, False),
        ({"/a": {"get": operation()}}, (ASKED[0], ("origin", "https://evil.example.com")), 204,
         False),
        ({"/a": {"get": operation()}}, ASKED[1:], 404, False),
        ({"/a": {"get": operation()}}, ASKED[:1], 404, False),
    ],
)  # fmt: skip
def test_preflights_are_answered_where_no_authorizer_takes_them(
    tmp_path: Path, paths: dict[str, Any], headers: Any, *, status: int, allowed: bool
) -> None:
    site = Site(tmp_path, paths, **CORS)
    answer = site.get("/one/a", method="OPTIONS", headers=headers)
    assert answer.status == status
    assert bool(answer.header("access-control-allow-origin")) is allowed
    if allowed:
        assert answer.header("access-control-allow-credentials") == "true"
        assert answer.header("access-control-max-age") == "600"


def test_the_functions_own_cors_headers_do_not_count(tmp_path: Path) -> None:
    site = Site(tmp_path, {"/a": {"get": operation()}}, **CORS)
    told = {"access-control-allow-origin": "*", "x-own": "1"}
    site.plane.pool.answer = json.dumps({"statusCode": 200, "headers": told}).encode()
    answer = site.get("/one/a", headers=(("origin", "https://app.example.com"),))
    assert answer.header("access-control-allow-origin") == "https://app.example.com"
    assert answer.header("x-own") == "1"
    assert not site.get("/one/a").header("access-control-allow-origin")


def test_credentials_with_every_origin_are_refused() -> None:
    cors = {"x-amazon-apigateway-cors": {"allowOrigins": ["*"], "allowCredentials": True}}
    text = json.dumps({**definition({"/a": {"get": operation()}}), **cors})
    assert Apis().refusal("ImportApi", Body=text) == "BadRequestException"
