"""Which functions can stream, and what is told of those that cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.model import Authorizer
from runner.package.functions.discover import Language, Source, route_of
from runner.package.functions.settings import (
    Configuration,
    FunctionSettings,
    FunctionsSettings,
    configure,
    problems,
)
from runner.package.functions.streams import MOST, stream_problems

MEMBERS = Authorizer(name="members", issuer="https://example.com", audience=("site",))


def source(name: str, language: Language = Language.NODE) -> Source:
    ending = "js" if language is Language.NODE else "py"
    return Source(name=name, route=route_of(name), path=f"{name}.{ending}", language=language)


def configured(
    one: Source, own: FunctionSettings, common: FunctionSettings | None = None
) -> Configuration:
    return configure(
        one,
        FunctionsSettings(
            common=common or FunctionSettings(),
            named={one.name: own},
            authorizers={"members": MEMBERS},
        ),
    )


STREAM = FunctionSettings(stream=True)


def told(one: Source, own: FunctionSettings) -> list[str]:
    found = {one: configured(one, own)}
    return [f"{each.where}: {each.message}" for each in stream_problems(found)]


def test_a_streaming_function_answers_get_and_head_and_may_take_fifteen_minutes() -> None:
    one = source("live/events")
    found = configured(one, replace(STREAM, timeout=900), FunctionSettings(methods=("POST",)))
    assert found.methods == ("GET", "HEAD")
    assert list(stream_problems({one: found})) == []
    assert list(problems(one, found)) == []


@pytest.mark.parametrize(
    ("name", "language", "more", "message"),
    [
        ("events", Language.PYTHON, {}, "Lambda's managed Python runtimes do not stream"),
        ("notes/[id]", Language.NODE, {}, "a path of CloudFront's cannot hold a parameter"),
        ("[...rest]", Language.NODE, {}, "a path of CloudFront's cannot hold a parameter"),
        ("events", Language.NODE, {"methods": ("GET", "POST", "ANY")},
         "cannot be called with ANY, POST"),
        ("events", Language.NODE, {"authorizer": "members"},
         "does not go with `authorizer`: no API is in between"),
        ("events", Language.NODE, {"throttle": (1.0, 2)},
         "does not go with `throttle`: no API is in between"),
        ("events", Language.NODE, {"background": True},
         "does not go with `async`: no API is in between"),
        ("events", Language.NODE, {"schedule": "rate(1 hour)", "methods": ("GET",)},
         "does not go with `schedule`: no API is in between"),
        ("events", Language.NODE, {"subnets": ("subnet-1",), "security_groups": ("sg-1",)},
         "a function URL does not stream from within a VPC"),
    ],
)  # fmt: skip
def test_what_a_streaming_function_cannot_be_is_named(
    name: str, language: Language, more: dict[str, object], message: str
) -> None:
    one = source(name, language)
    found = told(one, replace(STREAM, **more))  # type: ignore[arg-type]  # a table of settings
    assert f"functions.{name}.stream: {message}" in found


def test_scopes_are_named_beside_their_authorizer() -> None:
    found = told(source("e"), replace(STREAM, authorizer="members", scopes=("read",)))
    assert [each.partition("`")[2].partition("`")[0] for each in found] == ["authorizer", "scopes"]


def test_more_than_cloudfront_has_paths_for_are_named_one_by_one() -> None:
    sources = [source(f"e{number}") for number in range(MOST + 2)]
    found = stream_problems({one: configured(one, STREAM) for one in sources})
    assert [each.where for each in found] == [
        f"functions.e{MOST}.stream", f"functions.e{MOST + 1}.stream"
    ]  # fmt: skip
