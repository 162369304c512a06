"""The router and the response function of previews, run as CloudFront would."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.aws.previews import agrees, bypass_of, commit_host, doors, host_key, password_of
from runner.edge import response_code, router_code
from runner.local.javascript import EdgeFunction
from runner.model import Routing
from tests.edge_events import LIVE, NAVIGATION, OLD, request_event, response_event
from tests.previews_site import basic

LARGEST = 10_240  # bytes. Source: CloudFront developer guide, "Quotas on CloudFront Functions"
HOST = "www.example.com"  # what `request_event` asks
PASSWORD, BYPASS = "open sesame", "a-token"
DOORS = doors("pr-7", password=PASSWORD, bypass=BYPASS)
DOOR = hashlib.sha256(f"pr-7{DOORS['p']}{DOORS['b']}".encode()).hexdigest()


class Programs:
    """One engine each for all tests; the store is each test's own."""

    def __init__(self) -> None:
        self.store: Mapping[str, str] = {}
        self.router = EdgeFunction(router_code(previews=True), lambda: self.store)
        self.response = EdgeFunction(response_code(previews=True), lambda: self.store)

    def route(
        self, store: Mapping[str, str], uri: str, *args: Any, cookies: Any = None, **more: Any
    ) -> dict[str, Any]:
        self.store = store
        event = request_event(uri, *args, **more)
        event["request"]["cookies"] |= {k: {"value": v} for k, v in (cookies or {}).items()}
        return self.router.run(event)

    def respond(
        self, store: Mapping[str, str], headers: dict[str, str], uri: str = "/", **more: Any
    ) -> dict[str, Any]:
        self.store = store
        cookies = more.pop("cookies", {})
        request = request_event(uri, more.pop("request", NAVIGATION))
        request["request"]["cookies"] |= {k: {"value": v} for k, v in cookies.items()}
        return self.response.run(response_event(request, headers, **more))


EDGE = Programs()


def shown(host: str = HOST, **more: Any) -> dict[str, str]:
    """A store in which the host shows a release of pull request 7."""
    value = {"v": 1, "e": "pr-7", "live": LIVE, "r": {"s": "pr-7", "i": ["assets/*"]}, **more}
    return {f"e/{host}": json.dumps(value)}


@pytest.mark.parametrize("code", [router_code(previews=True), response_code(previews=True)])
def test_each_program_is_as_small_as_cloudfront_wants_it(code: str) -> None:
    assert len(code.encode()) <= LARGEST


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("/", f"/pr-7/releases/{LIVE}/index.html"),
        ("/about", f"/pr-7/releases/{LIVE}/about/index.html"),
        ("/assets/a.js", "/pr-7/assets/assets/a.js"),
        ("/../pr-8/x", f"/pr-7/releases/{LIVE}/~2E~2E/pr-8/x/index.html"),
        ("/.functions/notes", "/pr-7/.functions/notes"),
    ],
)
def test_every_path_is_one_of_the_preview_that_the_host_shows(uri: str, found: str) -> None:
    assert EDGE.route(shown(), uri, NAVIGATION)["uri"] == found


def test_an_open_tabs_requests_follow_its_own_release_within_the_preview() -> None:
    store = {**shown(), f"r/pr-7/{OLD}": json.dumps({"i": ["old/*"]})}
    assert EDGE.route(store, "/a.css", pin=f"{OLD}.0")["uri"] == f"/pr-7/releases/{OLD}/a.css"
    assert EDGE.route(store, "/old/a.js", pin=f"{OLD}.0")["uri"] == "/pr-7/assets/old/a.js"
    foreign = {**shown(), f"r/{OLD}": json.dumps({"i": ["old/*"]})}
    wanted = f"/pr-7/releases/{OLD}/old/a.js"
    assert EDGE.route(foreign, "/old/a.js", pin=f"{OLD}.0")["uri"] == wanted


