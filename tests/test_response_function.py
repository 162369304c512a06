"""The response function, run as CloudFront would: release, header rules, pin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.edge import response_code
from runner.local.javascript import EdgeFunction
from tests.edge_events import LIVE, NAVIGATION, OLD, live, request_event, response_event

DOCUMENT = {"x-amz-meta-jam-release": LIVE, "x-amz-meta-jam-kind": "document"}
ASSET = {"x-amz-meta-jam-release": LIVE, "x-amz-meta-jam-kind": "asset"}
COOKIE = {
    "value": f"{LIVE}.0",
    "attributes": "Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax",
}
REFERENCE = "0123456789abcdef.2"
TEXT = json.dumps([["X-Frame-Options", "DENY"], ["Set-Cookie", "seen=1; Path=/"], ["X-B", "ü"]])
PARTS = {"h/0123456789abcdef.0": TEXT[:30], "h/0123456789abcdef.1": TEXT[30:]}


class Response:
    """One engine for all tests; the store is each test's own."""

    def __init__(self) -> None:
        self.store: dict[str, str] = {}
        self.function = EdgeFunction(response_code(), lambda: self.store)

    def __call__(
        self, headers: dict[str, str], request: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        self.store = more.pop("store", {})
        seen = request or request_event("/", NAVIGATION)
        return self.function.run(response_event(seen, headers, **more))


RESPOND = Response()


def test_a_document_names_its_release_and_sets_the_pin() -> None:
    found = RESPOND({**DOCUMENT, "content-type": "text/html"})
    assert found["headers"] == {
        "content-type": {"value": "text/html"},
        "x-jam-release": {"value": LIVE},
    }
    assert found["cookies"] == {"jam-pin": COOKIE}


@pytest.mark.parametrize(
    ("headers", "request_headers", "pin", "pinned"),
    [
        (DOCUMENT, NAVIGATION, "", True),
        (DOCUMENT, NAVIGATION, f"{LIVE}.0", False),
        (DOCUMENT, NAVIGATION, f"{LIVE}.d-1", False),
        (DOCUMENT, NAVIGATION, f"{OLD}.0", True),
        (DOCUMENT, {"accept": "text/html"}, "", True),
        (DOCUMENT, {"accept": "*/*"}, "", False),
        (DOCUMENT, {"sec-fetch-mode": "cors", "accept": "text/html"}, f"{OLD}.0", False),
        (ASSET, NAVIGATION, "", False),
        ({"x-jam-release": LIVE, "x-jam-kind": "document"}, NAVIGATION, "", True),
        ({"x-jam-release": LIVE}, NAVIGATION, "", False),
        ({**DOCUMENT, "x-amz-meta-jam-release": "x; y"}, NAVIGATION, "", False),
    ],
)
def test_only_a_navigation_to_a_document_moves_the_pin(
    headers: dict[str, str], request_headers: dict[str, str], pin: str, pinned: bool
) -> None:
    found = RESPOND(headers, request_event("/", request_headers, pin=pin))
    assert found["cookies"] == ({"jam-pin": COOKIE} if pinned else {})


def test_what_only_amazon_and_we_need_is_removed() -> None:
    ours = {
        "x-amz-version-id": "1",
        "server": "AmazonS3",
        "x-amz-meta-own": "x",
        "x-jam-kind": "asset",
    }
    found = RESPOND({**ASSET, **ours, "etag": '"1"'})
    assert set(found["headers"]) == {"etag", "x-jam-release"}


def test_a_header_set_is_put_together_from_its_parts() -> None:
    found = RESPOND({**ASSET, "x-amz-meta-jam-headers": REFERENCE}, store=PARTS)
    assert found["headers"]["x-frame-options"] == {"value": "DENY"}
    assert found["headers"]["x-b"] == {"value": "ü"}
    assert found["cookies"] == {"seen": {"value": "1", "attributes": "Path=/"}}


def test_a_users_cache_control_is_what_browsers_get() -> None:
    text = json.dumps([["Cache-Control", "max-age=60"]])
    headers = {
        **ASSET,
        "x-amz-meta-jam-headers": "0123456789abcdef.1",
        "cache-control": "s-maxage=9",
    }
    found = RESPOND(headers, store={"h/0123456789abcdef.0": text})
    assert found["headers"]["cache-control"] == {"value": "max-age=60"}


@pytest.mark.parametrize(
    ("reference", "store"),
    [
        (REFERENCE, {}),
        (REFERENCE, {"h/0123456789abcdef.0": TEXT[:30]}),
        (REFERENCE, {**PARTS, "h/0123456789abcdef.1": "x"}),
        (REFERENCE, {"h/0123456789abcdef.0": "nu", "h/0123456789abcdef.1": "ll"}),
        ("nonsense", PARTS),
        ("0123456789abcdef.99", PARTS),
        ("0123456789abcdef.0", PARTS),
    ],
)
def test_a_page_whose_headers_have_not_arrived_is_not_kept(
    reference: str, store: dict[str, str]
) -> None:
    found = RESPOND({**DOCUMENT, "x-amz-meta-jam-headers": reference}, store=store)
    assert found["headers"]["cache-control"] == {"value": "no-store"}
    assert found["cookies"] == {"jam-pin": COOKIE}


@pytest.mark.parametrize(
    ("pin", "store", "expanded"),
    [
        ("", {**live(h=REFERENCE), **PARTS}, True),
        (f"{OLD}.0", {**live(), f"r/{OLD}": json.dumps({"h": REFERENCE}), **PARTS}, True),
        (f"{OLD}.0", {**live(h=REFERENCE), f"r/{OLD}": "{}", **PARTS}, False),
        (f"{OLD}.0", {**live(h=REFERENCE), **PARTS}, True),
        ("", live(), False),
        ("", {}, False),
    ],
)
def test_immutable_files_get_the_headers_of_the_visitors_release(
    pin: str, store: dict[str, str], expanded: bool
) -> None:
    request = request_event("/assets/x.js", pin=pin)
    found = RESPOND({"x-amz-meta-jam-kind": "immutable"}, request, store=store)
    assert ("x-frame-options" in found["headers"]) is expanded
    assert "cache-control" not in found["headers"]
    assert "x-jam-release" not in found["headers"]


@settings(max_examples=200, deadline=None)
@given(
    headers=st.dictionaries(
        st.sampled_from([*DOCUMENT, "x-amz-meta-jam-headers", "x-jam-release", "x-jam-kind"]),
        st.sampled_from(["", LIVE, REFERENCE, "document", "immutable", "ü", "../x"]),
    ),
    store=st.dictionaries(
        st.sampled_from([*PARTS, "live"]),
        st.sampled_from(
            ["[]", '[["a"]]', "[[]]", '[["Set-Cookie","x"]]', "[[1,2]]", "{", *live(h=7).values()]
        ),
    ),
    status=st.sampled_from([200, 206, 301, 304]),
)
def test_whatever_an_origin_says_the_function_answers(
    headers: dict[str, str], store: dict[str, str], status: int
) -> None:
    assert RESPOND(headers, store=store, status=status)["statusCode"] == status


FRAMED = {"x-frame-options": "SAMEORIGIN"}  # by the distribution's policy


@pytest.mark.parametrize(
    ("headers", "own", "policy"),
    [
        ({**DOCUMENT, **FRAMED}, [], "frame-ancestors 'self'"),
        (DOCUMENT, [], None),
        ({**ASSET, **FRAMED}, [], None),
        ({**DOCUMENT, **FRAMED}, [["X-Frame-Options", "DENY"]], None),
        ({**DOCUMENT, **FRAMED}, [["X-Frame-Options", "ALLOWALL"]], None),
        ({**DOCUMENT, **FRAMED}, [["Content-Security-Policy", "img-src *"]], "img-src *"),
        ({**DOCUMENT, **FRAMED}, [["Referrer-Policy", "origin"]], "frame-ancestors 'self'"),
    ],
)
def test_only_the_site_itself_frames_its_pages_unless_it_says_otherwise(
    headers: dict[str, str], own: list[list[str]], policy: str | None
) -> None:
    store = {"h/0123456789abcdef.0": json.dumps(own)}
    reference = {"x-amz-meta-jam-headers": "0123456789abcdef.1"}
    found = RESPOND({**headers, **reference}, store=store)["headers"]
    assert found.get("content-security-policy") == (policy and {"value": policy})
    assert not own or found[own[0][0].lower()] == {"value": own[0][1]}


def test_the_function_fits_aws_quota() -> None:
    assert len(response_code().encode()) <= 9_000


def test_what_an_opened_release_gives_is_kept_nowhere() -> None:
    request = request_event("/app.js")
    request["request"]["cookies"]["jam-open"] = {"value": "whatever"}
    found = RESPOND({**ASSET, "cache-control": "public, max-age=3600"}, request)
    assert found["headers"]["cache-control"]["value"] == "private, no-store"
    plain = RESPOND({**ASSET, "cache-control": "public, max-age=3600"}, request_event("/app.js"))
    assert plain["headers"]["cache-control"]["value"] == "public, max-age=3600"
