"""The entry Lambda: as code in process, and as the archive that Lambda unpacks."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.entry.counts import Counts
from runner.entry.entry import Entry
from runner.entry.release import Content, UnavailableError, site_of
from runner.entry.rules import Rule, Visit, location, match, preferred
from runner.model import File, Kind, Redirect, Release, Routing
from runner.package.entry import BUDGET, documents, package
from runner.paths import key_of_uri

OWN, OTHER = "a" * 32, "b" * 32
REVALIDATE = "public, max-age=0, s-maxage=31536000, must-revalidate"
PRIVATE = "private, no-store"
MINUTE = "public, max-age=0, s-maxage=60, must-revalidate"
HTML = "text/html; charset=utf-8"
FILES = {
    "index.html": ["document", HTML, REVALIDATE, "0123456789abcdef.1", "0" * 64],
    "about/index.html": ["document", HTML, REVALIDATE, "", "0" * 64],
    "de/index.html": ["document", HTML, REVALIDATE, "", "0" * 64],
    "404/index.html": ["document", HTML, REVALIDATE, "", "0" * 64],
    "data.json": ["asset", "application/json", REVALIDATE, "", "0" * 64],
    "assets/x-1.js": [
        "immutable",
        "text/javascript",
        "public, max-age=31536000, immutable",
        "",
        "0" * 64,
    ],
}
HEADERS = {"0123456789abcdef.1": [["X-A", "1"], ["Cache-Control", "max-age=9"]]}


def _silent(_line: str) -> None:
    """Tests of what is counted listen themselves."""


def _rule(source: str, target: str = "/x", status: int = 301, **more: Any) -> dict[str, Any]:
    empty = {"force": False, "query": [], "countries": [], "languages": []}
    return {"source": source, "target": target, "status": status, **empty, **more}


def _manifest(*rules: dict[str, Any], release: str = OWN, **more: Any) -> bytes:
    whole = {"v": 1, "release": release, "files": FILES, "redirects": list(rules)}
    whole |= {"headers": HEADERS, "routing": {"i": ["assets/*"]}, "notFound": "404/index.html"}
    return json.dumps({**whole, **more}).encode()


class Bucket:
    """Objects by key; `down` makes every read fail."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.asked: list[str] = []
        self.objects: dict[str, bytes] = {}
        for release in (OWN, OTHER):
            for key in FILES:
                self.objects[f"releases/{release}/{key}"] = f"{key} of {release[0]}".encode()
        self.objects[f"releases/{OTHER}/~release.json"] = _manifest(
            _rule("/only-b", "/b"), release=OTHER
        )
        self.objects["assets/assets/x-1.js"] = b"x-1"
        self.objects["assets/assets/gone-1.js"] = b"gone-1"

    def __call__(self, key: str) -> Content | None:
        self.asked.append(key)
        if self.down:
            raise UnavailableError(key)
        body = self.objects.get(key)
        return None if body is None else Content(body, f'"{hashlib.md5(body).hexdigest()}"')