@pytest.mark.parametrize(
    "store",
    [
        {},
        {"live": json.dumps({"v": 1, "live": LIVE, "r": {}})},
        {f"e/{HOST}": "{broken"},
        {f"e/{HOST}": "null"},
        {f"e/{HOST}": json.dumps({"e": "../x", "live": LIVE})},
        {f"e/{HOST}": json.dumps({"e": "production", "live": LIVE})},
        {f"e/{HOST}": json.dumps({"e": "pr-07", "live": LIVE})},
        {f"e/{HOST}": json.dumps({"e": "pr-7", "live": "../x"})},
        {f"e/{HOST}": json.dumps({"e": "pr-7"})},
        shown("other.example.com"),
    ],
)
@pytest.mark.parametrize(
    "uri", ["/", "/.functions/a", "/.jam/version.json", "/.jam/report", "/.jam/open"]
)
def test_a_host_that_shows_nothing_says_so(store: dict[str, str], uri: str) -> None:
    answer = EDGE.route(store, uri, NAVIGATION)
    assert (answer["statusCode"], answer["headers"]["x-robots-tag"]["value"]) == (404, "noindex")
    assert answer["headers"]["cache-control"]["value"] == "no-store"


@pytest.mark.parametrize("host", ["WWW.Example.COM", "www.example.com"])
def test_a_hosts_letters_are_all_one(host: str) -> None:
    assert host_key(host) in shown()
    assert "uri" in EDGE.route(shown(), "/", {"host": host})


@pytest.mark.parametrize(
    "host", ["", "e/", "__proto__", "constructor", "a" * 600, "é", "%2e", "secret"]
)
def test_a_hostile_host_is_a_host_that_shows_nothing(host: str) -> None:
    store = {**shown(), "secret": json.dumps({"t": "s"})}
    assert EDGE.route(store, "/", {"host": host})["statusCode"] == 404


@pytest.mark.parametrize("uri", ["/", "/app.css", "/.functions/a", "/.jam/version.json"])
@pytest.mark.parametrize(
    ("headers", "cookies", "status"),
    [
        ({}, {}, 401),
        (basic("wrong"), {}, 401),
        ({"authorization": "Bearer x"}, {}, 401),
        ({"x-jam-bypass": "wrong"}, {}, 401),
        ({"x-jam-bypass": DOORS["b"]}, {}, 401),
        ({}, {"jam-door": "wrong"}, 401),
        ({}, {"jam-door": DOORS["p"]}, 401),
        (basic(PASSWORD), {}, 200),
        ({"x-jam-bypass": BYPASS}, {}, 200),
        ({}, {"jam-door": DOOR}, 200),
        ({"authorization": "Bearer x"}, {"jam-door": DOOR}, 200),
    ],
)
def test_only_who_knows_the_password_or_the_token_or_was_let_in_may_look(
    uri: str, headers: dict[str, str], cookies: dict[str, str], status: int
) -> None:
    found = EDGE.route(shown(**DOORS), uri, headers, cookies=cookies)
    assert found.get("statusCode", 200) == status
    if status == 401:
        assert found["headers"]["www-authenticate"]["value"].startswith("Basic ")


def test_a_function_gets_the_sites_own_authorization_and_never_the_previews_password() -> None:
    store, cookies = shown(**DOORS), {"jam-door": DOOR}
    for each in ({}, cookies):
        request = EDGE.route(store, "/.functions/a", basic(PASSWORD), cookies=each)
        assert "authorization" not in request["headers"]
    own = {"authorization": "Bearer own"}
    request = EDGE.route(store, "/.functions/a", own, cookies=cookies)
    assert request["headers"]["authorization"]["value"] == "Bearer own"
    token = EDGE.route(store, "/.functions/a", {"x-jam-bypass": BYPASS})
    assert "x-jam-bypass" not in token["headers"]


def test_a_door_opens_one_preview_alone() -> None:
    other = shown(e="pr-8", **DOORS)
    assert EDGE.route(other, "/", cookies={"jam-door": DOOR})["statusCode"] == 401


def test_an_api_beside_the_first_is_named_by_the_host() -> None:
    code = router_code(previews=True).replace(
        "cf.updateRequestOrigin(", "console.log(JSON.stringify("
    )
    code = code.replace("{domainName:now.api})", "{domainName:now.api}))")
    far = shown(a="a2.execute-api.eu-central-1.amazonaws.com")
    for store, expected in ((far, ["a2.execute-api.eu-central-1.amazonaws.com"]), (shown(), [])):
        logged = EdgeFunction(code, lambda store=store: store)
        done = logged.invoke(request_event("/.functions/a"))
        assert [json.loads(each)["domainName"] for each in done.logs] == expected


