"""Headers that CloudFront adds by a managed policy, and which path chooses the behaviour."""

from __future__ import annotations

from typing import Any

import pytest

from runner.local.wire import AwsError, Request, Response
from tests.cloudfront_site import World, behaviour, config, custom_origin, text

HOST = "origin.example.com"
SECURITY = "67f7725c-6f97-4210-82d7-5512b31e9d03"
ADDED = {
    "strict-transport-security": "max-age=31536000",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
}
REFUSAL = "function handler(event) { return { statusCode: 403 }; }"
SEEN = """function handler(event) {
  const headers = event.response.headers;
  headers['x-seen'] = headers['x-frame-options'];
  headers['x-frame-options'] = { value: 'DENY' };
  return event.response;
}"""


@pytest.fixture
def world() -> World:
    return World()


def _site(world: World, answer: Any = None, **more: Any) -> str:
    world.answers[HOST] = lambda _request: answer or text()
    default = {**behaviour("site", **more), "ResponseHeadersPolicyId": SECURITY}
    made = world.distribute(**config(custom_origin(), default=default))
    return str(made["DomainName"])


def _told(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.headers if name in (*ADDED, "x-seen")}


@pytest.mark.parametrize("status", [200, 301, 404, 503])
def test_every_answer_of_an_origin_gets_them_from_the_cache_as_well(
    world: World, status: int
) -> None:
    host = _site(world, text(status=status, cache_control="max-age=60"))
    assert [_told(world.get(host)) for _ in range(2)] == [ADDED, ADDED]


def test_what_the_origin_says_itself_stays_but_for_nosniff(world: World) -> None:
    own: dict[str, Any] = dict.fromkeys(ADDED, "its own")
    host = _site(world, text(**{name.replace("-", "_"): value for name, value in own.items()}))
    assert _told(world.get(host)) == {**own, "x-content-type-options": "nosniff"}


def test_the_response_function_comes_after_and_has_the_last_word(world: World) -> None:
    host = _site(world, response=world.function(SEEN))
    expected = {**ADDED, "x-seen": "SAMEORIGIN", "x-frame-options": "DENY"}
    assert _told(world.get(host)) == expected


def test_what_a_request_function_answers_gets_none(world: World) -> None:
    assert _told(world.get(_site(world, request=world.function(REFUSAL)))) == {}


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("00000000-0000-0000-0000-000000000000", "NoSuchResponseHeadersPolicy"),
        ("60669652-455b-4ae9-85a4-c4c02393f86c", "NotImplemented"),
    ],
)
def test_another_policy_is_refused(world: World, policy: str, code: str) -> None:
    default = {**behaviour("site"), "ResponseHeadersPolicyId": policy}
    with pytest.raises(AwsError) as refused:
        world.distribute(**config(custom_origin(), default=default))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("/api/x", "api"),
        ("//api//x", "api"),
        ("/a/../api/x", "api"),
        ("/a/%2E%2e/api/x", "api"),
        ("/%61pi/x", "api"),
        ("/api/", "api"),
        ("/api/./", "api"),
        ("/api", "default"),
        ("/api/..", "default"),
        ("/api/%2e%2e/x", "default"),
        ("/API/x", "default"),
        ("/a%2Fapi/x", "default"),
        ("/api%2Fx", "default"),
    ],
)
def test_rfc_3986_says_which_behaviour_a_path_has_and_the_origin_gets_it_as_sent(
    world: World, path: str, chosen: str
) -> None:
    api = "api.example.com"
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.path)
        return text(request.host)

    world.answers |= {HOST: answer, api: answer}
    other = behaviour("api", pattern="/api/*")
    origins = (custom_origin(), custom_origin(api, identity="api"))
    made = world.distribute(**config(*origins, default=behaviour("site"), others=[other]))
    found = world.get(made["DomainName"], path).body.decode()
    assert (found == api, asked) == (chosen == "api", [path])
