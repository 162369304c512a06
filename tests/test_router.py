"""The router, run as CloudFront would: from a visitor's request to a release's key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.edge import router_code
from runner.local.javascript import EdgeFunction
from runner.open import LASTS, pass_of
from runner.paths import key_of, key_of_uri
from tests.edge_events import LIVE, NAVIGATION, OLD, live, request_event


class Router:
    """One engine for all tests; the store is each test's own."""

    def __init__(self) -> None:
        self.store: Mapping[str, str] = {}
        self.function = EdgeFunction(router_code(), lambda: self.store)

    def __call__(
        self, store: Mapping[str, str], uri: str, *args: Any, **more: Any
    ) -> dict[str, Any]:
        self.store = store
        return self.function.run(request_event(uri, *args, **more))


ROUTER = Router()
ROUTING = {"s": "stage-1", "i": ["assets/*", "_app/*.js"]}


def _header(request: dict[str, Any], name: str) -> str | None:
    field = request["headers"].get(name)
    return None if field is None else str(field["value"])


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("/", "index.html"),
        ("/about", "about/index.html"),
        ("/about/", "about/index.html"),
        ("/about.html", "about/index.html"),
        ("/about/index.html", "about/index.html"),
        ("/a.b/c.css", "a.b/c.css"),
        ("/%61bout", "about/index.html"),
        ("/c%C3%A9line", "c~C3~A9line/index.html"),
        ("/céline", "c~C3~A9line/index.html"),
        ("/a+b%20c", "a~2Bb~20c/index.html"),
        ("/../x", "~2E~2E/x/index.html"),
        ("/%2e%2e/x", "~2E~2E/x/index.html"),
        ("/a/.", "a/~2E"),
        ("/...html", "~2E~2E/index.html"),
        ("/a%2Fb.css", "a~2Fb.css"),
        ("//evil.example/x", "~/evil.example/x/index.html"),
        ("/a//", "a/~/index.html"),
        ("/%", "~25/index.html"),
        ("/%zz%4", "~25zz~254/index.html"),
        ("/%ff%00", "~FF~00/index.html"),
        ("/~release.json", "~7Erelease.json"),
        ("/😀", "~F0~9F~98~80/index.html"),
        ("/.html", ".html"),
        ("/.well-known/x", ".well-known/x/index.html"),
    ],
)
def test_a_path_has_one_key(uri: str, key: str) -> None:
    assert ROUTER(live(), uri)["uri"] == f"/releases/{LIVE}/{key}"
    assert key_of_uri(uri) == key