OF_OLD = {"host": f"{OLD[:8]}--{HOST}"}


def with_commit(**stable: Any) -> dict[str, str]:
    """A preview, and the host of a commit of before, which everybody might look at."""
    routing = {"s": "pr-7", "i": ["assets/*"]}
    return {**shown(**stable), **shown(OF_OLD["host"], live=OLD, r=routing)}


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), (basic(PASSWORD), 200), ({"x-jam-bypass": BYPASS}, 200)]
)
def test_a_door_that_is_shut_later_shuts_older_commits_too(
    headers: dict[str, str], status: int
) -> None:
    found = EDGE.route(with_commit(**DOORS), "/", {**headers, **OF_OLD})
    assert found.get("statusCode", 200) == status


def test_an_older_commit_has_its_own_files_and_says_whose_functions_it_has() -> None:
    found = EDGE.route(with_commit(), "/", {**NAVIGATION, **OF_OLD})
    assert found["uri"] == f"/pr-7/releases/{OLD}/index.html"
    document = {**DOCUMENT, "x-amz-meta-jam-release": OLD}
    for uri in ("/", "/.functions/a"):
        told = EDGE.respond(with_commit(), document, uri, request=OF_OLD)["headers"]
        assert told["x-jam-newest"]["value"] == LIVE
    newest = {**shown(), **shown(f"{LIVE[:8]}--{HOST}")}
    for store, host in ((newest, f"{LIVE[:8]}--{HOST}"), (with_commit(), HOST)):
        found = EDGE.respond(store, DOCUMENT, request={**NAVIGATION, "host": host})
        assert "x-jam-newest" not in found["headers"]


def test_a_commits_host_shows_nothing_without_the_preview_that_it_is_of() -> None:
    commit = shown(OF_OLD["host"], live=OLD)
    for store in (commit, {**commit, **shown(e="pr-8")}):
        assert EDGE.route(store, "/", OF_OLD)["statusCode"] == 404


def test_no_rollout_and_no_link_to_a_release_is_in_a_preview() -> None:
    store = shown(candidate=OLD, rollout="r1", c={})
    request = EDGE.route(store, "/", NAVIGATION)
    assert request["uri"] == f"/pr-7/releases/{LIVE}/index.html"
    assert "x-jam-draw" not in request["headers"]
    assert EDGE.route(store, "/.jam/report")["statusCode"] == 204


DOCUMENT = {"x-amz-meta-jam-release": LIVE, "x-amz-meta-jam-kind": "document"}


def test_every_answer_is_kept_from_search_engines() -> None:
    for uri in ("/", "/app.css", "/.functions/a"):
        found = EDGE.respond(shown(), {"content-type": "text/plain"}, uri, request={})
        assert found["headers"]["x-robots-tag"]["value"] == "noindex"


def test_a_functions_answer_is_left_as_it_is() -> None:
    theirs = {"x-amz-version-id": "1", "x-amz-meta-jam-kind": "document", "x-jam-release": "own"}
    found = EDGE.respond(shown(), theirs, "/.functions/a")
    assert {name: each["value"] for name, each in found["headers"].items()} == {
        **theirs,
        "x-robots-tag": "noindex",
    }
    assert "jam-pin" not in found["cookies"]


def test_who_gave_the_password_has_a_cookie_from_then_on() -> None:
    found = EDGE.respond(shown(**DOORS), DOCUMENT, request={**NAVIGATION, **basic(PASSWORD)})
    cookie = found["cookies"]["jam-door"]
    assert cookie == {"value": DOOR, "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax"}
    open_to_all = EDGE.respond(shown(), DOCUMENT)
    assert "jam-door" not in open_to_all["cookies"]


def test_nobody_gets_that_cookie_for_nothing() -> None:
    assert "jam-door" not in EDGE.respond(shown(**DOORS), DOCUMENT)["cookies"]
    assert "jam-door" not in EDGE.respond({}, DOCUMENT)["cookies"]


