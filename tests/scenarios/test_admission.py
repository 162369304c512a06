"""Who gets through to functions: tokens of a user pool, throttles, other origins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.config import Config

from tests.scenarios.conftest import Site

REGION = "eu-central-1"
ORIGIN = "https://app.example.com"
SETTINGS = """
site = "admission"
region = "eu-central-1"
[build]
publish = "public"

[authorizers.members]
issuer = "ISSUER"
audience = ["CLIENT"]

[authorizers.strangers]
issuer = "ISSUER"
audience = ["somebody-else"]

[functions]
cors = ["https://app.example.com"]
authorizer = "members"

[functions.open]
authorizer = "none"

[functions.heard]
authorizer = "none"

[functions.strangers]
authorizer = "strangers"

[functions.scoped]
scopes = ["aws.cognito.signin.user.admin"]

[functions.narrow]
scopes = ["notes.write"]

[functions.slow]
authorizer = "none"
methods = ["GET"]
throttle = { rate = 0.01, burst = 2 }
"""
CODE = """
export const handler = async (event) => ({
  statusCode: 200,
  body: JSON.stringify(event.requestContext.authorizer ?? null),
});
"""


def client(endpoint: str, service: str, **more: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        **more,
    )


HEARD = """
export const handler = async (event) => ({
  statusCode: 200,
  body: JSON.stringify(event),
});
"""


class Pool:
    """A user pool with one member."""

    def __init__(self, endpoint: str) -> None:
        cognito = client(endpoint, "cognito-idp")
        self.id = cognito.create_user_pool(PoolName="members")["UserPool"]["Id"]
        made = cognito.create_user_pool_client(
            UserPoolId=self.id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )
        self.client = made["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=self.id, Username="eve")
        cognito.admin_set_user_password(
            UserPoolId=self.id, Username="eve", Password="Pa55-word", Permanent=True
        )
        self._public = client(endpoint, "cognito-idp", config=Config(signature_version=UNSIGNED))
        self.issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}"

    def tokens(self) -> dict[str, str]:
        """As the site's own page would get them: unsigned."""
        found = self._public.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=self.client,
            AuthParameters={"USERNAME": "eve", "PASSWORD": "Pa55-word"},
        )
        return dict(found["AuthenticationResult"])


@pytest.fixture(scope="module")
def pool(account: str) -> Pool:
    return Pool(account)