PIECES = st.one_of(
    st.sampled_from(["%2F", "%2e", "%", "%e", "%zz", "..", ".", "/", "//", ".html", "index.html"]),
    st.sampled_from(
        ["~", "~2E", "%7E", "\\", "+", "%20", "%00", "%FF", "é", "%C3%A9", "😀", "%F0"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
URIS = st.lists(PIECES, max_size=12).map(lambda pieces: "/" + "".join(pieces))


@settings(max_examples=600, deadline=None)
@given(URIS)
def test_router_and_packaging_give_every_path_the_same_key(uri: str) -> None:
    clean = re.sub(r"[\x00-\x20\x7f#?]", "", uri)
    found = ROUTER(live(), clean)["uri"].removeprefix(f"/releases/{LIVE}/")
    expected = key_of_uri(clean)
    assert found == (expected if len(expected) <= 900 else "~long")
    assert re.fullmatch(r"[A-Za-z0-9/._~-]+", found)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%"), max_size=40))
def test_a_path_without_escapes_is_its_own_decoded_form(path: str) -> None:
    assert key_of_uri("/" + path) == key_of("/" + path)


@settings(max_examples=300, deadline=None)
@given(
    uri=URIS.map(lambda uri: re.sub(r"[\x00-\x20\x7f#]", "", uri)),
    stored=st.dictionaries(
        st.sampled_from(["live", f"r/{OLD}", f"r/{LIVE}"]),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["null", "[]", "{}", "7", '{"live":7}', '{"live":"x","r":[]}']),
            st.sampled_from(
                [{"i": 7}, {"i": [7, None, "**"]}, {"s": {}}, {"x": "a", "spa": 1}, 0]
            ).map(lambda routing: json.dumps({"v": 1, "live": LIVE, "r": routing})),
            st.sampled_from([{"i": {}}, {"s": "../x"}]).map(json.dumps),
        ),
    ),
    headers=st.dictionaries(
        st.sampled_from(["accept", "sec-fetch-mode", "x-jam-release", "x-jam-draw", "host"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")),
    ),
    query=st.dictionaries(
        st.text("abc/%=&;é", min_size=1, max_size=5), st.text("abc%/é", max_size=5), max_size=4
    ),
    pin=st.text(max_size=60) | st.just(f"{OLD}.0"),
    prefix=st.sampled_from(["", "/.functions", "/.jam"]),
)
def test_whatever_comes_the_router_answers_and_never_with_an_error(
    *,
    uri: str,
    stored: dict[str, str],
    headers: dict[str, str],
    query: dict[str, str],
    pin: str,
    prefix: str,
) -> None:
    fields = {name: {"value": value} for name, value in query.items()}
    ROUTER.store = stored
    event = request_event(
        prefix + uri, headers, query=fields, pin=re.sub(r"[\x00-\x1f\x7f]", "", pin)
    )
    found = ROUTER.function.run(event)  # raises for whatever CloudFront would refuse
    assert found.get("statusCode") == 400 or found["uri"].startswith("/")


def test_a_visitors_query_host_and_path_travel_in_headers_of_ours() -> None:
    query: dict[str, Any] = {"response-content-type": {"value": "text/html"}, "a": {"value": ""}}
    query["b"] = {"value": "1", "multiValue": [{"value": "1"}, {"value": "%C3%A9 ü"}]}
    request = ROUTER(live(), "/a%2Fb/ü", query=query)
    assert request["querystring"] == {}
    assert (
        _header(request, "x-jam-query") == "response-content-type=text/html&a&b=1&b=%C3%A9%20%C3%BC"
    )
    assert _header(request, "x-jam-host") == "www.example.com"
    assert _header(request, "x-jam-path") == "/a%2Fb/%C3%BC"


@pytest.mark.parametrize("uri", ["/", "/.functions/a"])
def test_a_visitors_own_headers_of_ours_are_removed(uri: str) -> None:
    names = ("x-jam-draw", "x-jam-query", "x-jam-key", "x-jam-whatever")
    request = ROUTER(live(**ROUTING), uri, dict.fromkeys(names, "evil"))
    assert not {*names} & {*request["headers"]}


def test_a_visitor_cannot_say_where_it_is() -> None:
    forged = {"x-jam-host": "evil", "x-jam-path": "/evil", "x-forwarded-host": "evil"}
    page = ROUTER(live(), "/a", forged)
    assert (_header(page, "x-jam-host"), _header(page, "x-jam-path")) == ("www.example.com", "/a")
    call = ROUTER(live(), "/.functions/a", forged)
    assert _header(call, "x-forwarded-host") == "www.example.com"


PINNED = {"pin": f"{OLD}.0"}
KNOWN = {**live(**ROUTING), f"r/{OLD}": json.dumps({"s": "stage-0", "i": ["old/*"]})}


@pytest.mark.parametrize(
    ("headers", "pin", "release"),
    [
        (NAVIGATION, "", LIVE),
        (NAVIGATION, f"{OLD}.0", LIVE),
        ({"accept": "text/html,*/*"}, f"{OLD}.0", LIVE),
        ({"accept": "text/html", "sec-fetch-mode": "cors"}, f"{OLD}.0", OLD),
        ({"sec-fetch-mode": "no-cors", "sec-fetch-dest": "serviceworker"}, f"{OLD}.0", LIVE),
        ({}, "", LIVE),
        ({}, f"{OLD}.0", OLD),
        ({}, f"{OLD}.d-ABC123", OLD),
        ({}, OLD, LIVE),
        ({}, f"{OLD}.", LIVE),
        ({}, f"../{OLD}.0", LIVE),
        ({"x-jam-release": "c" * 32}, f"{OLD}.0", "c" * 32),
        ({"x-jam-release": "../x"}, f"{OLD}.0", OLD),
        ({"x-jam-release": "c" * 32, **NAVIGATION}, "", LIVE),
    ],
)
def test_navigations_follow_live_and_the_rest_follows_its_page(
    headers: dict[str, str], pin: str, release: str
) -> None:
    assert ROUTER(KNOWN, "/a.json", headers, pin=pin)["uri"] == f"/releases/{release}/a.json"


@pytest.mark.parametrize(
    ("uri", "more", "expected"),
    [
        ("/assets/x.js", {}, "/assets/assets/x.js"),
        ("/_app/a/b.js", {}, "/assets/_app/a/b.js"),
        ("/_app/a/b.css", {}, f"/releases/{LIVE}/_app/a/b.css"),
        ("/old/x.js", PINNED, "/assets/old/x.js"),
        ("/assets/x.js", PINNED, f"/releases/{OLD}/assets/x.js"),
        ("/assets/x.js", {"pin": f"{'c' * 32}.0"}, f"/releases/{'c' * 32}/assets/x.js"),
    ],
)
def test_fingerprinted_files_lie_where_every_release_finds_them(
    uri: str, more: dict[str, Any], expected: str
) -> None:
    assert ROUTER(KNOWN, uri, **more)["uri"] == expected


@pytest.mark.parametrize(
    ("uri", "headers", "key"),
    [
        ("/notes/7", NAVIGATION, "index.html"),
        ("/notes/", NAVIGATION, "index.html"),
        ("/docs", NAVIGATION, "docs/index.html"),
        ("/docs/a", NAVIGATION, "docs/a/index.html"),
        ("/documents", NAVIGATION, "index.html"),
        ("/a.txt", NAVIGATION, "a.txt"),
        ("/a%2Etxt", NAVIGATION, "a.txt"),
        ("/about.html", NAVIGATION, "about/index.html"),
        ("/notes/7", {}, "notes/7/index.html"),
    ],
)
def test_an_applications_paths_are_its_start_document(
    uri: str, headers: dict[str, str], key: str
) -> None:
    found = ROUTER(live(spa=1, x=["docs"]), uri, headers)["uri"]
    assert found == f"/releases/{LIVE}/{key}"


@pytest.mark.parametrize(
    ("store", "pin", "uri"),
    [
        (KNOWN, "", "/stage-1/.functions/a%2Fb/..c"),
        (KNOWN, f"{OLD}.0", "/stage-0/.functions/a%2Fb/..c"),
        (KNOWN, f"{'c' * 32}.0", "/stage-1/.functions/a%2Fb/..c"),
        ({**KNOWN, f"r/{OLD}": "{broken"}, f"{OLD}.0", "/stage-1/.functions/a%2Fb/..c"),
        (live(), "", "/.functions/a%2Fb/..c"),
        ({}, "", "/.functions/a%2Fb/..c"),
        ({f"r/{OLD}": '{"s":"stage-0"}'}, f"{OLD}.0", "/stage-0/.functions/a%2Fb/..c"),
    ],
)
def test_a_function_is_called_in_its_pages_stage(store: dict[str, str], pin: str, uri: str) -> None:
    request = ROUTER(store, "/.functions/a%2Fb/..c", NAVIGATION, pin=pin, method="POST")
    assert request["uri"] == uri


@pytest.mark.parametrize(
    "uri",
    [
        "/.functions/../x",
        "/.functions/a/../../stage-0/.functions/b",
        "/.functions/./x",
        "/.functions/%2e%2E/%2e./stage-0/.functions/b",
        "/.functions/a/..",
        "/.functions/a/..%2fb",
        "/.functions/a%2F..%2Fb",
        "/.functions/a\\..\\b",
        "/.functions/a%5c.%2e%5Cb",
    ],
)
def test_nobody_climbs_from_one_stage_to_another(uri: str) -> None:
    """CloudFront matches what RFC 3986 makes of a path, and hands on what was sent."""
    assert ROUTER(KNOWN, uri)["statusCode"] == 400


def test_a_functions_query_goes_along_and_its_slashes_are_encoded() -> None:
    query = {"a/b": {"value": "c/d"}, "e": {"value": ""}}
    request = ROUTER(KNOWN, "/.functions/a", query=query)
    assert request["querystring"] == {"a%2Fb": {"value": "c/d"}, "e": {"value": ""}}


@pytest.mark.parametrize("store", [{}, {"live": "{"}, {"live": "null"}, {"live": '{"live":"x"}'}])
def test_without_a_readable_live_entry_is_asked_and_nothing_is_kept(store: dict[str, str]) -> None:
    request = ROUTER(store, "/about", NAVIGATION)
    assert request["uri"] == "/releases/~/about/index.html"
    assert _header(request, "x-jam-draw") == "request-1"


def test_a_key_that_no_bucket_can_hold_is_never_asked_for() -> None:
    request = ROUTER(live(), "/" + "é" * 400)
    assert request["uri"] == f"/releases/{LIVE}/~long"


def test_a_huge_query_is_left_out_rather_than_cut() -> None:
    assert _header(ROUTER(live(), "/", query={"a": {"value": "b" * 5000}}), "x-jam-query") is None


def test_what_is_handed_on_leaves_s3_room_for_the_other_headers() -> None:
    for path in (100, 1900, 3900):
        request = ROUTER(live(), "/" + "y" * path, query={"a": {"value": "b" * 4000}})
        own = [name for name in request["headers"] if name.startswith("x-jam-")]
        assert sum(len(str(_header(request, name))) for name in own) < 7 * 1024
        assert (_header(request, "x-jam-path") is None) == (path > 2000)


def test_a_functions_uri_that_would_grow_too_long_is_414() -> None:
    found = ROUTER(KNOWN, "/.functions/" + "a" * 8175)
    assert found["statusCode"] == 414


@pytest.mark.parametrize(("more", "reads"), [({}, 1), ({"pin": f"{LIVE}.0"}, 1), (PINNED, 2)])
def test_a_steady_request_reads_the_store_once(more: dict[str, Any], reads: int) -> None:
    code = router_code().replace("cf.kvs().get(", "console.log('read') || cf.kvs().get(")
    function = EdgeFunction(code, lambda: KNOWN)
    for uri in ("/a.json", "/.functions/a"):
        assert len(function.invoke(request_event(uri, **more)).logs) == reads


NOW = 1_800_000_000
SECRET = "a-secret"
KEEPER = {
    **KNOWN,
    "token": json.dumps({"t": SECRET}),
    f"r/{OLD}": json.dumps({"s": "stage-0", "i": ["old/*"]}),
}
OPENS = EdgeFunction(router_code(), lambda: KEEPER, clock=lambda: NOW)
UNTIL = NOW + 60


def _opened(uri: str, cookie: str = "", **more: Any) -> dict[str, Any]:
    event = request_event(uri, **more)
    if cookie:
        event["request"]["cookies"]["jam-open"] = {"value": cookie}
    return OPENS.run(event)


def _link(release: str, token: str) -> dict[str, Any]:
    return {"release": {"value": release}, "token": {"value": token}}


def test_a_link_becomes_a_cookie_and_is_in_no_address_any_more() -> None:
    told = pass_of(OLD, until=UNTIL, token=SECRET)
    found = _opened("/.jam/open", query=_link(OLD, told))
    assert (found["statusCode"], found["headers"]["location"]["value"]) == (302, "/")
    assert found["headers"]["cache-control"]["value"] == "no-store"
    assert found["headers"]["clear-site-data"]["value"] == '"cache"'
    cookie = found["cookies"]["jam-open"]
    assert cookie["value"] == f"{OLD}.{told}"
    wanted = {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", f"Max-Age={LASTS}"}
    assert {*cookie["attributes"].split("; ")} == wanted


@pytest.mark.parametrize(
    ("uri", "headers", "expected"),
    [
        ("/", NAVIGATION, f"/releases/{OLD}/index.html"),
        ("/a.json", {}, f"/releases/{OLD}/a.json"),
        ("/old/x.js", {}, "/assets/old/x.js"),
        ("/a.json", {"x-jam-release": LIVE}, f"/releases/{OLD}/a.json"),
        ("/.functions/a", {}, "/stage-0/.functions/a"),
        ("/.functions/a", {"x-jam-release": LIVE}, "/stage-0/.functions/a"),
    ],
)
def test_who_opened_a_release_gets_all_of_it(
    uri: str, headers: dict[str, str], expected: str
) -> None:
    cookie = f"{OLD}.{pass_of(OLD, until=UNTIL, token=SECRET)}"
    found = _opened(uri, cookie, headers=headers, pin=f"{LIVE}.0")
    assert found["uri"] == expected
    assert "jam-open" not in found["cookies"] or not uri.startswith("/.functions/")
    assert json.loads(_opened("/.jam/version.json", cookie)["body"])["release"] == OLD


@pytest.mark.parametrize(
    "cookie",
    [
        f"{OLD}.{pass_of(OLD, until=NOW - 1, token=SECRET)}",
        f"{OLD}.{pass_of(OLD, until=UNTIL, token='another')}",
        f"{OLD}.{pass_of(LIVE, until=UNTIL, token=SECRET)}",
        f"{OLD}.{UNTIL + 1}.{pass_of(OLD, until=UNTIL, token=SECRET)[11:]}",
        f"{OLD}.{pass_of(OLD, until=UNTIL, token=SECRET)}x",
        f"{OLD}.{UNTIL}.",
        f"{OLD}.{SECRET}",
        OLD,
    ],
    ids=["late", "another's key", "another release's", "later", "longer", "bare", "key", "none"],
)
def test_a_forged_or_late_pass_opens_nothing(cookie: str) -> None:
    assert _opened("/", cookie, headers=NAVIGATION)["uri"] == f"/releases/{LIVE}/index.html"
    assert _opened("/.functions/a", cookie)["uri"] == "/stage-1/.functions/a"
    found = _opened("/.jam/open", query=_link(OLD, cookie[33:]))
    assert (found["statusCode"], "cookies" in found) == (403, False)


def test_a_store_without_a_token_opens_nothing() -> None:
    for token in ("undefined", "null", ""):
        event = request_event("/", NAVIGATION)
        value = f"{OLD}.{pass_of(OLD, until=UNTIL, token=token)}"
        event["request"]["cookies"]["jam-open"] = {"value": value}
        function = EdgeFunction(router_code(), lambda: KNOWN, clock=lambda: NOW)
        assert function.run(event)["uri"] == f"/releases/{LIVE}/index.html"


def test_leaving_takes_the_cookie_away() -> None:
    cookie = f"{OLD}.{pass_of(OLD, until=UNTIL, token=SECRET)}"
    found = _opened("/.jam/open", cookie)
    assert found["statusCode"] == 302
    assert found["cookies"]["jam-open"]["value"] == ""
    assert "Max-Age=0" in found["cookies"]["jam-open"]["attributes"]


def test_who_opened_a_release_takes_no_part_in_a_rollout() -> None:
    value = {"v": 1, "live": LIVE, "r": ROUTING, "candidate": "c" * 32, "rollout": "r1"}
    store = {**KEEPER, "live": json.dumps(value)}
    event = request_event("/", NAVIGATION, pin=f"{LIVE}.r1-s")
    event["request"]["cookies"]["jam-open"] = {
        "value": f"{OLD}.{pass_of(OLD, until=UNTIL, token=SECRET)}"
    }
    found = EdgeFunction(router_code(), lambda: store, clock=lambda: NOW).run(event)
    assert found["uri"] == f"/releases/{OLD}/index.html"
    assert _header(found, "x-jam-rollout") is None
    assert _header(found, "x-jam-draw") is None


def test_both_functions_fit_aws_quota_with_room_for_what_comes() -> None:
    longest = tuple(f"{number}{'w' * 55}.example" for number in range(5))  # all that settings take
    assert len(router_code(longest).encode()) <= 10_240
