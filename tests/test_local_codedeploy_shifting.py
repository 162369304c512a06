"""CodeDeploy really shifts the alias, on the cloud's clock, and what goes wrong ends it."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.local.cloud import Cloud
from runner.local.faults import Fault, Kind
from tests.codedeploy_site import (
    ALL_EVENTS,
    AT_ONCE,
    CANARY,
    GROUP,
    LINEAR,
    Site,
    appspec,
    back_on,
    watched,
)
from tests.compute_site import HELLO
from tests.local_cloud import client, refusal


@pytest.fixture
def site() -> Iterator[Site]:
    with Cloud() as cloud:
        yield Site(cloud)


def test_a_canary_sends_a_tenth_of_the_visitors_to_the_new_version_and_then_all(
    site: Site,
) -> None:
    site.group(CANARY)
    deployment = site.deploy()
    site.leap(5)
    random.seed(4)
    served = Counter(site.version_served() for _ in range(400))
    assert site.alias() == ("1", {"2": 0.1})
    assert 20 <= served["2"] <= 64  # four standard deviations around 40
    assert site.ended(deployment) == ("InProgress", "")
    site.leap(301)
    assert site.alias() == ("2", {})
    assert site.ended(deployment) == ("Succeeded", "")
    assert {site.version_served() for _ in range(5)} == {"2"}


def test_the_shifted_visitors_are_counted_by_the_version_that_ran(site: Site) -> None:
    site.group(AT_ONCE)
    site.deploy()
    site.leap(5)
    site.version_served()
    site.leap(120)
    now = site.cloud.clock.now()
    dimensions = {"FunctionName": "entry", "Resource": "entry:live", "ExecutedVersion": "2"}
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    found = site.cloudwatch.get_metric_data(
        StartTime=now - 600, EndTime=now, MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
        ],
    )  # fmt: skip
    assert sum(found["MetricDataResults"][0]["Values"]) == 1


CURVES: list[tuple[str, dict[str, Any], list[tuple[float, float]]]] = [
    ("TimeBasedLinear", {"linearPercentage": 30, "linearInterval": 2},
     [(5, 0.3), (121, 0.6), (120, 0.9), (120, 1.0)]),
    ("TimeBasedLinear", {"linearPercentage": 50, "linearInterval": 1}, [(5, 0.5), (61, 1.0)]),
    ("TimeBasedCanary", {"canaryPercentage": 1, "canaryInterval": 60}, [(5, 0.01), (3601, 1.0)]),
    ("AllAtOnce", {}, [(5, 1.0)]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "settings", "curve"), CURVES)
def test_traffic_shifts_as_the_configuration_says(
    site: Site, kind: str, settings: dict[str, int], curve: list[tuple[float, float]]
) -> None:
    member = {"timeB" + kind[5:]: settings} if settings else {}
    site.codedeploy.create_deployment_config(
        deploymentConfigName="own", computePlatform="Lambda",
        trafficRoutingConfig={"type": kind, **member},
    )  # fmt: skip
    site.group("own")
    deployment = site.deploy()
    for seconds, weight in curve:
        site.leap(seconds)
        version, weights = site.alias()
        assert (1.0 if version == "2" else weights["2"]) == weight
        assert told_weight(site, deployment) == weight * 100
    assert site.ended(deployment) == ("Succeeded", "")


def told_weight(site: Site, deployment: str) -> float:
    found = site.codedeploy.batch_get_deployment_targets(
        deploymentId=deployment, targetIds=["entry"]
    )
    target = found["deploymentTargets"][0]["lambdaTarget"]
    return float(target["lambdaFunctionInfo"]["targetVersionWeight"])


def test_one_leap_over_a_whole_linear_rollout_plays_all_its_steps(site: Site) -> None:
    site.group(LINEAR)
    before = site.cloud.journal.last
    deployment = site.deploy()
    site.leap(3600)
    assert site.ended(deployment) == ("Succeeded", "")
    assert site.cloud.journal.count("lambda", "UpdateAlias", since=before) == 10


def test_a_fast_clock_needs_no_leaps() -> None:
    with Cloud(speed=600) as cloud:
        site = Site(cloud)
        site.group(CANARY)
        deployment = site.deploy()
        for _ in range(100):
            if site.look(deployment)["status"] == "Succeeded":
                break
            time.sleep(0.05)  # real seconds: what is tested is the running clock
        assert site.alias() == ("2", {})


def test_an_alarm_takes_the_visitors_back_by_a_deployment_of_its_own(site: Site) -> None:
    site.alarm()
    site.group(
        alarmConfiguration=watched("red"),
        autoRollbackConfiguration=back_on(*ALL_EVENTS),
    )
    site.have_good()
    deployment = site.deploy()
    site.leap(60)
    site.set_alarm("ALARM")
    site.leap(31)
    failed = site.look(deployment)
    assert (failed["status"], failed["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert "red" in failed["errorInformation"]["message"]
    back = site.look(failed["rollbackInfo"]["rollbackDeploymentId"])
    assert back["creator"] == "codeDeployRollback"
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    site.leap(5)
    assert site.ended(back["deploymentId"]) == ("Succeeded", "")
    assert site.alias() == ("1", {})
    assert "succeeded" in site.look(deployment)["rollbackInfo"]["rollbackMessage"]


def test_an_alarm_that_rings_already_stops_the_deployment_before_a_visitor_is_shifted(
    site: Site,
) -> None:
    site.alarm(state="ALARM")
    site.group(alarmConfiguration=watched("red"))
    deployment = site.deploy()
    site.leap(5)
    assert site.ended(deployment) == ("Stopped", "ALARM_ACTIVE")
    assert site.alias() == ("1", {})


def test_override_alarms_count_in_place_of_the_groups(site: Site) -> None:
    site.alarm(state="ALARM")
    site.alarm("own", state="OK")
    site.group(AT_ONCE, alarmConfiguration=watched("red"))
    deployment = site.deploy(overrideAlarmConfiguration=watched("own"))
    site.leap(5)
    assert site.ended(deployment) == ("Succeeded", "")
    told = site.look(deployment)["overrideAlarmConfiguration"]["alarms"]
    assert told == [{"name": "own"}]


@pytest.mark.parametrize(("ignored", "status"), [(False, "Stopped"), (True, "Succeeded")])
def test_alarms_that_cannot_be_read_stop_the_deployment_unless_that_is_ignored(
    site: Site, ignored: bool, status: str
) -> None:
    site.alarm()
    site.group(alarmConfiguration=watched("red", ignorePollAlarmFailure=ignored))
    deployment = site.deploy()
    site.cloud.faults.add(
        Fault(
            kind="error", service="cloudwatch", operation="DescribeAlarms", times=100, inside=True
        )
    )
    site.leap(400)
    assert site.ended(deployment)[0] == status


def test_a_groups_first_deployment_is_not_taken_back_and_its_weights_block_the_next(
    site: Site,
) -> None:
    site.group(autoRollbackConfiguration=back_on(*ALL_EVENTS))
    deployment = site.deploy()
    site.leap(60)
    site.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    site.leap(10)
    assert site.ended(deployment) == ("Stopped", "MANUAL_STOP")
    assert "cannot be rolled back" in site.look(deployment)["rollbackInfo"]["rollbackMessage"]
    assert site.alias() == ("1", {"2": 0.1})
    again = site.deploy()
    site.leap(10)
    assert site.ended(again) == ("Failed", "INVALID_LAMBDA_CONFIGURATION")


STOPS: list[tuple[dict[str, Any], list[str], bool]] = [
    ({"autoRollbackEnabled": True}, [], True),
    ({"autoRollbackEnabled": False}, ["DEPLOYMENT_FAILURE"], False),
    ({}, [], False),
    ({}, ["DEPLOYMENT_STOP_ON_REQUEST"], True),
    ({"autoRollbackEnabled": False}, ["DEPLOYMENT_STOP_ON_REQUEST"], True),  # not documented
]


@pytest.mark.parametrize(("asked", "events", "back"), STOPS)
def test_a_stop_takes_back_if_it_or_the_settings_say_so(
    site: Site, asked: dict[str, bool], events: list[str], back: bool
) -> None:
    site.group(**({"autoRollbackConfiguration": back_on(*events)} if events else {}))
    site.have_good()
    deployment = site.deploy()
    site.leap(60)
    stop = site.codedeploy.stop_deployment(deploymentId=deployment, **asked)
    assert stop["status"] == "Pending"
    assert site.ended(deployment)[0] == "InProgress"
    site.leap(10)
    assert site.ended(deployment) == ("Stopped", "MANUAL_STOP")
    assert site.alias() == (("1", {}) if back else ("1", {"2": 0.1}))
    again = site.codedeploy.stop_deployment(deploymentId=deployment)
    assert again["status"] == "Succeeded"


def test_a_deployments_own_rollback_settings_replace_its_groups(site: Site) -> None:
    site.group(autoRollbackConfiguration=back_on(*ALL_EVENTS))
    site.have_good()
    own = back_on("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM")
    deployment = site.deploy(autoRollbackConfiguration=own)
    site.leap(60)
    site.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    site.leap(10)
    assert site.alias() == ("1", {"2": 0.1})


def test_an_alias_moved_by_hand_fails_the_deployment(site: Site) -> None:
    site.group()
    deployment = site.deploy()
    site.leap(60)
    site.functions.update_alias(
        FunctionName="entry", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}}
    )
    site.leap(300)
    assert site.ended(deployment) == ("Failed", "INVALID_LAMBDA_CONFIGURATION")
    assert site.alias() == ("1", {"2": 0.5})


def _other_current(site: Site) -> str:
    return site.deploy("2", "1")


def _same_version(site: Site) -> str:
    return site.deploy("1", "1")


def _deleted(site: Site) -> str:
    made = site.deploy()
    site.functions.delete_function(FunctionName="entry", Qualifier="2")
    return made


def _no_alias(site: Site) -> str:
    made = site.deploy()
    site.functions.delete_alias(FunctionName="entry", Name="live")
    return made


def _no_role(site: Site) -> str:
    made = site.deploy()
    managed = site.iam.list_attached_role_policies(RoleName="codedeploy")["AttachedPolicies"]
    for policy in managed:
        site.iam.detach_role_policy(RoleName="codedeploy", PolicyArn=policy["PolicyArn"])
    site.iam.delete_role(RoleName="codedeploy")
    return made


def _not_trusted(site: Site) -> str:
    made = site.deploy()
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"},
         "Action": "sts:AssumeRole"}]})  # fmt: skip
    site.iam.update_assume_role_policy(RoleName="codedeploy", PolicyDocument=trust)
    return made


@pytest.mark.parametrize(
    ("begin", "code"),
    [
        (_other_current, "INVALID_LAMBDA_CONFIGURATION"),
        (_same_version, "INVALID_LAMBDA_CONFIGURATION"),
        (_deleted, "INVALID_LAMBDA_FUNCTION"),
        (_no_alias, "INVALID_LAMBDA_FUNCTION"),
        (_no_role, "IAM_ROLE_MISSING"),
        (_not_trusted, "IAM_ROLE_PERMISSIONS"),
    ],
)
def test_what_cannot_be_shifted_fails_with_awss_code(site: Site, begin: Any, code: str) -> None:
    site.group()
    deployment = begin(site)
    site.leap(10)
    assert site.ended(deployment) == ("Failed", code)


@pytest.mark.parametrize("missing", ["lambda:UpdateAlias", "lambda:GetAlias"])
def test_the_service_role_needs_its_permissions(missing: str) -> None:
    kept = sorted({"lambda:UpdateAlias", "lambda:GetAlias"} - {missing})
    with Cloud() as cloud:
        site = Site(cloud, policy="")
        statement = {"Effect": "Allow", "Action": kept, "Resource": "*"}
        site.iam.put_role_policy(
            RoleName="codedeploy", PolicyName="own",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )  # fmt: skip
        site.group(AT_ONCE)
        deployment = site.deploy()
        site.leap(10)
        assert site.ended(deployment) == ("Failed", "IAM_ROLE_PERMISSIONS")
        assert missing in site.look(deployment)["errorInformation"]["message"]


def test_a_throttled_lambda_is_tried_again(site: Site) -> None:
    site.group(AT_ONCE)
    site.cloud.faults.add(
        Fault(kind="throttle", service="lambda", operation="UpdateAlias", times=3, inside=True)
    )
    deployment = site.deploy()
    site.leap(60)
    assert site.ended(deployment) == ("Succeeded", "")


def test_a_lambda_that_stays_throttled_fails_the_deployment(site: Site) -> None:
    site.group(AT_ONCE)
    site.cloud.faults.add(
        Fault(kind="throttle", service="lambda", operation="UpdateAlias", times=100, inside=True)
    )
    deployment = site.deploy()
    site.leap(120)
    assert site.ended(deployment) == ("Failed", "THROTTLED")


def everything(kind: Kind) -> Fault:
    return Fault(kind=kind, times=1000)


@pytest.mark.parametrize("kind", ["error", "throttle", "reset", "lost"])
def test_what_a_client_meets_on_its_way_to_aws_does_not_befall_a_deployment(
    site: Site, kind: Kind
) -> None:
    site.alarm()
    site.group(CANARY, alarmConfiguration=watched("red"))
    deployment = site.deploy()
    site.cloud.faults.add(everything(kind))
    site.leap(400)
    site.cloud.faults.clear()
    assert site.ended(deployment) == ("Succeeded", "")
    assert site.alias() == ("2", {})


@pytest.mark.parametrize("inside", [False, True])
def test_an_alarm_takes_back_whatever_befalls_or_is_denied_to_clients(
    site: Site, inside: bool, caplog: pytest.LogCaptureFixture
) -> None:
    site.alarm()
    site.group(alarmConfiguration=watched("red"), autoRollbackConfiguration=back_on(*ALL_EVENTS))
    site.have_good()
    deployment = site.deploy()
    site.leap(5)
    site.set_alarm("ALARM")
    fault = Fault(kind="throttle", operation="StopDeployment", times=1000, inside=inside)
    site.cloud.faults.add(fault)
    site.cloud.deny("codedeploy:StopDeployment")
    site.leap(60)
    assert site.ended(deployment) == ("Stopped", "ALARM_ACTIVE")
    assert site.alias() == ("1", {})
    assert not [each for each in caplog.records if each.exc_info]


def test_a_reset_ends_what_is_under_way(site: Site) -> None:
    site.group()
    site.deploy()
    site.leap(5)
    site.cloud.reset()
    before = site.cloud.journal.last
    site.leap(600)
    assert site.codedeploy.list_deployments()["deployments"] == []
    assert site.cloud.journal.count("lambda", "UpdateAlias", since=before) == 0


def test_a_deleted_group_ends_its_deployment_where_it_was(site: Site) -> None:
    site.group()
    site.deploy()
    site.leap(5)
    site.codedeploy.delete_deployment_group(**GROUP)
    site.leap(600)
    assert site.alias() == ("1", {"2": 0.1})


def test_a_restart_goes_on_with_the_deployment_that_was_under_way(tmp_path: Path) -> None:
    with Cloud(state=tmp_path) as cloud:
        site = Site(cloud)
        site.group(CANARY)
        deployment = site.deploy()
        # A refused call is not repeated by a replay, and must not shift what it draws.
        again = {"FunctionName": "entry", "Name": "live", "FunctionVersion": "1"}
        assert refusal(lambda: site.functions.create_alias(**again))[1] == 409
        site.leap(60)
        revision = site.functions.get_alias(FunctionName="entry", Name="live")["RevisionId"]
        now = cloud.clock.now()
    with Cloud(state=tmp_path) as cloud:
        cloud.clock.run(now)
        codedeploy, functions = client(cloud, "codedeploy"), client(cloud, "lambda")
        alias = functions.get_alias(FunctionName="entry", Name="live")
        assert alias["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.1}
        assert alias["RevisionId"] == revision
        cloud.clock.run(now + 301)
        found = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        assert found["status"] == "Succeeded"
        alias = functions.get_alias(FunctionName="entry", Name="live")
        assert alias["FunctionVersion"] == "2"


def test_a_restart_keeps_what_an_alarm_took_back(tmp_path: Path) -> None:
    with Cloud(state=tmp_path) as cloud:
        site = Site(cloud)
        site.alarm()
        site.group(
            alarmConfiguration=watched("red"), autoRollbackConfiguration=back_on(*ALL_EVENTS)
        )
        site.have_good()
        deployment = site.deploy()
        site.leap(60)
        site.set_alarm("ALARM")
        site.leap(40)
        before = site.look(deployment)
        site.set_alarm("OK")
        now = cloud.clock.now()
    with Cloud(state=tmp_path) as cloud:
        cloud.clock.run(now + 600)
        after = client(cloud, "codedeploy").get_deployment(deploymentId=deployment)
        for key in ("status", "errorInformation"):
            assert after["deploymentInfo"][key] == before[key]
        assert (
            after["deploymentInfo"]["rollbackInfo"]["rollbackDeploymentId"]
            == before["rollbackInfo"]["rollbackDeploymentId"]
        )
        alias = client(cloud, "lambda").get_alias(FunctionName="entry", Name="live")
        assert alias["FunctionVersion"] == "1"
        assert "RoutingConfig" not in alias


def test_the_appspec_may_be_yaml(site: Site) -> None:
    site.group(AT_ONCE)
    content = """