@pytest.fixture(scope="module")
def site(account: str, pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("admission")
    settings = SETTINGS.replace("ISSUER", pool.issuer).replace("CLIENT", pool.client)
    files = {"jam.toml": settings, "public/index.html": "<h1>Members</h1>"}
    names = ("open", "closed", "strangers", "scoped", "narrow", "slow")
    files |= {f"functions/{name}.mjs": CODE for name in names}
    files |= {"functions/heard.mjs": HEARD, "functions/told.mjs": HEARD}
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Site(Path(folder), account)


@pytest.fixture(scope="module")
def url(site: Site) -> str:
    return str(site.deploy()["url"])


@pytest.mark.parametrize(
    ("function", "token", "status", "body"),
    [
        ("open", "", 200, '{"lambda":null}'),
        ("closed", "", 401, '{"message":"Unauthorized"}'),
        ("closed", "AccessToken", 200, '"username":"eve"'),
        ("closed", "IdToken", 200, '"cognito:username":"eve"'),
        ("strangers", "AccessToken", 401, '{"message":"Unauthorized"}'),
        ("scoped", "AccessToken", 200, '"scopes":["aws.cognito.signin.user.admin"]'),
        ("scoped", "IdToken", 403, '{"message":"Forbidden"}'),
        ("narrow", "AccessToken", 403, '{"message":"Forbidden"}'),
    ],
)
def test_a_token_of_the_pool_opens_the_routes_that_it_is_for(
    site: Site, url: str, pool: Pool, *, function: str, token: str, status: int, body: str
) -> None:
    sent = {"authorization": f"Bearer {pool.tokens()[token]}"} if token else {}
    answer = site.get(url, f"/.functions/{function}", **sent)
    assert (answer.status, body in answer.data.decode()) == (status, True), answer.data


@pytest.fixture(scope="module")
def api_url(site: Site, url: str) -> str:
    """The address of the API, as a deploy prints it."""
    return str(site.deploy()["api_url"])


@pytest.mark.parametrize(
    ("function", "key", "status"),
    [
        ("open", "", 401),
        ("open", "made-up", 403),
        ("closed", "", 401),
        ("closed", "made-up", 401),
        ("scoped", "", 401),
    ],
)
def test_the_printed_address_of_the_api_opens_nothing(
    site: Site, api_url: str, pool: Pool, *, function: str, key: str, status: int
) -> None:
    """Not even to a member with a token: it comes through the distribution or not at all."""
    sent = {"x_jam_key": key, "authorization": f"Bearer {pool.tokens()['AccessToken']}"}
    stage = urlsplit(api_url).path
    answer = site.get(
        api_url, f"{stage}/.functions/{function}", **{k: v for k, v in sent.items() if v}
    )
    assert (answer.status, b"message" in answer.data) == (status, True), answer.data


@pytest.mark.parametrize("function", ["heard", "told"])
def test_a_function_hears_nothing_of_how_the_api_knew_the_distribution(
    site: Site, url: str, pool: Pool, function: str
) -> None:
    bearer = f"Bearer {pool.tokens()['AccessToken']}"
    answer = site.get(
        url, f"/.functions/{function}", authorization=bearer, x_jam_key="made-up", x_jam_other="1"
    )
    event = json.loads(answer.data)
    assert event["headers"]["authorization"] == bearer
    assert "x-jam-" not in answer.data.decode()


def test_another_origins_preflight_is_answered_and_its_answer_may_be_read(
    site: Site, url: str, pool: Pool
) -> None:
    asked = {"access_control_request_method": "POST",
             "access_control_request_headers": "authorization"}  # fmt: skip
    answer = site.get(url, "/.functions/closed", "OPTIONS", origin=ORIGIN, **asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    bearer = f"Bearer {pool.tokens()['AccessToken']}"
    read = site.get(url, "/.functions/closed", "POST", origin=ORIGIN, authorization=bearer)
    assert (read.status, read.headers["access-control-allow-origin"]) == (200, ORIGIN)
    other = site.get(url, "/.functions/closed", "OPTIONS", origin="https://evil.test", **asked)
    assert "access-control-allow-origin" not in other.headers


def test_other_origins_come_and_go_with_the_release(site: Site, url: str) -> None:
    def open_to(origin: str) -> bool:
        asked = {"access_control_request_method": "GET", "origin": origin}
        answer = site.get(url, "/.functions/open", "OPTIONS", **asked)
        return "access-control-allow-origin" in answer.headers

    line = f'cors = ["{ORIGIN}"]'
    for before, after, origins in [
        (line, 'cors = ["https://new.example.com"]', (False, True)),
        ('cors = ["https://new.example.com"]', "", (False, False)),
        ("[functions]\n", f"[functions]\n{line}", (True, False)),
    ]:
        site.replace("jam.toml", before, after)
        site.deploy()
        assert (open_to(ORIGIN), open_to("https://new.example.com")) == origins


def test_more_requests_than_the_burst_are_refused(site: Site, url: str) -> None:
    answers = [site.get(url, "/.functions/slow").status for _ in range(4)]
    assert answers[-2:] == [429, 429]


def test_requests_are_seen_with_their_release(site: Site, url: str) -> None:
    site.get(url, "/.functions/closed?secret=1", user_agent='a "quoted" agent')
    site.get(url, "/.functions/open", user_agent="plain")
    live = site.jam("status").answer
    found = site.jam("logs", "--access").answer["lines"]
    open_ones = [line for line in found if line.get("agent") == "plain"]
    assert open_ones
    last = open_ones[-1]
    assert (last["method"], last["path"], last["status"]) == ("GET", "/.functions/open", 200)
    assert last["releases"][0] in json.dumps(live)
    refused = [line for line in found if line.get("status") == 401]
    assert any(line["authorizer"] == "no token" for line in refused)
    assert {line["status"] for line in found if "slow" in line.get("route", "")} >= {429}
    own = site.jam("logs", "slow", "--access").answer["lines"]
    assert own
    assert {line["route"] for line in own} == {"GET /.functions/slow"}


def test_a_token_ends_by_the_clouds_clock(site: Site, url: str, pool: Pool) -> None:
    bearer = f"Bearer {pool.tokens()['AccessToken']}"
    assert site.get(url, "/.functions/closed", authorization=bearer).status == 200
    urllib3.request("POST", f"{site.endpoint}/_jam/clock", json={"advance": 3601})
    answer = site.get(url, "/.functions/closed", authorization=bearer)
    assert (answer.status, "expired" in answer.headers["www-authenticate"]) == (401, True)
