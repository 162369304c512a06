"""What a pull request's run has to do, from what is wanted and what is there: tables of plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model import Background, Grants, HeaderSet, Kind, Origin, Release, Routing, Table
from runner.plan.live import Live
from runner.plan.live import Published as Version
from runner.plan.preview import (
    REMEMBERED,
    Published,
    Remembered,
    Wanted,
    asking,
    of_preview,
    plan,
)
from runner.plan.previewing import (
    HIDDEN,
    LEASE,
    AllowFunctions,
    HideReleases,
    LetGo,
    Show,
    TakeHost,
)
from runner.plan.publishing import PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import RecordLive, RecordRelease
from runner.plan.steps import Plan
from tests.builders import a_file, a_function, a_release, digest

LOGO, CHUNK = a_file("logo.svg", kind=Kind.ASSET), a_file("a-1234.js", kind=Kind.IMMUTABLE)
HELLO, NOTES = a_function("hello"), a_function("notes")
TABLE = Table(name="notes", hash_key=("id", "S"))
PRIVATE: dict[str, Any] = {"password": "p", "bypass": "b"}
POOLED = "d111.cloudfront.net"


def of(name: str, **parts: Any) -> Release:
    stage = "s1" if parts.get("functions") else ""
    return of_preview(a_release(name, api_stage=stage, **parts), "pr-7")


def wanted(release: Release, **more: Any) -> Wanted:
    owns = tuple(f"function jam-s--pr-7--{each.name}" for each in release.functions)
    return Wanted(environment="pr-7", owns=(*owns, *more.pop("owns", ())), **{**PRIVATE, **more})


def serving(release: Release, **more: Any) -> Live:
    files = {each.key: each.digest for each in release.files if each.kind is not Kind.IMMUTABLE}
    immutable = {each.key: each.digest for each in release.files if each.kind is Kind.IMMUTABLE}
    told: dict[str, Any] = {
        "release": release.id,
        "sequence": 3,
        "known": {Ref(Made.DOMAIN): POOLED, LEASE: "1"},
        "files": files,
        "immutable": immutable,
        "functions": {
            each.name: Version(digest=each.digest, version="1") for each in release.functions
        },
        "history": (release.id,),
    }
    return Live(**{**told, **more})


def decide(release: Release, live: Live | None = None, **more: Any) -> Plan:
    return plan(
        release,
        live or Live(),
        wanted=more.pop("wanted", None) or wanted(release),
        published=more.pop("published", Published()),
        origin=Origin(number=1),
        **more,
    )


def lines(steps: Any) -> list[str]:
    return [str(each) for each in steps]


FIRST = of("first", files=(a_file("index.html"), LOGO, CHUNK), functions=(HELLO,))
ID = FIRST.id[:8]


def test_the_first_run_takes_a_host_and_brings_everything() -> None:
    todo = decide(FIRST)
    assert lines(todo.stage) == [
        "take a host of the pool",
        f"record release {ID}",
        "create function hello, 1.0 KB",
        "wait until 1 versions can be called",
        "upload 3 files, 0.0 KB",
        "upload the manifest",
        "create api_stage pr-7 with 1 functions",
    ]
    assert lines(todo.switch) == [
        f"record that {ID} is ready",
        "lead api_stage pr-7 to the new functions",
        f"show {ID} in pr-7 (was nothing)",
        f"record that {ID} is live, number 1",
    ]
    assert todo.settle == ()


def test_the_same_release_again_is_nothing_to_do() -> None:
    assert decide(FIRST, serving(FIRST)).is_empty


def test_a_host_that_does_not_show_what_is_recorded_is_told_again() -> None:
    todo = decide(FIRST, serving(FIRST, staged=True, entry_agrees=False))
    assert lines(todo.stage) == [
        "take a host of the pool",
        "create api_stage pr-7 with 1 functions",
    ]
    assert lines(todo.switch) == [
        "lead api_stage pr-7 to the new functions",
        f"show {ID} in pr-7 (was {ID})",
        f"record that {ID} is live, number 4",
    ]


def test_a_push_uploads_what_changed_and_copies_the_rest_from_here_or_from_production() -> None:
    page, theirs = a_file("index.html", "new"), a_file("theirs.css", "t", kind=Kind.ASSET)
    chunk = a_file("b-1234.js", "b", kind=Kind.IMMUTABLE)
    second = of("second", files=(page, LOGO, CHUNK, theirs, chunk), functions=(HELLO,))
    published = Published(
        release="9" * 32,
        files={"theirs.css": theirs.digest, "index.html": digest("other"), "logo.svg": LOGO.digest},
        immutable={"b-1234.js": chunk.digest, "a-1234.js": CHUNK.digest},
    )
    todo = decide(second, serving(FIRST), published=published)
    assert lines(todo.stage) == [
        f"record release {second.id[:8]}",
        "upload 1 files, 0.0 KB",
        f"copy 1 unchanged files, 0.0 KB, from {ID}",
        "copy 2 files of production's 99999999",
        "upload the manifest",
        "create api_stage pr-7 with 1 functions",
    ]


def test_a_release_that_lies_ready_is_only_shown_and_its_functions_routed() -> None:
    back = of("back", files=(a_file("index.html"),), functions=(a_function("hello", "older"),))
    todo = decide(back, serving(FIRST, staged=True))
    assert lines(todo.stage) == ["create api_stage pr-7 with 1 functions"]
    assert [type(each).__name__ for each in todo.switch] == ["LeadStage", "Show", "RecordLive"]


@pytest.mark.parametrize(
    ("host", "domain", "takes"),
    [
        (POOLED, "", False),
        (POOLED, "preview.example.com", True),
        ("pr-7.preview.example.com", "preview.example.com", False),
        ("pr-7.preview.example.com", "other.example.com", True),
        ("pr-7.preview.example.com", "", True),
        ("", "", True),
    ],
)
def test_the_recorded_host_stays_as_long_as_the_settings_ask_for_such_a_one(
    host: str, domain: str, *, takes: bool
) -> None:
    second = of("second", files=(LOGO,))
    live = serving(FIRST, known={Ref(Made.DOMAIN): host, LEASE: "1"})
    todo = decide(second, live, wanted=wanted(second, domain=domain))
    assert any(isinstance(each, TakeHost) for each in todo.stage) is takes
    show = next(each for each in todo.switch if isinstance(each, Show))
    assert (show.domain, show.password, show.bypass) == (domain, "p", "b")


@pytest.mark.parametrize(
    ("recorded", "makes"), [("", True), ("digest-0", True), ("digest-1", False)]
)
def test_tables_are_made_where_they_are_not_as_recorded(recorded: str, *, makes: bool) -> None:
    reader = replace(NOTES, grants=Grants(owner="notes", tables=(("notes", "r"),)))
    second = of("second", functions=(reader,))
    settings = wanted(second, tables=(TABLE,), foundation="digest-1")
    todo = decide(second, serving(FIRST, foundation=recorded), wanted=settings)
    assert ("create the table notes" in lines(todo.stage)) is makes
    publish = next(each for each in todo.stage if isinstance(each, PublishFunction))
    assert (Ref(Made.TABLE, "notes") in publish.needs) is makes
    record = next(each for each in todo.switch if isinstance(each, RecordLive))
    assert (record.foundation, record.tables) == ("digest-1", ("notes",))


def test_what_the_common_role_cannot_do_is_granted_before_the_functions_are_there() -> None:
    secret = Grants(owner="pay", secrets=(("KEY", "/test/key"),), tables=(("notes", "r"),))
    pay = replace(a_function("pay"), grants=secret)
    traced = replace(NOTES, grants=Grants(owner="notes", tracing=True))
    plain = replace(HELLO, grants=Grants(owner="hello", tables=(("notes", "rw"),)))
    release = of("rights", functions=(pay, traced, plain))
    assert asking(release) == (secret, traced.grants)
    (step,) = [each for each in decide(release).stage if isinstance(each, AllowFunctions)]
    assert str(step) == "grant previews secret /test/key, tracing"
    published = [each for each in decide(release).stage if isinstance(each, PublishFunction)]
    waits = {each.function.name: bool({*step.makes} & {*each.needs}) for each in published}
    assert waits == {"pay": True, "notes": True, "hello": False}
    again = of("again", files=(LOGO,), functions=release.functions)
    assert not [
        it for it in decide(again, serving(release)).stage if isinstance(it, AllowFunctions)
    ]


def remembered(name: str, *owns: str, versions: dict[str, str] | None = None) -> Remembered:
    found = frozenset((f"jam-s--pr-7--{key}", it) for key, it in (versions or {}).items())
    return Remembered(release=digest(name)[:32], owns=owns, versions=found)


def test_a_function_that_the_push_does_not_have_goes_after_the_switch() -> None:
    before = of("before", functions=(HELLO, NOTES))
    past = (remembered("before", "function jam-s--pr-7--hello", "function jam-s--pr-7--notes"),)
    second = of("second", functions=(HELLO,))
    (step,) = decide(second, serving(before), past=past).settle
    assert step == LetGo(functions=("jam-s--pr-7--notes",))
    assert str(step) == "let go of 1 functions"


def test_releases_before_the_last_five_go_while_the_next_one_is_staged() -> None:
    names = [f"release {number}" for number in range(REMEMBERED + 1)]  # newest first
    past = tuple(
        remembered(each, "function jam-s--pr-7--hello", "table jam-s--pr-7--old",
                   versions={"hello": str(9 - number // 2)})
        for number, each in enumerate(names)
    )  # fmt: skip
    live = serving(of(names[0], functions=(HELLO,)), history=tuple(it.release for it in past[:5]))
    second = of("second", functions=(HELLO,))
    todo = decide(second, live, past=past)
    assert todo.settle == ()
    hide, step = todo.stage[-2:]
    assert isinstance(hide, HideReleases)
    assert isinstance(step, LetGo)
    assert hide.releases == step.releases == (past[5].release,)
    assert step.versions == ()  # the one before it has the same
    assert step.functions == ()
    # What leads to it goes first; a version that the new release finds again stays.
    assert step.after == (HIDDEN, Ref(Made.VERSION, "hello"))
    then = serving(second, history=(second.id, *live.history[:4]))
    step = decide(of("third", functions=(HELLO,)), then, past=past[:5]).stage[-1]
    assert isinstance(step, LetGo)
    assert (step.releases, step.versions) == ((past[4].release,), (("jam-s--pr-7--hello", "7"),))
    record = next(each for each in todo.switch if isinstance(each, RecordLive))
    assert record.history == (second.id, *(it.release for it in past[:4]))
    begun = next(each for each in todo.stage if isinstance(each, RecordRelease))
    assert "table jam-s--pr-7--old" in begun.owns  # until the preview is closed


def test_a_release_with_a_function_that_the_push_does_not_have_goes_after_the_switch() -> None:
    mine = "function jam-s--pr-7--hello"
    past = (
        remembered("first", mine),
        remembered("old", mine, "function jam-s--pr-7--notes", versions={"notes": "2"}),
        remembered("older", mine, versions={"hello": "1"}),
    )
    todo = decide(of("second", functions=(HELLO,)), serving(FIRST), past=past)
    early, (late,) = todo.stage[-1], todo.settle
    assert isinstance(early, LetGo)
    assert (early.releases, early.versions) == (
        (past[2].release,), (("jam-s--pr-7--hello", "1"),)
    )  # fmt: skip
    assert late == LetGo(releases=(past[1].release,), functions=("jam-s--pr-7--notes",))


def test_what_a_killed_run_left_goes_with_the_next_push() -> None:
    past = (
        remembered("first", "function jam-s--pr-7--hello"),
        remembered("killed", "function jam-s--pr-7--stray", "function jam-s--pr-7--hello"),
    )
    second = of("second", functions=(HELLO,))
    (step,) = decide(second, serving(FIRST), past=past).settle
    assert step == LetGo(releases=(past[1].release,), functions=("jam-s--pr-7--stray",))


def test_the_release_itself_is_never_let_go_of() -> None:
    past = (remembered("second", "function jam-s--pr-7--hello", versions={"hello": "4"}),)
    second = of("second", functions=(HELLO,))
    assert decide(second, serving(FIRST), past=past).settle == ()


def test_a_preview_has_one_api_stage_no_schedules_and_no_streams() -> None:
    nightly = replace(HELLO, methods=(), background=Background(schedule="rate(1 day)"))
    handed = replace(NOTES, background=Background(requests=True, retries=1), stream=False)
    flowing = replace(a_function("flow"), stream=True)
    found = of("whole", functions=(nightly, handed, flowing))
    assert found.routing.api_stage == "pr-7"
    assert [each.background.schedule for each in found.functions] == ["", "", ""]
    assert found.functions[1].background == Background(requests=True, retries=1)
    assert not found.functions[2].stream
    assert of_preview(
        a_release("plain", functions=(nightly,), api_stage="x"), "pr-7"
    ).routing == Routing(api_stage="")


def test_header_sets_are_written_once() -> None:
    sets = tuple(HeaderSet(ref=f"{n:016x}.1", headers=(), parts=("[]",)) for n in (1, 2))
    second = replace(of("second", files=(LOGO,)), header_sets=sets)
    todo = decide(second, serving(FIRST, header_sets=frozenset({sets[0].ref})))
    (shown,) = [each for each in todo.switch if isinstance(each, Show)]
    assert shown.header_sets == sets[1:]


@pytest.mark.parametrize("private", [True, False])
def test_every_reference_that_a_step_needs_is_made_by_another_or_stands_already(
    *, private: bool
) -> None:
    settings = wanted(FIRST, **({} if private else {"password": "", "bypass": ""}))
    todo = decide(FIRST, wanted=settings)
    made = {ref for step in todo.stage for ref in step.makes}
    shared = {
        Made.RECORDS,
        Made.BUCKET,
        Made.STORE,
        Made.DISTRIBUTION,
        Made.API,
        Made.KEEPER,
        Made.ROLE,
    }
    for step in todo.stage:
        assert all(ref in made or ref.kind in shared for ref in step.needs), step
