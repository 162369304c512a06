"""`_redirects`: what is understood, what is refused, and what a rule matches."""

from __future__ import annotations

import time

import pytest

from runner.errors import JamError
from runner.model import Redirect
from runner.package.redirects import parse, shadows


def _rules(text: str) -> tuple[Redirect, ...]:
    return parse(text, "_redirects")[0]


def _rule(source: str, target: str = "/x", status: int = 301, **more: object) -> Redirect:
    return Redirect(source=source, target=target, status=status, **more)  # type: ignore[arg-type]  # a table's fields


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("/a /x", _rule("/a")),
        ("  /a\t/x   302 ", _rule("/a", status=302)),
        ("/a /x 301!", _rule("/a", force=True)),
        ("/a /x # why", _rule("/a")),
        ("/a /x#part", _rule("/a", "/x#part")),
        ("/a https://b.example", _rule("/a", "https://b.example")),
        ("/a https://b.example:8443/:splat", None),
        ("/a/* https://b.example:8443/:splat", _rule("/a/*", "https://b.example:8443/:splat")),
        ("/* /index.html 200", _rule("/*", "/index.html", 200)),
        ("/en/* /en/404.html 404", _rule("/en/*", "/en/404.html", 404)),
        ("/gone 410", _rule("/gone", "", 410)),
        ("/hidden 404!", _rule("/hidden", "", 404, force=True)),
        ("/n/:y/:m /b-:y-:m.html 307", _rule("/n/:y/:m", "/b-:y-:m.html", 307)),
        ("/s id=:id /b/:id 308", _rule("/s", "/b/:id", 308, query=(("id", ":id"),))),
        ("/s a=1 b=:b /b", _rule("/s", "/b", query=(("a", "1"), ("b", ":b")))),
        ("/ /anz 302 Country=AU,nz", _rule("/", "/anz", 302, countries=("au", "nz"))),
        ("/ /de Language=de,EN-gb", _rule("/", "/de", languages=("de", "en-gb"))),
        ("/a /.functions/b 307", _rule("/a", "/.functions/b", 307)),
        ("/a /b?c=d 303", _rule("/a", "/b?c=d", 303)),
    ],
)
def test_a_line_is_a_rule(line: str, rule: Redirect | None) -> None:
    if rule is None:
        with pytest.raises(JamError):
            _rules(line)
    else:
        assert _rules(line) == (rule,)


def test_comments_and_empty_lines_are_none() -> None:
    assert _rules("\ufeff# a\r\n\r\n   # b\r\n/a /x\r\n") == (_rule("/a"),)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/a", "the rule for /a has no target"),
        ("/a 301", "the rule for /a has no target"),
        ("/a b /x", "has 'b' where parameters are written name=value"),
        ("/a /x 301 b", "has 'b' where"),
        ("a /x", "the source 'a' is no path"),
        ("/a /x 418", "status '418' is not supported (one of 200, 301, 302"),
        ("/a /x 3o1", "status '3o1'"),
        ("http://blog.example.com/* https://www.example.com/:splat", "a rule for a whole domain"),
        ("/api/* https://api.example.com/:splat 200", "is a proxy to another host"),
        ("/a https://api.example.com/a 404", "is a proxy to another host"),
        ("/a //evil.example", "a host without a scheme (write https://evil.example)"),
        ("/a https:///x", "names no host"),
        ("/a/:h https://:h.example.com/", "lets a visitor choose the host"),
        ("/a/* https://example.com:splat", "lets a visitor choose the host"),
        ("/api/* /.netlify/functions/:splat 200", "let the page call /.functions/:splat"),
        ("/api/* /.functions/:splat 200", "no rewrite reaches (let the page call /.functions/"),
        ("/api/* /.netlify/functions/:splat 302", "let the page call"),
        ("/.functions/a /b", "/.functions/a belongs to the site's functions"),
        ("/.jam/a /b", "belongs to the site's functions"),
        ("/a*b /x", "has a * that is not the last segment"),
        ("/a/*/b /x", "has a * that is not the last segment"),
        ("/a?b=c /x", "/a?b=c is more than a path"),
        ("/a /:b", "the target uses :b, which the source does not give"),
        ("/a /x/:splat", "the target uses :splat"),
        ("/a /x 302 Role=admin", "Role= is not supported"),
        ("/a /x 302 Cookie=a", "Cookie= is not supported"),
        (
            "/a /x 302 Country=Austria",
            "Country=Austria is no list of codes (such as Country=de,at)",
        ),
        ("/a /x 302 Language=", "Language= is no list of codes"),
        ("/a /x 302 Moon=full", "unknown condition Moon="),
    ],
)
def test_what_cannot_be_served_is_named(line: str, problem: str) -> None:
    with pytest.raises(JamError) as caught:
        parse(f"# first\n{line}\n", "_redirects")
    assert caught.value.code == "JAM-REDIRECTS"
    assert all(problem.where == "_redirects:2" for problem in caught.value.problems)
    assert problem in " | ".join(map(str, caught.value.problems))


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(JamError) as caught:
        parse("/a\n/b /x\nc /x 999\n", "_redirects")
    assert [problem.where for problem in caught.value.problems] == [
        "_redirects:1",
        "_redirects:3",
        "_redirects:3",
    ]