class Got:
    """A function URL's answer, easier to ask."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.status: int = payload["statusCode"]
        self.headers: dict[str, str] = payload["headers"]
        self.cookies: list[str] = payload.get("cookies", [])
        raw = payload["body"]
        self.body = base64.b64decode(raw) if payload.get("isBase64Encoded") else raw.encode()

    @property
    def cache(self) -> str:
        return self.headers["cache-control"]


def _event(uri: str, headers: dict[str, str] | None = None, method: str = "GET") -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": uri,
        "rawQueryString": "",
        "headers": headers or {},
        "requestContext": {"http": {"method": method, "path": uri}},
        "isBase64Encoded": False,
    }


def _visit(
    path: str,
    *rules: dict[str, Any],
    bucket: Bucket | None = None,
    release: str = OWN,
    key: str = "any",
    headers: dict[str, str] | None = None,
    method: str = "GET",
    **manifest: Any,
) -> Got:
    entry = Entry(
        site_of(_manifest(*rules, **manifest)), bucket or Bucket(), Counts("notes", _silent)
    )
    sent = {"x-jam-path": path, "x-jam-host": "www.example.com", **(headers or {})}
    return Got(entry(_event(f"/releases/{release}/{key}", sent, method)))


@pytest.mark.parametrize(
    ("path", "rule", "where"),
    [
        ("/a", _rule("/a", "/x"), "/x"),
        ("/a/", _rule("/a", "/x"), "/x"),
        ("/a", _rule("/a/", "/x"), "/x"),
        ("/A", _rule("/a", "/x"), None),
        ("/a/b", _rule("/a", "/x"), None),
        ("/c%C3%A9", _rule("/cé", "/x"), "/x"),
        ("/c%C3%A9", _rule("/c%c3%a9", "/x"), "/x"),
        ("/blog/2024/a.html", _rule("/blog/*", "/news/:splat"), "/news/2024/a.html"),
        ("/blog", _rule("/blog/*", "/news/:splat"), "/news/"),
        ("/blog/a/", _rule("/blog/*", "/news/:splat"), "/news/a/"),
        ("/n/24/05", _rule("/n/:y/:m", "/b-:y-:m.html"), "/b-24-05.html"),
        ("/n/24", _rule("/n/:y/:m", "/b"), None),
        ("/n/24/index.html", _rule("/n/:y", "/:y"), "/24"),
        ("/blog.html", _rule("/blog/*", "/x"), "/x"),
        ("/x/y", _rule("/*", "https://new.example/:splat", 302), "https://new.example/x/y"),
        ("/x", _rule("/*", "https://new.example:8443/:splat"), "https://new.example:8443/x"),
        ("/p/q", _rule("/p/:unknown", "/:other"), "/:other"),
    ],
)
def test_a_redirect_matches_as_netlify_documents(
    path: str, rule: dict[str, Any], where: str | None
) -> None:
    got = _visit(path, rule)
    assert got.headers.get("location") == where
    assert got.status == (rule["status"] if where else 404)
    assert got.cache == (PRIVATE if where else MINUTE)


@pytest.mark.parametrize(
    ("query", "target", "where"),
    [
        ("a=1&b=%C3%A9", "/x", "/x?a=1&b=%C3%A9"),
        ("a=1", "/x?own=2", "/x?own=2"),
        ("a=1", "/x#part", "/x?a=1#part"),
        ("", "/x#part", "/x#part"),
        ("a=é", "/x", "/x?a=%C3%A9"),
    ],
)
def test_the_query_goes_along_unless_the_target_has_its_own(
    query: str, target: str, where: str
) -> None:
    assert (
        _visit("/a", _rule("/a", target), headers={"x-jam-query": query}).headers["location"]
        == where
    )


PARAMETERS = [
    _rule("/s", "/both/:a/:b", query=[["a", ":a"], ["b", ":b"]]),
    _rule("/s", "/one/:a", query=[["a", ":a"]]),
    _rule("/s", "/fixed", query=[["k", "v"]]),
]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("a=1&b=2", "/both/1/2"),
        ("b=2&a=1", "/both/1/2"),
        ("a=1", "/one/1"),
        ("a=1&utm=x", "/one/1?utm=x"),
        ("a=c/d%2F..", "/one/c%2Fd%2F.."),
        ("a=1&a=2", "/one/1"),
        ("k=v", "/fixed"),
        ("k=w", None),
        ("", None),
    ],
)
def test_parameters_choose_a_rule_and_fill_its_target(query: str, where: str | None) -> None:
    got = _visit("/s", *PARAMETERS, headers={"x-jam-query": query})
    assert got.headers.get("location") == where
    assert got.cache == PRIVATE  # a 404 too: another query would have moved on


@pytest.mark.parametrize(
    ("country", "language", "where"),
    [
        ("AT", "", "/at"),
        ("DE", "", None),
        ("", "de", "/de"),
        ("", "de-CH, en;q=0.9", "/de"),
        ("", "en, de;q=0.9", None),
        ("", "en;q=0.5, de;q=0.9", "/de"),
        ("", "den", None),
        ("", "*", None),
        ("", "de;q=0", None),
        ("", "de;q=nonsense", None),
    ],
)
def test_country_and_language_are_conditions(
    country: str, language: str, where: str | None
) -> None:
    rules = (_rule("/h", "/at", 302, countries=["at"]), _rule("/h", "/de", 302, languages=["de"]))
    headers = {"cloudfront-viewer-country": country, "accept-language": language}
    got = _visit("/h", *rules, headers=headers)
    assert got.headers.get("location") == where
    assert got.cache == PRIVATE


def test_a_rule_for_another_path_leaves_an_answer_cacheable() -> None:
    assert _visit("/h", _rule("/i", "/at", 302, countries=["at"])).cache == MINUTE


@pytest.mark.parametrize("path", ["/old", "/old/", "/old.html", "/old/index.html"])
@pytest.mark.parametrize("source", ["/old", "/old/", "/old.html", "/old/index.html"])
def test_a_rule_for_one_spelling_of_a_path_holds_for_all(source: str, path: str) -> None:
    assert _visit(path, _rule(source)).headers["location"] == "/x"


@pytest.mark.parametrize("target", ["/old/", "/old.html", "/old#part", "/old?a=b"])
def test_no_visitor_is_sent_in_circles(target: str) -> None:
    assert _visit("/old", _rule("/old", target)).status == 404


def test_the_first_rule_wins() -> None:
    assert _visit("/a", _rule("/a", "/1"), _rule("/a", "/2")).headers["location"] == "/1"


def test_the_first_rule_that_matches_a_file_decides_forced_or_not() -> None:
    rules = (_rule("/about", "/x"), _rule("/about", "/y", force=True))
    assert _visit("/about", *rules).body == b"about/index.html of a"
    abroad = _rule("/about", "/x", countries=["de"])
    assert _visit("/about", abroad, rules[1]).headers["location"] == "/y"


def test_a_folder_with_a_dot_in_its_name_is_found_without_its_slash() -> None:
    files = FILES | {"v1.2/index.html": FILES["about/index.html"]}
    seen = _visit("/v1.2", files=files, headers={"x-jam-query": "a=1"})
    assert (seen.status, seen.headers["location"]) == (301, "/v1.2/?a=1")
    assert _visit("/v1.3", files=files).status == 404
    fallback = _rule("/*", "/index.html", 200)
    assert _visit("/v1.2", fallback, files=files).headers["location"] == "/v1.2/"


def test_a_file_is_stronger_than_a_rule_unless_the_rule_is_forced() -> None:
    assert _visit("/about", _rule("/about")).body == b"about/index.html of a"
    assert _visit("/about", _rule("/about", force=True)).headers["location"] == "/x"


def test_a_redirect_to_the_path_that_was_asked_for_is_none() -> None:
    assert _visit("/a", _rule("/:b", "/a"), _rule("/a", "/c")).headers["location"] == "/c"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("//evil.example", "/:splat"),
        ("///evil.example", "/:splat"),
        ("/%2F%2Fevil.example", "/:splat"),
        ("/%5Cevil.example", "/:splat"),
        ("/\\evil.example", "/:splat"),
        ("/%0d%0aset-cookie:%20a=b", "/:splat"),
        ("/%09/evil.example", "/:splat"),
        ("/%00", "/:splat"),
    ],
)
def test_no_path_leads_to_another_host(path: str, target: str) -> None:
    where = _visit(path, _rule("/*", target), _rule("/*", "/x")).headers["location"]
    assert re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", where)


def test_an_empty_parameter_does_not_make_a_host_of_the_next() -> None:
    rule = _rule("/s", "/:a/:b", query=[["a", ":a"], ["b", ":b"]])
    got = _visit("/s", rule, headers={"x-jam-query": "a=&b=evil.example"})
    assert got.headers["location"] == "/evil.example"


RAW = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), max_size=30)


@given(
    path=RAW, query=RAW, target=st.sampled_from(["/:splat", "/a:splat", "https://h.example/:splat"])
)
def test_every_location_is_printable_and_on_the_host_that_the_rule_names(
    path: str, query: str, target: str
) -> None:
    rule = Rule(source="/*", target=target, status=301)
    params, _ = match(rule, Visit(path="/" + path, query=query))
    assert params is not None
    where = location(rule, params, query)
    assert re.fullmatch(r"[\x21-\x7e]+", where)
    assert where.startswith("https://h.example/" if target.startswith("https") else "/")
    assert not re.match(r"/[/\\]", where)


@given(RAW)
def test_every_accept_language_has_a_meaning(text: str) -> None:
    assert isinstance(preferred(text), str)


@pytest.mark.parametrize(
    ("rule", "status", "body", "cache"),
    [
        (_rule("/r", "/about", 200), 200, b"about/index.html of a", REVALIDATE),
        (_rule("/r", "/about.html?x#y", 200), 200, b"about/index.html of a", REVALIDATE),
        (_rule("/r", "/nowhere", 200), 404, b"404/index.html of a", MINUTE),
        (_rule("/r", "/about", 404), 404, b"about/index.html of a", MINUTE),
        (_rule("/r", "/about", 410), 410, b"about/index.html of a", MINUTE),
        (_rule("/r", "", 410), 410, b"404/index.html of a", MINUTE),
        (_rule("/r", "/nowhere", 410), 410, b"404/index.html of a", MINUTE),
        (_rule("/r", "/data.json", 200), 200, b"data.json of a", REVALIDATE),
    ],
)
def test_a_rewrite_answers_with_the_targets_file(
    rule: dict[str, Any], status: int, body: bytes, cache: str
) -> None:
    got = _visit("/r", rule)
    assert (got.status, got.body, got.cache) == (status, body, cache)
    assert got.headers["x-jam-release"] == OWN


def test_a_rewrite_that_a_country_chose_is_kept_by_nobody() -> None:
    rule = _rule("/r", "/de", 200, countries=["de"])
    got = _visit("/r", rule, headers={"cloudfront-viewer-country": "DE"})
    assert (got.status, got.body, got.cache) == (200, b"de/index.html of a", PRIVATE)


def test_a_listed_path_is_served_with_its_headers() -> None:
    got = _visit("/")
    assert (got.status, got.body) == (200, b"index.html of a")
    assert got.headers == {
        "content-type": HTML,
        "etag": f'"{hashlib.md5(b"index.html of a").hexdigest()}"',
        "x-jam-kind": "document",
        "x-a": "1",
        "cache-control": "max-age=9",
        "x-jam-release": OWN,
    }


@pytest.mark.parametrize("path", ["/", "/about", "/data.json", "/assets/x-1.js"])
def test_a_listed_path_that_cannot_be_read_is_503_and_never_404(path: str) -> None:
    got = _visit(path, bucket=Bucket(down=True))
    assert (got.status, got.cache) == (503, PRIVATE)
    empty = Bucket()
    empty.objects.clear()
    assert _visit(path, bucket=empty).status == 503


def test_a_file_too_large_for_a_function_url_is_503() -> None:
    bucket = Bucket()
    bucket.objects[f"releases/{OWN}/data.json"] = b"x" * 5_000_000
    assert _visit("/data.json", bucket=bucket).status == 503


def test_an_unknown_path_is_the_sites_404_page_for_a_minute() -> None:
    got = _visit("/nowhere")
    assert (got.status, got.body, got.cache) == (404, b"404/index.html of a", MINUTE)
    assert "x-jam-kind" not in got.headers


def test_an_errors_page_does_not_live_as_long_as_its_header_rule_says() -> None:
    got = _visit("/nowhere", notFound="index.html")
    assert (got.status, got.headers["x-a"], got.cache) == (404, "1", MINUTE)


def test_a_site_without_a_404_page_gets_a_built_in_one() -> None:
    got = _visit("/nowhere", notFound="")
    assert (got.status, got.headers["content-type"]) == (404, HTML)
    assert b"Page not found" in got.body


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/notes/7", 200, b"index.html of a"),
        ("/notes/", 200, b"index.html of a"),
        ("/about", 200, b"about/index.html of a"),
        ("/notes.txt", 404, b"404/index.html of a"),
        ("/notes%2Etxt", 404, b"404/index.html of a"),
        ("/docs/x", 404, b"404/index.html of a"),
    ],
)
def test_an_application_falls_back_to_its_start_document(
    path: str, status: int, body: bytes
) -> None:
    got = _visit(path, routing={"spa": 1, "x": ["docs"]})
    assert (got.status, got.body) == (status, body)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ('"{}"', 304),
        ('W/"{}"', 304),
        ('"other", W/"{}"', 304),
        ("*", 304),
        ('"other"', 200),
        ("{}", 200),
        ("", 200),
    ],
)
def test_a_known_file_is_not_sent_again(tags: str, status: int) -> None:
    tag = hashlib.md5(b"about/index.html of a").hexdigest()
    got = _visit("/about", headers={"if-none-match": tags.format(tag)})
    assert (got.status, got.body == b"") == (status, status == 304)
    assert got.headers["etag"] == f'"{tag}"'


def test_a_404_is_never_304() -> None:
    assert _visit("/nowhere", headers={"if-none-match": "*"}).status == 404


def test_head_has_headers_and_no_body() -> None:
    got = _visit("/about", method="HEAD")
    assert (got.status, got.body, got.headers["content-type"]) == (200, b"", HTML)


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 204), ("POST", 405), ("PUT", 405)])
def test_other_methods_are_told_what_is_allowed(method: str, status: int) -> None:
    got = _visit("/about", method=method)
    assert (got.status, got.headers["allow"]) == (status, "GET, HEAD, OPTIONS")


def test_cookies_of_a_header_rule_stand_apart() -> None:
    headers = {"0123456789abcdef.1": [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2; Path=/"]]}
    entry = Entry(site_of(_manifest(headers=headers)), Bucket(), Counts("notes", _silent))
    got = Got(entry(_event(f"/releases/{OWN}/index.html", {"x-jam-path": "/"})))
    assert got.cookies == ["a=1", "b=2; Path=/"]
    assert "set-cookie" not in got.headers


def test_another_release_answers_by_its_own_manifest_and_files() -> None:
    bucket = Bucket()
    entry = Entry(site_of(_manifest()), bucket, Counts("notes", _silent))
    for _ in range(2):
        moved = Got(entry(_event(f"/releases/{OTHER}/x", {"x-jam-path": "/only-b"})))
        assert (moved.headers["location"], moved.headers["x-jam-release"]) == ("/b", OTHER)
    page = Got(entry(_event(f"/releases/{OTHER}/about/index.html", {"x-jam-path": "/about"})))
    assert (page.body, page.headers["x-jam-release"]) == (b"about/index.html of b", OTHER)
    assert bucket.asked.count(f"releases/{OTHER}/~release.json") == 1


def test_a_release_that_cannot_be_asked_for_is_503() -> None:
    assert _visit("/about", release=OTHER, bucket=Bucket(down=True)).status == 503


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/about", 200, b"about/index.html of a"),
        ("/nowhere", 404, b"404/index.html of a"),
        ("/assets/x-1.js", 200, b"x-1"),
        ("/assets/gone-1.js", 200, b"gone-1"),
        ("/assets/never.js", 404, b"404/index.html of a"),
    ],
)
def test_a_release_that_is_gone_is_answered_for_and_nobody_keeps_that(
    path: str, status: int, body: bytes
) -> None:
    got = _visit(path, release="c" * 32)
    assert (got.status, got.body, got.cache) == (status, body, PRIVATE)


@pytest.mark.parametrize(
    ("uri", "headers"),
    [
        ("/releases/~/about/index.html", {"x-jam-draw": "request-1"}),
        (f"/releases/{OTHER}/about/index.html", {"x-jam-draw": "request-1"}),
    ],
)
def test_a_draw_is_answered_by_the_version_that_was_drawn(
    uri: str, headers: dict[str, str]
) -> None:
    entry = Entry(site_of(_manifest()), Bucket(), Counts("notes", _silent))
    got = Got(entry(_event(uri, {"x-jam-path": "/about", **headers})))
    assert (got.body, got.cache) == (b"about/index.html of a", PRIVATE)


def test_a_missing_fingerprinted_file_is_404() -> None:
    entry = Entry(site_of(_manifest()), Bucket(), Counts("notes", _silent))
    got = Got(entry(_event("/assets/assets/never.js", {"x-jam-path": "/assets/never.js"})))
    assert (got.status, got.cache) == (404, PRIVATE)


def test_without_the_visitors_path_the_key_says_it() -> None:
    entry = Entry(site_of(_manifest(_rule("/c%C3%A9", "/x"))), Bucket(), Counts("notes", _silent))
    page = Got(entry(_event(f"/releases/{OWN}/about/index.html")))
    assert page.body == b"about/index.html of a"
    moved = Got(entry(_event(f"/releases/{OWN}/c~C3~A9/index.html")))
    assert moved.headers["location"] == "/x"


def test_what_stands_for_all_too_long_paths_is_kept_by_nobody() -> None:
    entry = Entry(site_of(_manifest()), Bucket(), Counts("notes", _silent))
    assert Got(entry(_event(f"/releases/{OWN}/~long"))).cache == PRIVATE


@given(
    uri=st.text(max_size=40),
    headers=st.dictionaries(
        st.sampled_from(["x-jam-path", "x-jam-query", "accept-language", "if-none-match"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    ),
)
def test_whatever_comes_entry_answers(uri: str, headers: dict[str, str]) -> None:
    rules = [_rule("/a/*", "/:splat"), _rule("/:x", "/b/:x", query=[["q", ":q"]])]
    entry = Entry(site_of(_manifest(*rules)), Bucket(), Counts("notes", _silent))
    assert Got(entry(_event(uri, headers))).status in (200, 301, 304, 404)


def _file(key: str, size: int = 5, kind: Kind = Kind.DOCUMENT) -> File:
    return File(
        path=key,
        key=key,
        kind=kind,
        digest="0" * 64,
        size=size,
        content_type=HTML,
        cache_control=REVALIDATE,
        source=Path(key),
    )


def _release(*files: File) -> Release:
    return Release(
        id=OWN,
        files=files,
        header_sets=(),
        redirects=(Redirect(source="/a", target="/x", status=301),),
        functions=(),
        routing=Routing(api_stage=""),
        not_found="404/index.html",
    )


def test_the_start_page_the_404_page_and_small_ones_travel_with_entry() -> None:
    big, huge = _file("big/index.html", BUDGET // 2), _file("huge/index.html", BUDGET)
    first, missing = _file("index.html", 999), _file("404/index.html", 9999)
    small, asset = _file("small/index.html", 1), _file("x.css", 1, Kind.ASSET)
    found = documents(_release(huge, big, asset, small, missing, first))
    assert [file.key for file in found] == [
        "index.html",
        "404/index.html",
        "small/index.html",
        "big/index.html",
    ]


def test_a_document_that_would_be_a_folder_stays_in_the_bucket() -> None:
    files = (_file("a/index.html"), _file("a/index.html/b/index.html"))
    assert [file.key for file in documents(_release(*files))] == ["a/index.html/b/index.html"]


def test_the_archive_is_the_same_for_the_same_release() -> None:
    release = _release(_file("index.html"), _file("b/index.html"))
    archives = {package(release, _manifest(), read=lambda file: file.key.encode()) for _ in "12"}
    assert len(archives) == 1


PROBE = """
import json, sys, time
started = time.perf_counter()
import entry
imported = time.perf_counter() - started
answers = [entry.handler(event, None) for event in json.load(sys.stdin)]
print(json.dumps({"answers": answers, "ms": imported * 1000, "heavy": sorted(
    {"boto3", "botocore", "runner"} & set(sys.modules))}))
