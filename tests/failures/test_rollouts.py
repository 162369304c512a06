"""Rows 14 to 19: a rollout that cannot begin, that nobody can judge, or that is taken back."""

from __future__ import annotations

import pytest

from runner.aws import alarms, deployments
from runner.aws.deployments import Shift
from runner.aws.promotion import OPENED_AGAIN
from runner.guard import journal
from runner.guard.rollout import Phase
from runner.inherited import ADOPTED
from runner.plan.promotion import Strategy
from runner.report.rollout import text_of
from runner.world import Way
from tests.failures.conftest import Stage
from tests.failures.scene import Scene
from tests.labs.site import LATER

ALARM = "checkout"
ARN = f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{ALARM}"
RINGS = "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (1.0)."
ROLLS, OPENS = Way(), Way(wait=False)
CANARY = Strategy(kind="canary", percent=10, interval=15)


@pytest.fixture
def rolling(stage: Stage) -> Scene:
    """Nothing is open, and no setting is left of another test."""
    made = stage.scene("canary")
    made.site.aws.metrics.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="shop",
        MetricName="failed",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    rings(made, "OK")
    if not made.stands:
        made.settle()
    return made


def rings(scene: Scene, state: str, reason: str = "by hand") -> None:
    scene.site.aws.metrics.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason=reason)


def test_14_a_candidate_that_nobody_visited_is_taken_back_where_that_is_wanted(
    rolling: Scene,
) -> None:
    rolling.settled()
    rolling.settings('on_inconclusive = "rollback"')
    before = rolling.kept()
    ended = rolling.deploy(rolling.commit(), way=ROLLS)
    assert (ended.code, ended.status) == ("JAM-CANARY-INCONCLUSIVE", 4), ended
    assert "too small for a verdict" in ended.message
    assert "on_inconclusive" in ended.hint
    after = rolling.kept()
    assert (after.release, after.alias, after.seen) == (before.release, before.alias, before.seen)
    assert rolling.lease() == "free"


def test_14_else_it_goes_live_with_a_warning_that_says_so(rolling: Scene) -> None:
    rolling.settled()
    commit = rolling.commit()
    ended = rolling.deploy(commit, way=ROLLS)
    assert (ended.status, ended.outcome) == (0, "live")
    told = "\n".join(text_of(ended.value.rollout))
    assert "INCONCLUSIVE" in told
    assert 'on_inconclusive = "promote"' in told
    assert rolling.site.visit().document == commit.page


def test_15_an_alarm_that_rings_already_keeps_the_rollout_from_opening(rolling: Scene) -> None:
    rolling.settled()
    rolling.settings(f'alarms = ["{ARN}"]')
    before, commit = rolling.kept(), rolling.commit()
    rings(rolling, "ALARM")
    ended = rolling.deploy(commit, way=ROLLS)
    assert (ended.code, ended.status) == ("JAM-ALARM-RED", 3)
    assert f"{ALARM}: rings" in ended.message
    assert "--unprotected" in ended.hint
    assert rolling.kept() == before


