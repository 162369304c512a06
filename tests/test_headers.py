"""`_headers`: what is understood, what is refused, and which file gets what."""

from __future__ import annotations

import pytest

from runner.errors import JamError
from runner.package.headers import HeaderRule, headers_for, parse


def _rules(text: str) -> tuple[HeaderRule, ...]:
    return parse(text, "_headers")[0]


def _problems(text: str) -> list[str]:
    with pytest.raises(JamError) as caught:
        parse(text, "_headers")
    assert caught.value.code == "JAM-HEADERS"
    return [str(problem) for problem in caught.value.problems]


def test_a_rule_has_a_path_and_the_headers_below_it() -> None:
    text = "# all pages\n/*\n  X-Frame-Options: DENY\n\n  # twice\n  X-A: b: c\n"
    headers = (("X-Frame-Options", "DENY"), ("X-A", "b: c"))
    assert _rules(text) == (HeaderRule(path="/*", headers=headers, where="_headers:2"),)


def test_a_file_from_windows_reads_the_same() -> None:
    assert _rules("\ufeff/a\r\n  X-A: 1\r\n")[0].headers == (("X-A", "1"),)


def test_a_repeated_header_joins_its_values_but_cookies_stand_apart() -> None:
    text = "/\n  cache-control: no-cache\n  Cache-Control: no-store\n" + (
        "  Set-Cookie: a=1; Path=/\n  Set-Cookie: b=2\n"
    )
    assert headers_for("index.html", _rules(text)) == (
        ("cache-control", "no-cache, no-store"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
    )


def test_the_later_of_two_rules_wins_header_by_header() -> None:
    text = "/*\n  X-A: all\n  X-B: all\n/docs/*\n  x-a: docs\n"
    assert headers_for("docs/a.html", _rules(text)) == (("x-a", "docs"), ("x-b", "all"))
    assert headers_for("a.html", _rules(text)) == (("x-a", "all"), ("x-b", "all"))


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ("/about", "about/index.html", True),
        ("/about/", "about/index.html", True),
        ("/about.html", "about/index.html", True),
        ("/about/index.html", "about.html", True),
        ("/about", "about.html", True),
        ("/About", "about.html", False),
        ("/", "index.html", True),
        ("/index.html", "index.html", True),
        ("/", "about.html", False),
        ("/*", "index.html", True),
        ("/*", "a/b/c.css", True),
        ("/blog/*", "blog/index.html", True),
        ("/blog/*", "blog/2024/a.html", True),
        ("/blog/*", "blogs/a.html", False),
        ("/*.css", "a.css", True),
        ("/*.css", "deep/down/a.css", True),
        ("/*.css", "a.css.map", False),
        ("/img/*.png", "img/a.b.png", True),
        ("/:lang/about", "de/about.html", True),
        ("/:lang/about", "de/at/about.html", False),
        ("/c%C3%A9line", "céline.html", True),
        ("/céline", "céline.html", True),
        ("/a+b", "a+b.html", True),
        ("/a(b", "a(b.html", True),
        ("/404", "404.html", True),
        ("/:page", "index.html", False),
        ("/:page", "about/index.html", True),
        ("/:language/:page", "de/index.html", False),
    ],
)
def test_a_rule_counts_in_any_form_of_the_url(rule: str, path: str, matches: bool) -> None:
    found = headers_for(path, _rules(f"{rule}\n  X-A: 1\n"))
    assert found == ((("x-a", "1"),) if matches else ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/a\n  Basic-Auth: me:secret", "_headers:2: Basic-Auth is not supported: /a would be"),
        ("/a\n  Content-Length: 3", "_headers:2: Content-Length follows from the file"),
        ("/a\n  ETag: x", "ETag follows from the file"),
        ("/a\n  Transfer-Encoding: chunked", "Transfer-Encoding follows"),
        ("/a\n  Via: x", "CloudFront or this tool keeps Via"),
        ("/a\n  X-Amz-Meta-A: x", "keeps X-Amz-Meta-A"),
        ("/a\n  x-edge-a: x", "keeps x-edge-a"),
        ("/a\n  X-Jam-Release: x", "keeps X-Jam-Release"),
        ("/a\n  Connection: close", "keeps Connection"),
        ("X-A: 1", "_headers:1: X-A stands above the first path"),
        ("/a\n  nonsense", "'nonsense' is neither a path nor a header"),
        ("/a\n  X A: 1", "'X A' is no header name"),
        ("/a\n  X-A:", "X-A has no value"),
        ("/a\n  X-A: ü", "X-A has characters beyond ASCII"),
        ("/a\n  X-A: " + "a" * 9000, "9000 characters"),
        ("https://a.example/*\n  X-A: 1", "_headers:1: https://a.example/* is a rule for a whole"),
        ("/.functions/a\n  X-A: 1", "/.functions/a is a function's"),
        ("/a X-A: 1", "has more than a path"),
        ("/a\n  Set-Cookie: jam-pin=1", "jam-pin is this tool's own"),
        ("/a\n  Set-Cookie: nonsense", "'nonsense' is no cookie"),
    ],
)
def test_what_cannot_be_served_is_named(text: str, problem: str) -> None:
    assert problem in _problems(text)[0]


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = "X-A: 1\n/a\n  Via: x\n/.jam/x\n  Date: now\n"
    assert [problem.split(" ")[0] for problem in _problems(text)] == [
        "_headers:1:",
        "_headers:3:",
        "_headers:4:",
        "_headers:5:",
    ]


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("/*\n  Cache-Control: public, max-age=3600", True),
        ("/*\n  Cache-Control: immutable", True),
        ("/about.html\n  cache-control: max-age=1", True),
        ("/*\n  Cache-Control: public, max-age=0, s-maxage=60", False),
        ("/*.js\n  Cache-Control: max-age=3600", False),
        ("/assets/:file.css\n  Cache-Control: max-age=3600", False),
        ("/*\n  X-A: max-age=3600", False),
    ],
)
def test_pages_that_browsers_keep_are_warned_about(text: str, warned: bool) -> None:
    warnings = parse(text, "_headers")[1]
    assert bool(warnings) is warned
    assert all("_headers:2: browsers will keep" in str(warning) for warning in warnings)


def test_a_rule_without_headers_is_warned_about() -> None:
    rules, warnings = parse("/a\n/b\n  X-A: 1\n", "_headers")
    assert [rule.path for rule in rules] == ["/b"]
    assert [str(warning) for warning in warnings] == ["_headers:1: the rule for /a has no headers"]