"""


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """Runs the archive as Lambda does: unpacked, without this package, its folder on the path."""
    release = _release(*(_file(key) for key, file in FILES.items() if file[0] == "document"))
    archive = package(release, _manifest(_rule("/a")), read=lambda file: f"<{file.key}>".encode())
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)

    def run(events: list[dict[str, Any]]) -> dict[str, Any]:
        done = subprocess.run(
            [
                sys.executable,
                "-S",
                "-I",
                "-B",
                "-c",
                f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{PROBE}",
            ],
            input=json.dumps(events).encode(),
            capture_output=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def test_the_archive_answers_alone_and_never_asks_aws_for_what_it_carries(
    unpacked: Callable[[list[dict[str, Any]]], dict[str, Any]],
) -> None:
    paths = {"/": "index.html", "/about.html": "about/index.html", "/nowhere": "x", "/a": "a"}
    events = [_event(f"/releases/{OWN}/{key}", {"x-jam-path": path}) for path, key in paths.items()]
    found = unpacked(events)
    got = list(map(Got, found["answers"]))
    assert [one.status for one in got] == [200, 200, 404, 301]
    assert [one.body for one in got[:3]] == [
        b"<index.html>",
        b"<about/index.html>",
        b"<404/index.html>",
    ]
    assert found["heavy"] == []


# Of two paths that have one storage key, and so one place in CloudFront's cache, neither may get
# what the other does not: whoever asks first would choose for all.
@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        (_rule("/app/:page", "/:page/index.html", 200), ("/app/de", "/app/de.html", "/app/de/")),
        (_rule("/app/:page", "/de", 200), ("/app", "/app/", "/app.html", "/app/index.html")),
        (_rule("/app/:page", "/de", 301), ("/app", "/app/", "/app.html", "/app/index.html")),
        (_rule("/app/*", "/:splat/index.html", 200), ("/app/de", "/app/de/", "/app/%64e.html")),
        (_rule("/a/b", "/de", 200), ("/a/b", "/a/%62", "/a/b%2Ehtml", "/a/b/index%2ehtml")),
        (_rule("/a.b", "/de", 200), ("/a.b/", "/a.b.html", "/a.b/index.html", "/a%2eb.html")),
        (_rule("/x", "/y"), ("/de", "/de.html", "/d%65/index.html")),
    ],
)
def test_all_spellings_of_a_path_get_one_answer(
    rule: dict[str, Any], paths: tuple[str, ...]
) -> None:
    got = [_visit(path, rule) for path in paths]
    assert len({(each.status, each.body, each.cache) for each in got}) == 1


def test_an_application_answers_alike_however_a_path_is_spelled() -> None:
    paths = ("/notes", "/notes/", "/notes.html", "/notes/index.html", "/notes%2Ehtml")
    assert {_visit(path, routing={"spa": 1}).body for path in paths} == {b"index.html of a"}


@pytest.mark.parametrize("path", ["/assets/never.js", "/assets/", "/assets/about.html"])
def test_what_is_asked_of_no_release_is_kept_for_none(path: str) -> None:
    """The key of a fingerprinted file outlives the release that answers for it today."""
    site = site_of(_manifest(routing={"i": ["assets/*"], "spa": 1}))
    entry = Entry(site, Bucket(), Counts("notes", _silent))
    got = Got(entry(_event(f"/assets/{key_of_uri(path)}", {"x-jam-path": path})))
    assert got.cache == PRIVATE