version: 0.0
Resources:
  - entry:
      Type: AWS::Lambda::Function
      Properties: {Name: entry, Alias: live, CurrentVersion: "1", TargetVersion: "2"}
"""
    deployment = site.deploy(content=content)
    site.leap(10)
    assert site.ended(deployment) == ("Succeeded", "")


def test_hooks_are_skipped_on_the_way_back(site: Site) -> None:
    site.alarm()
    site.function("CodeDeployHook_never", HELLO)
    site.group(alarmConfiguration=watched("red"), autoRollbackConfiguration=back_on(*ALL_EVENTS))
    site.have_good()
    hooked = appspec(Hooks=[{"AfterAllowTraffic": "CodeDeployHook_never"}])
    deployment = site.deploy(content=hooked)
    site.leap(60)
    site.set_alarm("ALARM")
    site.leap(40)
    back = site.look(deployment)["rollbackInfo"]["rollbackDeploymentId"]
    events = site.codedeploy.get_deployment_target(deploymentId=back, targetId="entry")
    told = {
        each["lifecycleEventName"]: each["status"]
        for each in events["deploymentTarget"]["lambdaTarget"]["lifecycleEvents"]
    }
    assert told == {
        "BeforeAllowTraffic": "Skipped",
        "AllowTraffic": "Succeeded",
        "AfterAllowTraffic": "Skipped",
    }
