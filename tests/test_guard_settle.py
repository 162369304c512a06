"""What guard and runner do about an open rollout, also where AWS does not play along."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from runner.aws import records
from runner.guard import journal
from runner.guard.announce import message, tell
from runner.guard.rollout import Act, Decision, Deployment, Phase, Policy
from runner.guard.settle import WITHOUT_CODEDEPLOY
from runner.guard.verdict import Verdict
from runner.names import Names
from tests.guard_site import OPEN, OPENED, RefusedError, Site, held

BROKEN = 40  # of 50 sessions


def _acts(site: Site) -> list[str]:
    """The writes without those that say nothing to visitors."""
    return [call for call in site.calls if call not in ("tell", "note")]


def test_a_broken_candidate_leaves_visitors_first_and_codedeploy_second() -> None:
    site = Site(failing=BROKEN)
    decision = site.settle()
    assert decision
    assert decision.act is Act.TAKE_BACK
    assert site.live == "the baseline is live"
    assert _acts(site) == ["claim", "store", "stop, back"]
    assert site.recorded().phase is Phase.OPEN
    assert [each.act for each in site.told] == [Act.TAKE_BACK]


def test_when_codedeploy_has_put_the_alias_back_the_rollout_is_closed_once() -> None:
    site = Site(failing=BROKEN)
    site.settle()
    site.deployment, site.rolled_back_by = "Stopped", "InProgress"
    site.settle()
    assert site.recorded().phase is Phase.OPEN
    site.rolled_back_by, site.alias, site.weights = "Succeeded", "7", {}
    site.settle()
    assert site.recorded().phase is Phase.CLOSED
    assert site.outcome() == "rolled_back"
    assert "alias 7" not in site.calls
    assert _acts(site)[-2:] == ["delete alarms", "stop the clock"]
    assert site.settle() is None
    assert len(site.told) == 1


def test_an_alias_that_codedeploy_did_not_put_back_is_put_back() -> None:
    site = Site(deployment="Failed")
    site.settle()
    assert (site.alias, site.weights) == ("7", {})
    assert site.recorded().phase is Phase.CLOSED


def test_a_candidate_that_all_visitors_have_is_made_live_and_recorded() -> None:
    site = Site(deployment="Succeeded", alias="8", weights={})
    decision = site.settle()
    assert decision
    assert decision.act is Act.PROMOTE
    assert site.live == "the candidate is live"
    assert _acts(site) == [
        *("claim", "store", "record live", "keep", "delete alarms", "stop the clock"),
    ]
    assert site.outcome() == "live"


FOLLOWED = records.followed_call(Names("notes", "1" * 12, "eu-central-1"), sequence=5)
STREAMING = replace(OPEN, streams=(("jam-notes--events", "3"),), followed=(FOLLOWED,))


def test_streams_go_with_the_candidate_and_nothing_is_left_where_they_are_all() -> None:
    site = Site(rollout=STREAMING, deployment="Succeeded", alias="8", weights={})
    site.settle()
    assert site.streams == {"jam-notes--events": "3"}
    assert _acts(site)[1:4] == ["store", "record live", "record followed"]
    assert site.recorded().left == ()


def test_a_stream_that_cannot_be_moved_is_left_and_the_candidate_is_live_all_the_same() -> None:
    site = Site(
        rollout=STREAMING,
        deployment="Succeeded",
        alias="8",
        weights={},
        gone=("jam-notes--events",),
    )
    site.settle()
    assert site.outcome() == "live"
    assert site.recorded().phase is Phase.CLOSED
    assert site.recorded().left == ("point jam-notes--events at version 3",)
    assert "record followed" not in site.calls


@pytest.mark.parametrize(
    ("act", "told", "subject"),
    [
        (Act.PROMOTE, ["run daily"], "notes: release cccccccc is live; run `jam-deploy settle`"),
        (Act.TAKE_BACK, [], "notes: release cccccccc is rolled_back"),
    ],
)
def test_people_are_told_what_a_promotion_without_a_run_leaves_to_do(
    act: Act, told: list[str], subject: str
) -> None:
    seen = Site(rollout=replace(OPEN, left=("run daily",))).look()
    assert seen
    published: list[dict[str, str]] = []
    topics = SimpleNamespace(publish=lambda **call: published.append(call))
    said = message("notes", seen, Decision(act=act))
    assert said["left"] == told
    tell(said, ["arn:aws:sns:x"], topics=topics, post=lambda *_: None, log=print)
    assert published[0]["Subject"] == subject


def test_what_decided_is_kept_beside_the_release() -> None:
    site = Site(deployment="Succeeded", alias="8", weights={})
    site.settle()
    kept = site.items["rollout#7x1"]
    assert kept["pk"]["S"] == f"release#{'c' * 32}"
    assert journal.rollout_of(kept["rollout"]["S"]).phase is Phase.CLOSED
    assert '"sessions"' not in kept["evidence"]["S"]
    assert '"entry":[[50,0,450,0' in kept["evidence"]["S"]


def test_of_two_that_end_a_rollout_the_second_does_as_the_first_said() -> None:
    site = Site(deployment="Succeeded", alias="8", weights={})
    seen = site.look()
    assert seen
    site.items["rollout"] |= {"outcome": {"S": "rolled_back"}, "why": {"S": "a person"}}
    assert site.settler().settle(seen) == Decision(act=Act.TAKE_BACK, why="a person")
    assert (site.live, site.alias) == ("the baseline is live", "7")
    assert site.told == []  # whoever said it first has told it


@pytest.mark.parametrize("change", [{"phase": {"S": "closed"}}, {"id": {"S": "8x2"}}])
def test_a_rollout_that_is_over_meanwhile_is_left_alone(change: dict[str, dict[str, str]]) -> None:
    site = Site(failing=BROKEN)
    seen = site.look()
    assert seen
    site.items["rollout"] |= {"outcome": {"S": "live"}, **change}
    assert site.settler().settle(seen).act is Act.NOTHING
    assert _acts(site) == []


def test_a_look_that_is_older_than_the_record_does_not_undo_it() -> None:
    site = Site(rollout=replace(OPEN, phase=Phase.OPENING, deployment=""))
    seen = site.look()
    assert seen
    site.items["rollout"] |= journal.put("t", OPEN)["Item"]
    assert site.settler().settle(seen).act is Act.WAIT
    assert site.recorded() == OPEN
    assert "evidence" in site.items["rollout"]


def test_a_rollout_whose_run_died_over_the_self_test_leaves_no_alarm() -> None:
    opening = replace(
        OPEN, phase=Phase.OPENING, deployment="", alarms=("jam-notes-7x1", "checkout")
    )
    site = Site(deployment="", rollout=opening)
    seen = site.look()
    assert seen
    site.settler().act(seen, Decision(act=Act.TAKE_BACK, why="a newer run came"))
    assert site.deleted == ["jam-notes-7x1", "jam-notes-7x1-selftest"]  # never what is not ours


def test_a_write_that_others_came_before_is_tried_again() -> None:
    site = Site(failing=BROKEN, broken={"update_keys": ["ConflictException"] * 3})
    site.settle()
    assert site.live == "the baseline is live"


def test_a_store_that_never_stands_still_is_told_and_the_alarm_does_it() -> None:
    site = Site(failing=BROKEN, broken={"update_keys": ["ConflictException", ...]})
    with pytest.raises(RefusedError, match="ConflictException"):
        site.settle()
    assert site.calls == ["claim", "tell"]


def test_without_codedeploy_store_and_alias_are_put_back_and_the_record_says_so() -> None:
    down = {name: ["ServiceUnavailable", ...] for name in ("get_deployment", "stop_deployment")}
    site = Site(failing=BROKEN, broken=down)
    site.settle()
    assert (site.live, site.alias, site.weights) == ("the baseline is live", "7", {})
    assert site.recorded().notes == (WITHOUT_CODEDEPLOY,)
    assert site.recorded().phase is Phase.OPEN  # CodeDeploy may shift once more


def test_a_codedeploy_that_comes_back_and_has_shifted_again_is_put_right() -> None:
    down = {name: ["ServiceUnavailable", ...] for name in ("get_deployment", "stop_deployment")}
    site = Site(failing=BROKEN, broken=down)
    site.settle()
    site.broken = {}
    site.deployment, site.alias, site.weights = "Succeeded", "8", {}
    site.settle()
    assert (site.alias, site.outcome()) == ("7", "rolled_back")
    assert site.recorded().phase is Phase.CLOSED
    assert WITHOUT_CODEDEPLOY in site.recorded().notes


def test_a_codedeploy_that_stays_away_does_not_keep_a_rollout_open_for_ever() -> None:
    down = {name: ["ServiceUnavailable", ...] for name in ("get_deployment", "stop_deployment")}
    site = Site(failing=BROKEN, broken=down, now=OPENED + 900.0 + 16 * 60)
    site.settle()
    assert site.recorded().phase is Phase.CLOSED
    assert (site.alias, site.recorded().notes) == ("7", (WITHOUT_CODEDEPLOY,))


@pytest.mark.parametrize(
    ("changes", "act"),
    [
        ({}, Act.WAIT),
        ({"red": ("checkout",)}, Act.TAKE_BACK),
        ({"alias": "9"}, Act.TAKE_BACK),
        ({"alias": "8", "weights": {}}, Act.PROMOTE),
        ({"now": OPENED + 900.0 + 16 * 60}, Act.TAKE_BACK),
    ],
)
def test_what_can_be_seen_is_judged_while_codedeploy_is_silent(
    changes: dict[str, object], act: Act
) -> None:
    site = Site(broken={"get_deployment": ["ServiceUnavailable", ...]}, **changes)  # type: ignore[arg-type]  # a table
    seen = site.look()
    assert seen
    assert seen.seen.deployment is Deployment.UNKNOWN
    decision = site.settle()
    assert decision
    assert decision.act is act


def test_a_guard_that_may_not_tell_its_metric_still_takes_back() -> None:
    site = Site(failing=BROKEN, broken={"put_metric_data": ["AccessDenied", ...]})
    with pytest.raises(RefusedError, match="AccessDenied"):
        site.settle()
    assert site.live == "the baseline is live"
    assert "stop, back" in site.calls


def test_a_guard_that_may_not_write_the_store_still_rings_the_alarm() -> None:
    site = Site(failing=BROKEN, broken={"describe_key_value_store": ["AccessDenied", ...]})
    with pytest.raises(RefusedError, match="AccessDenied"):
        site.settle()
    assert site.calls[-1] == "tell"


def test_an_alias_that_changed_since_it_was_read_is_read_again() -> None:
    broken = {"update_alias": ["PreconditionFailedException"] * 2}
    site = Site(deployment="Failed", broken=broken)
    site.settle()
    assert site.alias == "7"


def test_an_alias_that_somebody_moved_goes_back_to_the_baseline() -> None:
    site = Site(alias="9", weights={})
    decision = site.settle()
    assert decision
    assert "by hand" in decision.why
    site.deployment = "Failed"
    site.settle()
    assert (site.alias, site.live) == ("7", "the baseline is live")


def test_a_record_that_is_there_already_is_no_fault() -> None:
    site = Site(deployment="Succeeded", alias="8", weights={})
    tolerated = {**OPEN.after[0], "operation": "put_item"}
    site.items["rollout"] = {**journal.put("t", replace(OPEN, after=(tolerated,)))["Item"]}
    site.broken = {"put_item": ["ConditionalCheckFailedException"]}
    site.settle()
    assert site.outcome() == "live"


def test_a_closing_that_was_cut_off_is_done_again() -> None:
    site = Site(deployment="Succeeded", alias="8", weights={})
    site.broken = {"delete_alarms": ["Throttling"]}
    with pytest.raises(RefusedError, match="Throttling"):
        site.settle()
    assert site.recorded().phase is Phase.OPEN
    site.broken = {"delete_alarms": ["ResourceNotFound"]}
    site.settle()
    assert site.recorded().phase is Phase.CLOSED
    assert site.calls[-2:] == ["stop the clock", "tell"]
    assert len(site.told) == 1


def test_two_minutes_before_the_last_step_codedeploy_is_stopped_and_the_guard_goes_on() -> None:
    waiting = replace(OPEN, policy=Policy.WAIT)
    site = Site(rollout=waiting, now=OPENED + 800.0)
    site.settle()
    assert _acts(site) == ["stop"]
    assert site.recorded().phase is Phase.HELD
    assert [each.act for each in site.told] == [Act.HOLD]


def test_a_held_candidate_ends_by_update_alias() -> None:
    site = Site(rollout=held(policy=Policy.EXTEND), deployment="Stopped", now=OPENED + 3600.0)
    site.settle()
    assert (site.alias, site.weights, site.live) == ("8", {}, "the candidate is live")


def test_a_held_candidate_is_taken_back_by_an_alarm_of_the_users() -> None:
    site = Site(rollout=held(policy=Policy.WAIT), deployment="Stopped", red=("checkout",))
    decision = site.settle()
    assert decision
    assert decision.why == "an alarm rings: checkout"
    assert (site.alias, site.weights, site.live) == ("7", {}, "the baseline is live")


def test_a_look_counts_only_what_is_complete_and_says_what_codedeploy_said() -> None:
    site = Site(failing=BROKEN)
    seen = site.look()
    assert seen
    assert seen.seen.verdict is Verdict.FAIL
    assert seen.weight == pytest.approx(0.1)
    assert seen.evidence["entry"].candidate_failed == BROKEN
    early = Site(failing=BROKEN, now=OPENED + 20.0).look()
    assert early
    assert early.seen.verdict is Verdict.INCONCLUSIVE


UNNAMED = replace(OPEN, phase=Phase.OPENING, deployment="")


def test_a_deployment_that_a_killed_run_could_not_note_is_judged_and_taken_back() -> None:
    site = Site(rollout=UNNAMED, failing=20)
    site.settle()
    assert site.live == OPEN.restored
    assert "stop, back" in site.calls


def test_a_run_that_still_opens_its_rollout_is_left_alone() -> None:
    site = Site(rollout=UNNAMED, deployment="", weights={})
    assert site.settle() is not None
    assert site.live == "both"
    other = Site(rollout=replace(UNNAMED, id="8x2"), weights={})
    other.settle()
    assert other.live == "both"


def test_a_rollout_is_not_closed_while_others_keep_the_alias_from_being_put_back() -> None:
    site = Site(deployment="Failed", broken={"update_alias": ["PreconditionFailedException", ...]})
    with pytest.raises(RefusedError):
        site.settle()
    assert site.recorded().phase is not Phase.CLOSED
    site.broken.clear()
    site.settle()
    assert (site.alias, site.weights) == (OPEN.baseline_version, {})
    assert site.recorded().phase is Phase.CLOSED