def test_16_an_alarm_of_ours_that_was_deleted_is_in_nobodys_way_and_none_opens_without(
    rolling: Scene,
) -> None:
    rolling.settled()
    names, metrics = rolling.site.names, rolling.site.aws.metrics
    rolling.kill("CreateDeploymentConfig")  # after the alarm, before visitors
    assert rolling.deploy(rolling.commit(), way=OPENS).code == "killed"
    left = alarms.name_of(names, rolling.open_rollout().id)
    metrics.delete_alarms(AlarmNames=[left])
    ended = rolling.deploy(rolling.commit(), way=OPENS)
    assert (ended.status, ended.outcome) == (0, "open"), ended
    made = alarms.name_of(names, rolling.open_rollout().id)
    found = metrics.describe_alarms(AlarmNames=[left, made])["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == [made]
    assert rolling.open_rollout().alarms == (made,)


# Over which call the run dies, and whether CodeDeploy moves visitors by then.
# The first deployment tells CodeDeploy the way back. API Gateway has a CreateDeployment too, which
# it throttles now and then: how often it is sent nobody knows.
DIES = {
    "before the deployment": ("codedeploy.CreateDeployment", 1, False),
    "before it is noted": ("UpdateItem", 3, True),
}
DIES_TOO = {
    "before the alarm": ("PutMetricAlarm", 0, False),
    "before CodeDeploy is asked": ("CreateDeploymentConfig", 0, False),
    "before visitors are told of the candidate": ("UpdateKeys", 1, False),
}


@pytest.mark.parametrize(
    ("operation", "skip", "begun"),
    [
        *(pytest.param(*each, id=name) for name, each in DIES.items()),
        *(pytest.param(*each, id=name, marks=pytest.mark.hunt) for name, each in DIES_TOO.items()),
    ],
)
def test_16_a_rollout_over_whose_opening_a_run_died_is_opened_by_the_same_commit_again(
    rolling: Scene, operation: str, skip: int, *, begun: bool
) -> None:
    before = rolling.settled()
    commit = rolling.commit()
    rolling.kill(operation, skip=skip)
    assert rolling.deploy(commit, way=OPENS).code == "killed"
    left = rolling.open_rollout()
    assert (left.phase, left.deployment) == (Phase.OPENING, "")
    under_way = deployments.active(rolling.site.aws, rolling.site.names)
    assert bool(under_way) is begun
    rolling.site.sleep(LATER)
    ended = rolling.deploy(commit.again, way=OPENS)
    assert (ended.status, ended.outcome) == (0, "open"), ended
    going = rolling.open_rollout()
    assert (going.phase, going.candidate) == (Phase.OPEN, left.candidate)
    assert (going.id == left.id) is begun  # one that CodeDeploy has is not begun again
    assert deployments.active(rolling.site.aws, rolling.site.names) == [going.deployment]
    assert (ADOPTED in ended.notes) is begun
    assert (OPENED_AGAIN in going.notes) is not begun
    assert own_alarms(rolling) == list(going.alarms)
    assert rolling.lease() == "free"
    assert rolling.record().release == rolling.site.release_of(before).id
    assert rolling.settle().status == 0
    assert rolling.site.visit().document == commit.page


def test_16_a_candidate_that_is_to_go_at_once_now_gives_up_its_own_half_open_rollout(
    rolling: Scene,
) -> None:
    rolling.settled()
    commit = rolling.commit()
    rolling.kill("codedeploy.CreateDeployment", skip=1)  # the first is the way back
    assert rolling.deploy(commit, way=OPENS).code == "killed"
    rolling.site.sleep(LATER)
    ended = rolling.deploy(commit.again)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert rolling.site.visit().document == commit.page
    assert rolling.open_rollout().phase is Phase.CLOSED
    assert own_alarms(rolling) == []


def test_16_a_rollout_that_somebody_ends_meanwhile_is_not_opened_again(rolling: Scene) -> None:
    before = rolling.settled()
    commit = rolling.commit()
    rolling.kill("codedeploy.CreateDeployment", skip=1)  # the first is the way back
    assert rolling.deploy(commit, way=OPENS).code == "killed"
    rolling.site.sleep(LATER)
    left, table = rolling.open_rollout(), rolling.site.names.records
    claim = journal.claim(table, left, outcome="rolled_back", why="somebody wanted it")
    rolling.at("PutItem", lambda: rolling.site.aws.records.update_item(**claim))
    ended = rolling.deploy(commit.again, way=OPENS)
    assert (ended.code, ended.status) == ("JAM-ROLLOUT-OPEN", 75), ended
    assert rolling.site.visit().document == before.page


def own_alarms(scene: Scene) -> list[str]:
    found = scene.site.aws.metrics.describe_alarms(AlarmNamePrefix=scene.site.names.prefix)
    names = [str(each["AlarmName"]) for each in found["MetricAlarms"]]
    return [each for each in names if "x" in each.rpartition("-")[2]]


def test_17_a_deployment_that_is_not_ours_is_named_where_it_is_not_to_be_stopped(
    rolling: Scene,
) -> None:
    rolling.settled()
    rolling.settings('on_open = "refuse"')
    aws, names = rolling.site.aws, rolling.site.names
    before, commit = rolling.kept(), rolling.commit()
    config = deployments.make_config(aws, CANARY)
    versions = aws.functions.list_versions_by_function(FunctionName=names.entry)["Versions"]
    older = next(
        each["Version"] for each in versions if each["Version"] not in ("$LATEST", before.alias)
    )
    shift = Shift(before=before.alias, after=older, config=config, told="by hand")
    going = deployments.begin(aws, names, shift=shift)
    ended = rolling.deploy(commit, way=ROLLS)
    aws.deployments.stop_deployment(deploymentId=going, autoRollbackEnabled=True)
    assert (ended.code, ended.status) == ("JAM-ROLLOUT-BUSY", 75)
    assert going in ended.message
    assert "on_open" in ended.hint
    assert rolling.record().release == before.release
    deployments.ended(aws, going, budget=600)


def test_18_an_alias_that_was_moved_by_hand_ends_the_rollout_with_both_versions(
    rolling: Scene,
) -> None:
    rolling.settled()
    before, commit = rolling.kept(), rolling.commit()
    assert rolling.deploy(commit, way=OPENS).outcome == "open"
    going = rolling.open_rollout()
    rolling.site.aws.functions.update_alias(
        FunctionName=rolling.site.names.entry,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    ended = rolling.settle()
    assert (ended.code, ended.status) == ("JAM-ROLLED-BACK", 4), ended
    versions = f"between versions {going.baseline_version} and {going.candidate_version}"
    assert versions in ended.message
    assert "moved the alias to 1" in ended.message
    after = rolling.kept()
    assert (after.release, after.alias, after.seen) == (before.release, before.alias, before.seen)


def test_19_a_candidate_that_was_taken_back_says_which_alarm_by_which_value(
    rolling: Scene,
) -> None:
    rolling.settled()
    rolling.settings(f'alarms = ["{ARN}"]')
    before, commit = rolling.kept(), rolling.commit()
    assert rolling.deploy(commit, way=OPENS).outcome == "open"
    rings(rolling, "ALARM", RINGS)
    ended = rolling.settle()
    assert (ended.code, ended.status) == ("JAM-ROLLED-BACK", 4), ended
    assert f"{ALARM} ({RINGS})" in ended.message
    assert "jam-deploy rollback" in ended.hint
    after = rolling.kept()
    assert (after.release, after.alias, after.seen) == (before.release, before.alias, before.seen)
    kept = rolling.rollback(release=rolling.site.release_of(commit).id, hold=False)
    assert kept.outcome == "live"  # it was kept
    assert rolling.site.visit().document == commit.page
