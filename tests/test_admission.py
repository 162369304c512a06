"""Who may call a function: from jam.toml to API Gateway's definition, and under dev."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from joserfc import jwk, jwt

from runner.aws.api import ACCESS
from runner.aws.logs import DELIVERY
from runner.aws.openapi import body, route_settings
from runner.aws.refusals import explain
from runner.config.load import Overrides, load
from runner.develop.admission import Gate, announced
from runner.errors import JamError, Turn
from runner.execution.http_messages import Request, Response
from runner.execution.tokens import Tokens
from runner.model import Admission, Api, Authorizer, Function
from runner.names import Names
from runner.package.functions.admission import admission
from runner.package.functions.settings import FunctionSettings
from runner.package.manifest import api_stage_of
from runner.plan.live import Live
from runner.plan.origins import allowed, recorded, reopened
from tests.builders import a_function, a_release

ISSUER = "https://issuer.example.com"
MEMBERS = Authorizer(name="members", issuer=ISSUER, audience=("app",))
STAFF = Authorizer(name="staff", issuer=ISSUER, audience=("office",))
NAMES = Names("notes", "123456789012", "eu-central-1")
SECTION = '[authorizers.members]\nissuer = "https://issuer.example.com"\naudience = ["app"]\n'

WRONG = {
    "an unknown authorizer with a near one": (
        f'{SECTION}[functions.a]\nauthorizer = "member"',
        "functions.a.authorizer: there is no authorizer `member` (did you mean `members`?)",
    ),
    "an unknown authorizer": (
        '[functions]\nauthorizer = "people"',
        "functions.authorizer: there is no authorizer `people` (add [authorizers.people])",
    ),
    "scopes that nobody asks for": (
        '[functions.a]\nscopes = ["read"]',
        "functions.a.scopes: scopes are of a token, which no authorizer asks for here "
        "(set `authorizer` as well)",
    ),
    "scopes where the authorizer is switched off": (
        f'{SECTION}[functions]\nauthorizer = "members"\n'
        '[functions.a]\nauthorizer = "none"\nscopes = ["read"]',
        "functions.a.scopes: scopes are of a token",
    ),
    "an authorizer called none": (
        '[authorizers.none]\nissuer = "https://issuer.example.com"\naudience = ["app"]',
        'authorizers.none: `authorizer = "none"` means that a function has none',
    ),
    "eleven scopes": (
        f'{SECTION}[functions]\nauthorizer = "members"\nscopes = {[str(n) for n in range(11)]}',
        "functions.scopes: found 11, allowed: 10",
    ),
    "eleven authorizers": (
        "".join(SECTION.replace("members", f"a{n}") for n in range(11)),
        "authorizers: found 11, allowed: 9 for one API",
    ),
    "every origin and one more": (
        '[functions]\ncors = ["*", "https://app.example.com"]',
        'functions.cors: "*" allows every origin, the others as well',
    ),
    "an authorizer without an audience": (
        '[authorizers.members]\nissuer = "https://issuer.example.com"',
        "authorizers.members: `audience` is missing",
    ),
    "a throttle without a burst": (
        "[functions.a]\nthrottle = { rate = 10 }",
        "functions.a.throttle: `burst` is missing",
    ),
    "an issuer without https": (
        SECTION.replace("https", "http"),
        "authorizers.members.issuer: ",
    ),
}


@pytest.mark.parametrize(("settings", "problem"), WRONG.values(), ids=WRONG)
def test_settings_that_cannot_be_are_named(tmp_path: Path, settings: str, problem: str) -> None:
    (tmp_path / "index.html").write_text("<h1>x</h1>")
    (tmp_path / "jam.toml").write_text(settings)
    with pytest.raises(JamError) as caught:
        load(tmp_path, None, Overrides(default_region="eu-central-1"))
    (found,) = caught.value.problems
    assert problem in str(found)


@pytest.mark.parametrize(
    ("own", "common", "wanted"),
    [
        ({}, {}, Admission()),
        ({"authorizer": "staff"}, {}, Admission(authorizer=STAFF)),
        ({}, {"authorizer": "members", "scopes": ("b", "a")},
         Admission(authorizer=MEMBERS, scopes=("a", "b"))),
        ({"scopes": ()}, {"authorizer": "members", "scopes": ("a",)},
         Admission(authorizer=MEMBERS)),
        ({"authorizer": "staff"}, {"authorizer": "members", "scopes": ("a",)},
         Admission(authorizer=STAFF)),
        ({"authorizer": "none"}, {"authorizer": "members", "scopes": ("a",)}, Admission()),
        ({}, {"throttle": (10.0, 20)}, Admission(rate=10.0, burst=20)),
        ({"throttle": (1.0, 2)}, {"throttle": (10.0, 20)}, Admission(rate=1.0, burst=2)),
    ],
)  # fmt: skip
def test_a_functions_own_words_count_before_the_common_ones(
    own: dict[str, Any], common: dict[str, Any], wanted: Admission
) -> None:
    known = {"members": MEMBERS, "staff": STAFF}
    assert admission(FunctionSettings(**own), FunctionSettings(**common), known) == wanted


def guarded(name: str = "a", *scopes: str, **changes: Any) -> Function:
    admitted = Admission(authorizer=MEMBERS, scopes=scopes)
    return replace(a_function(name), admission=admitted, **changes)


def defined(*functions: Function, api: Api) -> dict[str, Any]:
    arns = {each.name: f"arn:aws:lambda:eu-central-1:123456789012:function:{each.name}:1"
            for each in functions}  # fmt: skip
    role = "arn:aws:iam::123456789012:role/api"
    return body(NAMES, functions, api, role_arn=role, arns=arns, bearer="x-jam-b")


def test_a_guarded_route_names_its_scheme_and_scopes() -> None:
    made = defined(guarded("a", "read"), a_function("b"), api=Api())
    operation = made["paths"]["/.functions/a"]["x-amazon-apigateway-any-method"]
    assert operation["security"] == [{"members": ["read"]}]
    schemes = made["components"]["securitySchemes"]
    assert schemes.pop("jam.keeper")["x-amazon-apigateway-authorizer"]["type"] == "request"
    assert schemes == {
        "members": {
            "type": "oauth2",
            "x-amazon-apigateway-authorizer": {
                "type": "jwt",
                "identitySource": "$request.header.x-jam-b",
                "jwtConfiguration": {"issuer": ISSUER, "audience": ["app"]},
            },
        }
    }
    other = made["paths"]["/.functions/b"]["x-amazon-apigateway-any-method"]
    assert other["security"] == [{"jam.keeper": []}]
    assert "x-amazon-apigateway-cors" not in made


def test_with_other_origins_every_route_leaves_preflights_to_api_gateway() -> None:
    functions, methods = (guarded("a"), a_function("b")), ["delete", "get", "head", "patch", "post"]
    paths = defined(*functions, api=Api(cors=("https://app.example.com",)))["paths"]
    for each in ("/.functions/a", "/.functions/b"):
        assert sorted(paths[each]) == [*methods, "put"]
        assert list(defined(*functions, api=Api())["paths"][each]) == [
            "x-amazon-apigateway-any-method"
        ]


@pytest.mark.parametrize(
    ("origins", "credentials"), [(("https://app.example.com",), True), (("*",), False)]
)
def test_other_origins_may_use_the_methods_that_there_are(
    origins: tuple[str, ...], credentials: bool
) -> None:
    functions = (replace(a_function("a"), methods=("GET",)), guarded("b", methods=("POST",)))
    cors = defined(*functions, api=Api(cors=origins))["x-amazon-apigateway-cors"]
    assert cors["allowMethods"] == ["GET", "POST"]
    assert cors["allowCredentials"] is credentials


def test_a_throttle_is_one_of_each_of_its_routes() -> None:
    limited = replace(
        a_function("a"), methods=("GET", "POST"), admission=Admission(rate=2.0, burst=3)
    )
    limits = {"ThrottlingRateLimit": 2.0, "ThrottlingBurstLimit": 3}
    assert route_settings((limited, a_function("b")), Api()) == {
        "GET /.functions/a": limits,
        "POST /.functions/a": limits,
    }


def test_an_api_stage_has_another_name_for_all_that_it_holds() -> None:
    one = a_function("a")
    others = [
        api_stage_of([one]),
        api_stage_of([guarded("a")]),
        api_stage_of([guarded("a", "read")]),
        api_stage_of([replace(one, admission=Admission(rate=1.0, burst=1))]),
        api_stage_of([one], Api(cors=("*",))),
        api_stage_of([one], Api(access_log=False)),
        api_stage_of([one], Api(log_days=7)),
    ]
    assert len(set(others)) == len(others)
    off = Api(access_log=False, log_days=7)
    assert api_stage_of([one], off) == api_stage_of([one], Api(access_log=False))


def test_the_access_logs_format_is_one_that_api_gateway_takes() -> None:
    text = json.dumps(ACCESS, separators=(",", ":"))
    assert "$context.requestId" in text
    assert len(text.encode()) <= 3 * 1024


def test_going_live_or_back_sets_the_apis_origins_where_others_were_let_in() -> None:
    api = Api(cors=("https://app.example.com",))
    release = replace(a_release(functions=(a_function("a"),)), api=api)
    (step,) = reopened(release, Live())
    assert step.origins == api.cors
    known = recorded(allowed(release.functions, api))
    assert list(reopened(release, Live(origins=known))) == []
    (closing,) = reopened(replace(release, api=Api()), Live(origins=known))
    assert str(closing) == "let pages of the site alone call functions"


@pytest.mark.parametrize(
    ("said", "code", "turn"),
    [
        ("Invalid issuer: https://x. Issuer must have a valid discovery endpoint", "JAM-ISSUER",
         Turn.SITE),
        ("Insufficient permissions to enable logging", "JAM-DENIED", Turn.AWS),
        ("Something else", "JAM-AWS", Turn.AWS),
    ],
)  # fmt: skip
def test_api_gateways_refusals_say_whose_turn_it_is(said: str, code: str, turn: Turn) -> None:
    error = ClientError({"Error": {"Code": "BadRequestException", "Message": said}}, "ReimportApi")
    assert (explain(error).code, explain(error).turn) == (code, turn)


def test_who_may_not_turn_the_access_log_on_learns_every_action_that_it_needs() -> None:
    said = "Insufficient permissions to enable logging"
    error = ClientError({"Error": {"Code": "BadRequestException", "Message": said}}, "CreateStage")
    assert [
        each for each in DELIVERY if each.removeprefix("logs:") not in explain(error).hint
    ] == []


KEY = jwk.RSAKey.generate_key(2048, {"kid": "one"})


def issuer(address: str) -> bytes:
    if address.endswith("openid-configuration"):
        return json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}).encode()
    return json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()


def offline(_address: str) -> bytes:
    raise OSError("no network")


def bearer(**claims: Any) -> Request:
    told = {"iss": ISSUER, "aud": "app", "exp": 200, **claims}
    token = jwt.encode({"alg": "RS256", "kid": "one"}, told, KEY)
    headers = (("authorization", f"Bearer {token}"),)
    return Request(method="GET", host="localhost", path="/", headers=headers)


def test_dev_lets_in_whom_api_gateway_would() -> None:
    gate, said = Gate(Tokens(issuer, lambda: 100.0)), list[str]()
    wanted = Admission(authorizer=MEMBERS)
    assert gate(Admission(), bearer(), said.append) is None
    passed = gate(wanted, bearer(), said.append)
    assert isinstance(passed, dict)
    assert passed["jwt"]["claims"]["aud"] == "app"
    refused = gate(wanted, bearer(aud="other"), said.append)
    assert isinstance(refused, Response)
    assert refused.status == 401
    assert said == ["401, by the authorizer members: the token does not have a valid audience"]
    assert announced("members", ISSUER).endswith(ISSUER)


def test_without_the_issuers_keys_dev_lets_nobody_in_and_says_why() -> None:
    gate, said = Gate(Tokens(offline, lambda: 100.0)), list[str]()
    refused = gate(Admission(authorizer=MEMBERS), bearer(), said.append)
    assert isinstance(refused, Response)
    assert refused.status == 401
    assert "no network" in said[0]
