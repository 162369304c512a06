"""What of a release others may know: everything of its shape, no value of a variable."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from runner.model import Grants, HeaderSet, Kind, Redirect, Release
from runner.package.manifest import Many, compact, encoded
from runner.package.summary import Summary, summary_of, text_of
from tests.builders import a_file, a_function, a_release

SET = HeaderSet(ref="0123456789abcdef.1", headers=(("x-a", "b"),), parts=('[["x-a","b"]]',))
PAY = replace(
    a_function("pay"),
    environment=(("MODE", "live-mode"), ("TOKEN", "t0p-s3cret")),
    grants=Grants(
        owner="pay",
        tables=(("notes", "rw"),),
        invoke=("hello",),
        secrets=(("KEY", "/live/key"),),
    ),
)
WHOLE = replace(
    a_release(
        "whole",
        files=(a_file("index.html", "page"), a_file("a-1.js", "chunk", kind=Kind.IMMUTABLE)),
        functions=(a_function("hello"), PAY),
        api_stage="s1",
    ),
    header_sets=(SET,),
    redirects=(Redirect(source="/old", target="/new", status=301),),
)


def read(release: Release) -> Summary:
    return summary_of(text_of(release))


def test_a_summary_reads_back_as_what_was_released() -> None:
    found = read(WHOLE)
    assert found.release == WHOLE.id
    assert found.files["index.html"][0] == "document"
    assert found.files["a-1.js"][4] == WHOLE.files[1].digest
    assert found.sizes == {"index.html": 4, "a-1.js": 5}
    assert found.headers == {SET.ref: [["x-a", "b"]]}
    assert found.redirects[0]["source"] == "/old"
    assert {*found.functions} == {"hello", "pay"}


def test_functions_are_told_by_their_settings_and_never_by_a_value() -> None:
    told = read(WHOLE).functions["pay"]
    assert told["variables"] == ["MODE", "TOKEN"]
    assert told["secrets"] == ["KEY"]
    assert told["tables"] == [["notes", "rw"]]
    assert told["invoke"] == ["hello"]
    assert (told["route"], told["methods"]) == ("/.functions/pay", ["ANY"])
    for value in (b"live-mode", b"t0p-s3cret", b"/live/key"):
        assert value not in text_of(WHOLE)


def test_a_function_that_no_request_reaches_has_no_route() -> None:
    quiet = replace(a_function("nightly"), methods=())
    assert read(a_release("quiet", functions=(quiet,))).functions["nightly"]["route"] == ""


def test_a_later_versions_summary_is_read_as_none() -> None:
    later = json.loads(text_of(WHOLE)) | {"v": 2}
    assert summary_of(json.dumps(later).encode()) == Summary()


def test_equal_releases_have_equal_summaries() -> None:
    assert text_of(WHOLE) == text_of(replace(WHOLE))


@pytest.mark.parametrize("number", [0, 1, 2, 999, 1000, 1001, 2000, 2001])
def test_many_members_are_written_as_if_they_had_been_there_at_once(number: int) -> None:
    members = {f"seite-ü{each}": ["a", each, {"b": None}] for each in range(number)}
    whole = {"first": 1, "many": members, "inner": {"many": members, "last": "é"}}
    streamed = {
        "first": 1,
        "many": Many(iter(members.items())),
        "inner": {"many": Many(iter(members.items())), "last": "é"},
    }
    assert encoded(streamed) == compact(whole).encode()


def test_many_members_in_a_list_are_refused_rather_than_written_wrong() -> None:
    with pytest.raises(TypeError):
        encoded({"list": [Many(iter([("a", 1)]))]})
