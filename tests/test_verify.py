"""What is looked at before a deploy says that it is done."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from runner.errors import JamError
from runner.fetch import Answer
from runner.model import Admission, Authorizer, HeaderSet, Kind, Routing
from runner.verify import Patience, looked_at, smoke, verify, visitor_path
from tests.builders import a_file, a_function, a_release

PAGE = a_file("index.html", "hello")
CHUNK = a_file("assets/a-1.js", "code", kind=Kind.IMMUTABLE)
RELEASE = a_release(files=(PAGE, CHUNK), functions=(a_function("hello"),))
HEADERS = {
    "content-type": PAGE.content_type,
    "cache-control": PAGE.cache_control,
    "x-jam-release": RELEASE.id,
}


def patience(seconds: float = 0.0) -> Patience:
    ticks = itertools.count()
    return Patience(seconds=seconds, clock=lambda: float(next(ticks)), sleep=lambda _: None)


def serving(answers: dict[str, Answer | list[Answer]]):
    def fetch(path, headers):
        answer = answers[path]
        if isinstance(answer, list):
            return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer

    return fetch


GOOD = {
    "/": Answer(status=200, headers=HEADERS, body=b"hello"),
    "/assets/a-1.js": Answer(status=200, headers=HEADERS, body=b"code"),
    "/.functions/hello": Answer(status=404, body=b"mine"),
}


def check(answers, *, release=RELEASE, seconds=0.0):
    return verify(
        release,
        files=release.files,
        functions=release.functions,
        fetch=serving({**GOOD, **answers}),
        patience=patience(seconds),
    )


def test_what_is_served_as_released_passes():
    assert [each.outcome for each in check({})] == ["passed"] * 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=403), "answers 403"),
        (Answer(status=200, headers=HEADERS, body=b"other"), "other bytes"),
        (
            Answer(status=200, headers={**HEADERS, "content-type": "x/y"}, body=b"hello"),
            "content-type is 'x/y'",
        ),
        (
            Answer(status=200, headers={**HEADERS, "x-jam-release": "old"}, body=b"hello"),
            "x-jam-release is 'old'",
        ),
    ],
)
def test_what_differs_is_named(answer, says):
    with pytest.raises(JamError) as caught:
        check({"/": answer})
    assert caught.value.code == "JAM-VERIFY"
    assert says in caught.value.message


def test_an_edge_that_is_late_is_waited_for():
    late = Answer(status=200, headers={**HEADERS, "x-jam-release": "old"}, body=b"old")
    checks = check({"/": [late, late, GOOD["/"]]}, seconds=60.0)
    assert checks[0].outcome == "passed"


def test_header_rules_are_part_of_what_was_released():
    rules = HeaderSet(ref="h.1", headers=(("X-Frame-Options", "DENY"),), parts=())
    release = a_release(files=(PAGE,))
    ruled = type(release)(
        id=RELEASE.id,
        files=(CHUNK,),
        header_sets=(rules,),
        redirects=(),
        functions=(),
        routing=Routing(api_stage="", headers="h.1"),
    )
    with pytest.raises(JamError, match="x-frame-options is None"):
        check({}, release=ruled)


REFUSED = Answer(status=403, body=b'{"message":"Forbidden"}')
OWN = replace(REFUSED, headers={"x-jam-own": "yes"})
MEMBERS = Authorizer(name="members", issuer="https://issuer.example.com", audience=("app",))


@pytest.mark.parametrize(
    ("answer", "function", "outcome"),
    [
        (REFUSED, a_function("hello"), "failed"),
        (replace(REFUSED, status=401), a_function("hello"), "failed"),
        (OWN, a_function("hello"), "passed"),
        (
            replace(REFUSED, status=401),
            replace(a_function("hello"), admission=Admission(authorizer=MEMBERS)),
            "passed",
        ),
        (REFUSED, replace(a_function("hello"), stream=True), "passed"),
    ],
    ids=["the keeper's", "the API's", "the function's", "an authorizer's", "of a stream"],
)
def test_a_refusal_that_is_not_the_functions_own_is_told_apart(answer, function, outcome):
    checks = looked_at(
        RELEASE,
        files=(),
        functions=(function,),
        fetch=serving({"/.functions/hello": answer}),
        patience=patience(),
    )
    assert [each.outcome for each in checks] == [outcome]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=500, body=b"{}"), "answers 500"),
        (Answer(status=404, body=b'{"message":"Not Found"}'), "has no route"),
    ],
)
def test_a_function_that_fails_stops_the_deploy_before_it_goes_live(answer, says):
    with pytest.raises(JamError) as caught:
        smoke(
            (a_function("hello"),),
            fetch=serving({"/.functions/hello": answer}),
            explain=lambda function: f"{function.name} said: boom",
            patience=patience(),
        )
    assert caught.value.code == "JAM-FUNCTION-FAILS"
    assert says in caught.value.message
    assert "boom" in caught.value.hint


def test_a_function_that_takes_no_get_is_not_called():
    post = a_function("hello")
    post = type(post)(**{**{s: getattr(post, s) for s in post.__slots__}, "methods": ("POST",)})
    assert smoke((post,), fetch=serving({}), explain=lambda _: "", patience=patience()) == ()


@pytest.mark.parametrize(
    ("answers", "calls", "passes"),
    [
        (
            [Answer(status=404, body=b'{"message":"Not Found"}'), Answer(status=200, body=b"")],
            2,
            True,
        ),
        ([Answer(status=404, body=b'{"message":"Not Found"}')] * 9, 5, False),
        ([Answer(status=500, body=b""), Answer(status=200, body=b"")], 1, False),
        ([Answer(status=404, body=b"no such note")], 1, True),
    ],
)
def test_a_route_that_is_missing_yet_is_waited_for_and_a_failing_function_is_called_once(
    answers, calls, passes
):
    asked = []

    def fetch(path, headers):
        asked.append(path)
        return answers[len(asked) - 1]

    def go():
        return smoke(
            (a_function("hello"),), fetch=fetch, explain=lambda _: "", patience=patience(5.0)
        )

    if passes:
        assert [check.outcome for check in go()] == ["passed"]
    else:
        with pytest.raises(JamError):
            go()
    assert len(asked) == calls


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("index.html", "/"),
        ("about.html", "/about"),
        ("blog/index.html", "/blog/"),
        ("käse & brot.html", "/k%C3%A4se%20%26%20brot"),
        ("releases/v1.2.html", "/releases/v1.2.html"),
        ("v1.2/index.html", "/v1.2/"),
    ],
)
def test_pages_are_fetched_at_the_address_that_visitors_use(path, address):
    page = a_file(path)
    assert visitor_path(page) == address
