"""What the planner decides: values in, steps out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.model import Grants, Kind, Origin, Table, Upkeep
from runner.plan.decide import KEPT_STAGES, plan
from runner.plan.drift import Drift
from runner.plan.foundation import ENTRY, FoundationStep
from runner.plan.groundwork import Foundation
from runner.plan.live import Live, Published
from runner.plan.origins import AllowOrigins
from runner.plan.promotion import Promotion
from runner.plan.publishing import AwaitVersions, PublishEntry, PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    BringBackRouting,
    DropApiStage,
    ReleaseStep,
    SettleStep,
    SwitchStep,
    WriteRouting,
)
from runner.plan.steps import Plan
from tests.builders import a_file, a_function, a_release

FOUNDATION = Foundation(
    digest="f1",
    tables=(Table(name="notes", hash_key=("id", "S")),),
    router="r",
    response="s",
)
ORIGIN = Origin()
PAGE, LOGO = a_file("index.html"), a_file("logo.png", kind=Kind.ASSET)
CHUNK = a_file("assets/a-1.js", kind=Kind.IMMUTABLE)
HELLO = a_function("hello")
FIRST = a_release("first", files=(PAGE, LOGO, CHUNK), functions=(HELLO,), api_stage="s1")
ID = FIRST.id[:8]


def decide(wanted=FIRST, *, promotion=None, **live) -> Plan:
    live = Live(**live)
    return plan(wanted, live, foundation=FOUNDATION, origin=ORIGIN, promotion=promotion)


def lines(steps) -> list[str]:
    return [str(step) for step in steps]


def serving(release, **more) -> dict[str, object]:
    """What is read back once `release` is live."""
    stored = {f.key: f.digest for f in release.files if f.kind is not Kind.IMMUTABLE}
    return {
        "release": release.id,
        "sequence": 4,
        "foundation": "f1",
        "files": stored,
        "immutable": {f.key: f.digest for f in release.files if f.kind is Kind.IMMUTABLE},
        "functions": {f.name: Published(digest=f.digest, version="1") for f in release.functions},
        "stages": ((release.routing.api_stage, (release.id,)),),
        **more,
    }


def test_a_first_deploy_makes_the_foundation_then_the_release_then_shows_it():
    todo = decide()
    assert lines(todo.stage) == [
        "create the records table",
        "create the bucket",
        "create the role of the functions",
        "create the role of the entry",
        "create the role of the api",
        "create the role of the keeper",
        "create the table notes",
        "create CloudFront's access to the files",
        "create CloudFront's access to the entry",
        "create the cache policy",
        "create the forward policy",
        "create the key value store",
        "create the router at the edge",
        "create the response at the edge",
        "create the HTTP API",
        "create the keeper of the HTTP API",
        "create the entry's function URL",
        "create the distribution",
        "create the distribution's right to read the bucket",
        "create the distribution's right to call the entry",
        f"record release {ID}",
        "create function hello, 1.0 KB",
        "publish the entry version",
        "upload 3 files, 0.0 KB",
        "upload the manifest",
        "create api_stage s1 with 1 functions",
        f"write routing of {ID} to the key value store",
    ]
    assert lines(todo.switch) == [
        f"record that {ID} is ready",
        f"point the entry at {ID}",
        f"activate {ID} (was nothing)",
        f"record that {ID} is live, number 1",
    ]
    assert todo.settle == ()


def test_what_exists_of_the_foundation_is_checked_rather_than_created():
    todo = decide(existing=frozenset({Ref(Made.BUCKET)}))
    assert "check the bucket" in lines(todo.stage)
    assert "create the records table" in lines(todo.stage)


def test_the_same_release_again_is_nothing_to_do():
    assert decide(**serving(FIRST)).is_empty


def test_a_live_release_that_alias_or_store_deny_is_activated_again():
    todo = decide(**serving(FIRST, staged=True, entry_agrees=False))
    assert todo.stage == ()
    assert lines(todo.switch)[0] == f"point the entry at {ID}"


def test_an_update_uploads_what_changed_copies_the_rest_and_leaves_immutable_files_alone():
    second = a_release(
        "second",
        files=(a_file("index.html", "new"), LOGO, CHUNK, a_file("b.js", kind=Kind.IMMUTABLE)),
        functions=(HELLO,),
        api_stage="s1",
    )
    todo = decide(second, **serving(FIRST))
    assert lines(todo.stage) == [
        f"record release {second.id[:8]}",
        "publish the entry version",
        "wait until 1 versions can be called",
        "upload 2 files, 0.0 KB",
        f"copy 1 unchanged files, 0.0 KB, from {ID}",
        "upload the manifest",
        f"write routing of {second.id[:8]} to the key value store",
    ]


def test_only_a_changed_function_is_published_and_gets_a_stage_of_its_own():
    second = a_release(
        "second", functions=(a_function("hello", "new"), a_function("other")), api_stage="s2"
    )
    before = a_release("before", functions=(HELLO, a_function("other")), api_stage="s1")
    todo = decide(second, **serving(before))
    assert "update function hello, 1.0 KB" in lines(todo.stage)
    assert not [line for line in lines(todo.stage) if "function other" in line]
    assert "create api_stage s2 with 2 functions" in lines(todo.stage)
    assert "wait until 2 versions can be called" in lines(todo.stage)


@pytest.mark.parametrize(
    ("live", "ready"),
    [({}, True), ({"foundation": "f0"}, True), ({"foundation": "f1"}, False)],
    ids=["first deploy", "another foundation", "as it stands"],
)
def test_a_foundation_that_is_made_has_each_version_ready_before_its_url(
    live: dict[str, str], ready: bool
) -> None:
    steps = decide(**live).stage
    published = [each for each in steps if isinstance(each, PublishFunction | PublishEntry)]
    assert [each.ready for each in published] == [ready, ready]
    waits = [each.functions for each in steps if isinstance(each, AwaitVersions)]
    assert waits == ([] if ready else [("hello", ENTRY)])


def granted(name: str, content: str = "x", *, invoke=(), tables=(), owner=None):
    grants = Grants(owner=name if owner is None else owner, tables=tables, invoke=invoke)
    return replace(a_function(name, content), grants=grants)


def test_a_function_with_rights_of_its_own_gets_a_role_before_it_is_published():
    mine = granted("mine", tables=(("notes", "rw"),), invoke=("hello",))
    todo = decide(a_release("second", functions=(HELLO, mine), api_stage="s2"), **serving(FIRST))
    assert [line for line in lines(todo.stage) if "mine" in line] == [
        "grant mine notes:rw, invoke hello",
        "create function mine, 1.0 KB",
    ]
    publish = next(step for step in todo.stage if str(step).startswith("create function"))
    assert {Ref(Made.ROLE, "~mine"), Ref(Made.VERSION, "hello")} <= set(publish.needs)


def test_functions_that_share_the_common_rights_share_a_role():
    shared = [granted(name, tables=(("notes", "r"),), owner="") for name in ("a", "b")]
    todo = decide(a_release("second", functions=tuple(shared), api_stage="s2"), **serving(FIRST))
    assert [line for line in lines(todo.stage) if "grant" in line] == ["grant functions notes:r"]


def test_a_function_waits_for_the_tables_it_may_use_while_the_foundation_changes():
    mine = granted("mine", tables=(("notes", "r"),))
    wanted = a_release("second", functions=(HELLO, mine), api_stage="s2")
    needs = {str(s): s.needs for s in decide(wanted).stage}
    assert Ref(Made.TABLE, "notes") in needs["create function mine, 1.0 KB"]
    assert Ref(Made.TABLE, "notes") not in needs["create function hello, 1.0 KB"]


def test_what_holds_for_all_versions_of_a_function_follows_the_live_release_and_goes_back():
    kept = replace(HELLO, upkeep=Upkeep(log_days=7, reserved=5))
    second = a_release("second", functions=(kept,), api_stage="s1")
    todo = decide(second, **serving(FIRST))
    assert not [line for line in lines(todo.stage) if "function" in line]
    assert lines(todo.settle) == ["keep 7 days of logs, reserve 5 invocations for hello"]
    live = {"hello": Published(digest=kept.digest, version="1", upkeep=kept.upkeep)}
    back = decide(**{**serving(second), "functions": live, "staged": True})
    assert lines(back.settle) == ["keep 30 days of logs for hello"]


def test_a_release_that_lies_ready_is_only_switched_to():
    todo = decide(**serving(a_release("newer"), staged=True))
    assert todo.stage == ()
    assert len(todo.switch) == 3


def test_a_changed_foundation_is_put_right_without_a_new_release():
    todo = decide(**serving(FIRST, staged=True, foundation="f0"))
    assert len(todo.stage) == 20
    assert f"record release {ID}" not in lines(todo.stage)


def test_old_api_stages_are_dropped_with_the_routing_of_their_releases():
    old = tuple((f"s{n}", (f"release-{n}",)) for n in range(20, 20 + KEPT_STAGES))
    before = {**serving(a_release("before", api_stage="s20")), "stages": old}
    todo = decide(**before)
    (drop,) = [each for each in todo.stage if isinstance(each, DropApiStage)]
    (routing,) = [each for each in todo.stage if isinstance(each, WriteRouting)]
    assert str(drop) == "drop api_stage s26"
    assert (drop.stays, drop.sequence) == (old[:-1], 4)
    # One write takes the old routing out and brings the new one; only then the api_stage goes.
    assert (routing.forgets, drop.releases) == (("release-26",), ())
    assert drop.after == (Ref(Made.ROUTING),)
    assert todo.switch[-1].stages == (("s1", (FIRST.id,)), *old[:-1])
    assert todo.settle == ()
    promotion = decide(**before, promotion=Promotion())
    assert promotion.following.is_empty


@pytest.mark.parametrize("staged", [False, True], ids=["new", "ready"])
def test_what_a_run_forgets_it_does_not_bring_back(staged: bool) -> None:
    """A run before it ended between the two: the key is gone, the record still names the stage."""
    old = tuple((f"s{n}", (f"release-{n}",)) for n in range(20, 20 + KEPT_STAGES))
    drift = Drift(unrouted=("release-23", "release-26"))
    live = {**serving(a_release("before", api_stage="s20")), "stages": old, "staged": staged}
    (back,) = brought(decide(**live, drift=drift))
    assert back.releases == ("release-23",)
    assert not brought(decide(**live, drift=Drift(unrouted=("release-26",))))


def brought(todo: Plan) -> list[BringBackRouting]:
    return [each for each in todo.stage if isinstance(each, BringBackRouting)]


def test_what_is_ready_drops_old_api_stages_and_their_routing_by_itself():
    old = tuple((f"s{n}", (f"release-{n}",)) for n in range(1, 3 + KEPT_STAGES))
    todo = decide(**{**serving(a_release("newer"), staged=True), "stages": old})
    (drop,) = todo.stage
    assert isinstance(drop, DropApiStage)
    assert (drop.api_stages, drop.releases) == (("s8", "s9"), ("release-8", "release-9"))
    assert drop.after == ()


def test_releases_that_share_an_api_stage_are_kept_together():
    second = a_release("second", files=(PAGE,), functions=(HELLO,), api_stage="s1")
    todo = decide(second, **serving(FIRST))
    assert todo.switch[-1].stages == (("s1", (second.id, FIRST.id)),)


@pytest.mark.parametrize("live", [{}, serving(a_release("other", api_stage="s0"))])
def test_every_reference_that_a_step_needs_is_made_by_another_or_stands_already(live):
    todo = decide(**live)
    made = {ref for step in todo.stage for ref in step.makes}
    found = {Made.BUCKET, Made.RECORDS, Made.ROLE, Made.API, Made.STORE, Made.KEEPER}
    standing = found if live else set()
    for step in todo.stage:
        assert all(ref in made or ref.kind in standing for ref in step.needs), step


def test_every_kind_of_step_is_tabled_here():
    first = decide()
    update = decide(a_release("second", files=(PAGE,)), **serving(FIRST))
    noted = replace(a_function("b"), upkeep=Upkeep(log_days=7))
    rights = decide(a_release("third", functions=(granted("a", tables=(("notes", "r"),)), noted)))
    full = decide(
        **{
            **serving(FIRST),
            "release": FIRST.id[::-1],
            "stages": tuple((f"t{n}", ()) for n in range(9)),
        }
    )
    trailing = decide(**serving(FIRST), trailing=True)
    drift = Drift(unrouted=("an older one",))
    forgotten = decide(**{**serving(FIRST), "foundation": "", "drift": drift})
    plans = (first, update, rights, full, trailing, forgotten)
    seen = {type(step) for todo in plans for step in todo}
    kinds = {
        *FoundationStep.__args__,
        *ReleaseStep.__args__,
        *SwitchStep.__args__,
        *SettleStep.__args__,
        AllowOrigins,
    }
    assert seen == kinds