def test_a_host_that_another_preview_had_is_swept_once_a_browser() -> None:
    cookies = {"session": "of the former", "jam-lease": "1"}
    found = EDGE.respond(shown(n=2), DOCUMENT, cookies=cookies)
    assert found["headers"]["clear-site-data"]["value"] == '"cache", "storage"'
    assert found["cookies"]["session"] == {"value": "", "attributes": "Path=/; Max-Age=0"}
    assert found["cookies"]["jam-lease"]["value"] == "2"
    after = EDGE.respond(shown(n=2), DOCUMENT, cookies={"session": "x", "jam-lease": "2"})
    assert "clear-site-data" not in after["headers"]
    assert "session" not in after["cookies"]


@pytest.mark.parametrize("more", [{}, {"n": 1}, {"n": "x"}, {"n": None}])
def test_a_hosts_first_preview_sweeps_nothing(more: dict[str, Any]) -> None:
    found = EDGE.respond(shown(**more), DOCUMENT, cookies={"session": "x"})
    assert "clear-site-data" not in found["headers"]
    assert "session" not in found["cookies"]


VALUES = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(),
    st.sampled_from(
        ["pr-7", LIVE, "../x", "pr-9999999999", {}, [], {"s": "../"}, {"i": [7, "**"]}]
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    stored=st.dictionaries(st.sampled_from(["e", "live", "r", "p", "b", "n", "a"]), VALUES),
    uri=st.sampled_from(
        ["/", "/.functions/a", "/.jam/open", "/a//b", "/%ff", "/.jam/version.json"]
    ),
    header=st.sampled_from(["authorization", "x-jam-bypass", "x-jam-release", "accept"]),
    text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
)
def test_whatever_the_store_says_the_answer_is_a_path_of_a_preview_or_a_refusal(
    stored: dict[str, Any], uri: str, header: str, text: str
) -> None:
    store = {f"e/{HOST}": json.dumps(stored)}
    found = EDGE.route(store, uri, {header: text})
    if "uri" in found:
        assert re.match(
            r"/(pr-[1-9][0-9]{0,8}|[0-9A-Za-z_-]+/\.functions)/|/\.functions/", found["uri"]
        )
    else:
        assert found["statusCode"] in (200, 204, 302, 401, 403, 404)
    EDGE.respond(store, DOCUMENT, uri, request={header: text})


def test_passwords_are_derived_alike_at_each_run_and_differ_between_previews() -> None:
    secret = "a-secret"
    seven = password_of(secret, "pr-7")
    assert re.fullmatch(r"[a-z2-7]{16}", seven)
    others = {password_of(secret, "pr-8"), password_of("other", "pr-7"), bypass_of(secret, "pr-7")}
    assert seven not in others
    assert seven == password_of(secret, "pr-7")
    assert len(others) == 3


def test_a_hosts_value_agrees_only_with_its_release_and_its_doors() -> None:
    value = {"live": LIVE, **DOORS, "r": {}}
    assert agrees(value, release=LIVE, doors=DOORS)
    assert not agrees(value, release=OLD, doors=DOORS)
    assert not agrees(value, release=LIVE, doors={})
    assert not agrees({"live": LIVE}, release=LIVE, doors=DOORS)
    assert not agrees({}, release=LIVE, doors={})


def test_a_commit_has_a_host_beside_the_previews() -> None:
    host = commit_host("pr-7.preview.example.com", LIVE)
    assert host == f"{LIVE[:8]}--pr-7.preview.example.com"
    assert len(host_key(host)) < 512  # bytes; "Quotas on key value stores"


def test_the_largest_value_of_a_host_fits_into_the_store() -> None:
    from runner.package.manifest import compact, routing_form

    routing = Routing(api_stage="pr-999999999", immutable=tuple("x" * 40 for _ in range(10)))
    value = {"v": 1, "e": "pr-999999999", "live": LIVE, "r": routing_form(routing), **DOORS}
    assert len(compact({**value, "n": 999, "a": "x" * 60}).encode()) <= 1024