def test_of_rules_with_one_source_the_one_with_more_parameters_comes_first() -> None:
    text = "/p/* /o/:splat\n/q /r\n/p/* a=:a /o/:a\n/p/* a=:a b=:b /o/:a/:b\n"
    assert [rule.target for rule in _rules(text)] == ["/o/:a/:b", "/r", "/o/:a", "/o/:splat"]


@pytest.mark.parametrize(
    ("text", "unreachable"),
    [
        ("/* /x\n/a /y", 1),
        ("/a /x\n/a/ /y", 1),
        ("/a/:b /x\n/a/c /y", 1),
        ("/a/* /x\n/a/b/* /y", 1),
        ("/a/:b /x\n/a/* /y", 0),
        ("/* /x 200\n/a /y 301!", 1),
        ("/* /x 200!\n/a /y 301!", 1),
        ("/* /x 302 Country=de\n/a /y", 0),
        ("/* a=1 /x 302\n/a /y", 0),
        ("/a /x\n/b /y", 0),
    ],
)
def test_a_rule_that_an_earlier_one_catches_is_warned_about(text: str, unreachable: int) -> None:
    warnings = parse(text, "_redirects")[1]
    assert len(warnings) == unreachable
    assert all("_redirects:2: never matches: line 1 catches" in str(one) for one in warnings)


@pytest.mark.parametrize(
    "line",
    ["/a /a/", "/a.html /a 301!", "/a /a#b 302", "/* /:splat 302", "/:b /:b Country=de"],
)
def test_a_redirect_to_itself_is_left_out_and_warned_about(line: str) -> None:
    rules, warnings = parse(f"/x /y\n{line}\n", "_redirects")
    assert [rule.source for rule in rules] == ["/x"]
    assert "_redirects:2: ignored:" in str(warnings[0])


def test_a_redirect_that_takes_a_parameter_away_does_not_lead_to_itself() -> None:
    assert len(_rules("/a old=:x /a")) == 1


@pytest.mark.parametrize(
    ("source", "path", "shadowed"),
    [
        ("/about", "about.html", True),
        ("/about", "about/index.html", True),
        ("/about.html", "about/index.html", True),
        ("/about/index.html", "about.html", True),
        ("/", "index.html", True),
        ("/index.html", "index.html", True),
        ("/*", "a/b.css", True),
        ("/a/:b", "a/c.css", True),
        ("/a", "a.css", False),
        ("/About", "about.html", False),
        ("/100%25", "100%.html", True),
        ("/%C3%BC", "ü/index.html", True),
        ("/LICENSE", "LICENSE", True),
        ("/b", "a/b.html", False),
        ("/:language/:page", "de/index.html", False),
        ("/:language", "de/index.html", True),
        ("/:any", "index.html", False),
        ("/de/*", "de.html", True),
    ],
)
def test_a_rule_shadows_a_file_in_any_form_of_its_url(
    source: str, path: str, shadowed: bool
) -> None:
    assert shadows(_rule(source), path) is shadowed


def test_ten_thousand_rules_are_read_in_a_second_and_more_are_refused() -> None:
    lines = [f"/old/{number} /new/{number}" for number in range(10_000)]
    started = time.process_time()
    assert len(_rules("\n".join(lines))) == 10_000
    assert time.process_time() - started < 2
    with pytest.raises(JamError, match="1 rules"):
        _rules("\n".join([*lines, "/a /b"]))
