"""What CodeDeploy's control plane refuses, and by which name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from tests.codedeploy_site import (
    AT_ONCE,
    CANARY,
    GROUP,
    STYLE,
    Site,
    appspec,
    back_on,
    revision,
    watched,
)
from tests.local_cloud import client, refusal


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as made:
        yield made


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Site:
    made = Site(cloud)
    made.group(CANARY)
    return made


def routing(kind: str, percentage: int = 10, interval: int = 5) -> dict[str, Any]:
    name = kind.removeprefix("TimeBased").lower()
    body = {f"{name}Percentage": percentage, f"{name}Interval": interval}
    return {"type": kind, f"timeBased{kind.removeprefix('TimeBased')}": body}


CONFIGS: list[tuple[dict[str, Any], str]] = [
    ({"trafficRoutingConfig": routing("TimeBasedCanary", 0)},
     "InvalidTrafficRoutingConfigurationException"),
    ({"trafficRoutingConfig": routing("TimeBasedCanary", 100)},
     "InvalidTrafficRoutingConfigurationException"),
    ({"trafficRoutingConfig": routing("TimeBasedLinear", 10, 0)},
     "InvalidTrafficRoutingConfigurationException"),
    ({"trafficRoutingConfig": routing("TimeBasedCanary", 10, 2881)},
     "InvalidTrafficRoutingConfigurationException"),
    ({"trafficRoutingConfig": routing("TimeBasedLinear", 10, 321)},
     "InvalidTrafficRoutingConfigurationException"),
    ({"trafficRoutingConfig": {"type": "Sudden"}}, "InvalidTrafficRoutingConfigurationException"),
    ({"trafficRoutingConfig": {"type": "TimeBasedLinear"}},
     "InvalidTrafficRoutingConfigurationException"),
    ({}, "InvalidTrafficRoutingConfigurationException"),
    ({"deploymentConfigName": "CodeDeployDefault.Mine"}, "InvalidDeploymentConfigNameException"),
    ({"deploymentConfigName": "a b"}, "InvalidDeploymentConfigNameException"),
    ({"computePlatform": "Cloud"}, "InvalidComputePlatformException"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "code"), CONFIGS)
def test_a_configuration_keeps_to_codedeploys_limits(
    site: Site, given: dict[str, Any], code: str
) -> None:
    asked = {"deploymentConfigName": "own", "computePlatform": "Lambda", **given}
    act = site.codedeploy.create_deployment_config
    assert refusal(lambda: act(**asked)) == (code, 400)


@pytest.mark.parametrize(
    "given",
    [routing("TimeBasedCanary", 99, 2880), routing("TimeBasedLinear", 10, 320),
     routing("TimeBasedLinear", 1, 1)],
)  # fmt: skip
def test_a_configuration_at_the_limit_is_taken_once_and_deleted_again(
    site: Site, given: dict[str, Any]
) -> None:
    asked = {"deploymentConfigName": "edge", "computePlatform": "Lambda",
             "trafficRoutingConfig": given}  # fmt: skip
    site.codedeploy.create_deployment_config(**asked)
    act = site.codedeploy.create_deployment_config
    assert refusal(lambda: act(**asked))[0] == "DeploymentConfigAlreadyExistsException"
    found = site.codedeploy.get_deployment_config(deploymentConfigName="edge")
    assert found["deploymentConfigInfo"]["trafficRoutingConfig"] == given
    site.codedeploy.delete_deployment_config(deploymentConfigName="edge")
    gone = site.codedeploy.get_deployment_config
    assert refusal(lambda: gone(deploymentConfigName="edge"))[0] == (
        "DeploymentConfigDoesNotExistException"
    )


def test_at_most_200_own_configurations(site: Site) -> None:
    asked = {"computePlatform": "Lambda", "trafficRoutingConfig": {"type": "AllAtOnce"}}
    act = site.codedeploy.create_deployment_config
    for number in range(200):
        act(deploymentConfigName=f"c{number}", **asked)
    assert refusal(lambda: act(deploymentConfigName="one-more", **asked))[0] == (
        "DeploymentConfigLimitExceededException"
    )
    for number in range(200):
        site.codedeploy.delete_deployment_config(deploymentConfigName=f"c{number}")


def test_the_predefined_configurations_are_there_and_stay(site: Site) -> None:
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        found = site.codedeploy.list_deployment_configs(**token)
        names += found["deploymentConfigsList"]
        if "nextToken" not in found:
            break
        token = {"nextToken": found["nextToken"]}
    ours = sorted(name for name in names if name.startswith("CodeDeployDefault.Lambda"))
    assert len(ours) == 9
    assert "CodeDeployDefault.LambdaLinear10PercentEvery1Minute" in ours
    act = site.codedeploy.delete_deployment_config
    assert refusal(lambda: act(deploymentConfigName=AT_ONCE))[0] == "InvalidOperationException"


def test_a_configuration_that_a_group_has_is_not_deleted(site: Site) -> None:
    asked = {"computePlatform": "Lambda", "trafficRoutingConfig": {"type": "AllAtOnce"}}
    site.codedeploy.create_deployment_config(deploymentConfigName="kept", **asked)
    site.codedeploy.create_deployment_group(
        applicationName="notes", deploymentGroupName="keeper", serviceRoleArn=site.role,
        deploymentConfigName="kept", deploymentStyle=STYLE,
    )  # fmt: skip
    act = site.codedeploy.delete_deployment_config
    assert refusal(lambda: act(deploymentConfigName="kept"))[0] == "DeploymentConfigInUseException"


ELEVEN = [f"alarm-{number}" for number in range(11)]
GROUPS: list[tuple[dict[str, Any], str]] = [
    ({"applicationName": "none"}, "ApplicationDoesNotExistException"),
    ({"deploymentGroupName": "a/b"}, "InvalidDeploymentGroupNameException"),
    ({"deploymentConfigName": "none"}, "DeploymentConfigDoesNotExistException"),
    ({"deploymentConfigName": "CodeDeployDefault.OneAtATime"}, "InvalidInputException"),
    ({"serviceRoleArn": "arn:aws:iam::123456789012:role/none"}, "InvalidRoleException"),
    ({"serviceRoleArn": "arn:aws:iam::123456789012:role/functions"}, "InvalidRoleException"),
    ({"deploymentStyle": {}}, "InvalidDeploymentStyleException"),
    ({"deploymentStyle": {"deploymentType": "IN_PLACE"}}, "InvalidDeploymentStyleException"),
    ({"autoScalingGroups": ["g"]}, "InvalidAutoScalingGroupException"),
    ({"alarmConfiguration": watched()}, "InvalidAlarmConfigException"),
    ({"alarmConfiguration": watched("none")}, "InvalidAlarmConfigException"),
    ({"alarmConfiguration": watched("a", "a")}, "InvalidAlarmConfigException"),
    ({"alarmConfiguration": watched(*ELEVEN)}, "AlarmsLimitExceededException"),
    ({"autoRollbackConfiguration": {"enabled": True}}, "InvalidAutoRollbackConfigException"),
    ({"autoRollbackConfiguration": back_on("ALWAYS")}, "InvalidAutoRollbackConfigException"),
    ({"triggerConfigurations": [{"triggerName": "t"}]}, "InvalidTriggerConfigException"),
    ({"tags": [{"Key": "aws:x", "Value": "y"}]}, "InvalidTagsToAddException"),
    ({"deploymentGroupName": "entry"}, "DeploymentGroupAlreadyExistsException"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "code"), GROUPS)
def test_a_group_keeps_to_codedeploys_rules(site: Site, given: dict[str, Any], code: str) -> None:
    asked = {
        "applicationName": "notes", "deploymentGroupName": "other", "serviceRoleArn": site.role,
        "deploymentConfigName": CANARY, "deploymentStyle": STYLE, **given,
    }  # fmt: skip
    act = site.codedeploy.create_deployment_group
    assert refusal(lambda: act(**asked)) == (code, 400)


def _properties(**changed: Any) -> str:
    import json

    document = json.loads(appspec())
    properties = document["Resources"][0]["entry"]["Properties"]
    properties.update(changed)
    return json.dumps(document)


TWO = '{"version": "0.0", "Resources": [{"a": {}}, {"b": {}}]}'
APPSPECS: list[str] = [
    "- just a list",
    "{",
    '{"version": "1.0", "Resources": []}',
    '{"version": "0.0"}',
    TWO,
    _properties(CurrentVersion="$LATEST"),
    _properties(TargetVersion="live"),
    _properties(TargetVersion="0"),
    _properties(Alias=""),
    _properties(Name=None),
    appspec(Hooks=[{"BeforeAllowTraffic": None}]),
    appspec(Hooks=[{"BeforeInstall": "f"}]),
    appspec(Hooks={"BeforeAllowTraffic": "f"}),
]


@pytest.mark.parametrize("content", APPSPECS)
def test_a_malformed_appspec_is_refused_at_once(site: Site, content: str) -> None:
    act = site.codedeploy.create_deployment
    asked = revision(content)
    assert refusal(lambda: act(**GROUP, revision=asked)) == ("InvalidRevisionException", 400)


WRONG_DIGEST = {
    "revisionType": "AppSpecContent",
    "appSpecContent": {"content": appspec(), "sha256": "0" * 64},
}
UNKNOWN_DIGEST = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "0" * 64}}
GITHUB = {"revisionType": "GitHub", "gitHubLocation": {"repository": "a/b", "commitId": "c"}}
DEPLOYMENTS: list[tuple[dict[str, Any], str]] = [
    ({"applicationName": "none"}, "ApplicationDoesNotExistException"),
    ({"deploymentGroupName": "none"}, "DeploymentGroupDoesNotExistException"),
    ({"deploymentConfigName": "none"}, "DeploymentConfigDoesNotExistException"),
    ({"deploymentConfigName": "CodeDeployDefault.OneAtATime"}, "InvalidComputePlatformException"),
    ({"revision": WRONG_DIGEST}, "InvalidRevisionException"),
    ({"revision": UNKNOWN_DIGEST}, "RevisionDoesNotExistException"),
    ({"revision": GITHUB}, "InvalidRevisionException"),
    ({"revision": {}}, "RevisionRequiredException"),
    ({"description": "x" * 257}, "DescriptionTooLongException"),
    ({"overrideAlarmConfiguration": watched("none")}, "InvalidAlarmConfigException"),
    ({"autoRollbackConfiguration": {"enabled": True}}, "InvalidAutoRollbackConfigException"),
    ({"updateOutdatedInstancesOnly": True}, "InvalidUpdateOutdatedInstancesOnlyValueException"),
    ({"ignoreApplicationStopFailures": True},
     "InvalidIgnoreApplicationStopFailuresValueException"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "code"), DEPLOYMENTS)
def test_a_deployment_keeps_to_codedeploys_rules(
    site: Site, given: dict[str, Any], code: str
) -> None:
    asked = {**GROUP, "revision": revision(appspec()), **given}
    act = site.codedeploy.create_deployment
    assert refusal(lambda: act(**asked)) == (code, 400)


@pytest.mark.parametrize(
    ("given", "denied"),
    [
        ({}, "codedeploy:GetDeploymentConfig"),
        ({}, "codedeploy:RegisterApplicationRevision"),
        ({"overrideAlarmConfiguration": {"enabled": False}}, "codedeploy:UpdateDeploymentGroup"),
    ],
)
def test_a_deployment_needs_more_than_its_own_permission(
    site: Site, given: dict[str, Any], denied: str
) -> None:
    site.cloud.deny(denied)
    try:
        act = site.codedeploy.create_deployment
        asked = {**GROUP, "revision": revision(appspec()), **given}
        assert refusal(lambda: act(**asked)) == ("AccessDeniedException", 400)
    finally:
        site.cloud.permissions.clear()


UNKNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("get_deployment", {"deploymentId": "d-AAAAAAAAA"}, "DeploymentDoesNotExistException"),
    ("get_deployment", {"deploymentId": "7"}, "InvalidDeploymentIdException"),
    ("stop_deployment", {"deploymentId": "d-AAAAAAAAA"}, "DeploymentDoesNotExistException"),
    ("get_application", {"applicationName": "none"}, "ApplicationDoesNotExistException"),
    ("get_deployment_group", {**GROUP, "deploymentGroupName": "none"},
     "DeploymentGroupDoesNotExistException"),
    ("create_application", {"applicationName": "notes", "computePlatform": "Lambda"},
     "ApplicationAlreadyExistsException"),
    ("create_application", {"applicationName": "x", "computePlatform": "Moon"},
     "InvalidComputePlatformException"),
    ("list_deployments", {"applicationName": "notes"}, "DeploymentGroupNameRequiredException"),
    ("list_deployments", {"includeOnlyStatuses": ["Done"]}, "InvalidDeploymentStatusException"),
    ("list_deployments", {"nextToken": "x"}, "InvalidNextTokenException"),
    ("batch_get_deployments", {"deploymentIds": ["d-AAAAAAAAA"] * 26},
     "BatchLimitExceededException"),
    ("put_lifecycle_event_hook_execution_status",
     {"deploymentId": "d-AAAAAAAAA", "lifecycleEventHookExecutionId": "x", "status": "Succeeded"},
     "DeploymentDoesNotExistException"),
    ("tag_resource", {"ResourceArn": "arn:aws:s3:::b", "Tags": [{"Key": "a", "Value": "b"}]},
     "InvalidArnException"),
    ("list_tags_for_resource",
     {"ResourceArn": "arn:aws:codedeploy:eu-west-1:123456789012:deploymentconfig:c"},
     "ArnNotSupportedException"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "asked", "code"), UNKNOWN)
def test_what_is_not_there_is_named(
    site: Site, operation: str, asked: dict[str, Any], code: str
) -> None:
    act = getattr(site.codedeploy, operation)
    assert refusal(lambda: act(**asked)) == (code, 400)


def test_a_life_of_a_deployment_as_its_callers_see_it(site: Site) -> None:
    """One story: not started, active, listed, stopped, described."""
    look = site.codedeploy
    deployment = site.deploy(description="release 7")
    assert refusal(lambda: look.get_deployment_target(deploymentId=deployment, targetId="entry"))[
        0
    ] == ("DeploymentNotStartedException")
    with pytest.raises(look.exceptions.DeploymentLimitExceededException, match=deployment):
        site.deploy()
    asked = {"applicationName": "notes", "deploymentGroupName": "entry"}
    active = look.list_deployments(**asked, includeOnlyStatuses=["Created", "Queued"])
    assert active["deployments"] == [deployment]
    assert refusal(lambda: look.continue_deployment(deploymentId=deployment))[0] == (
        "UnsupportedActionForDeploymentTypeException"
    )
    site.leap(10)
    assert look.list_deployment_targets(deploymentId=deployment)["targetIds"] == ["entry"]
    assert refusal(lambda: look.get_deployment_target(deploymentId=deployment, targetId="x"))[
        0
    ] == ("DeploymentTargetDoesNotExistException")
    site.leap(400)
    assert refusal(lambda: look.stop_deployment(deploymentId=deployment))[0] == (
        "DeploymentAlreadyCompletedException"
    )
    told = look.get_deployment_group(**asked)["deploymentGroupInfo"]
    assert told["lastSuccessfulDeployment"]["deploymentId"] == deployment
    found = look.get_deployment(deploymentId=deployment)["deploymentInfo"]
    assert found["description"] == "release 7"
    assert "content" not in found["revision"]["appSpecContent"]
    whole = look.get_application_revision(applicationName="notes", revision=found["revision"])
    assert whole["revision"]["appSpecContent"]["content"] == appspec()
    assert whole["revisionInfo"]["deploymentGroups"] == ["entry"]


def test_groups_are_changed_renamed_tagged_and_deleted(cloud: Cloud) -> None:
    codedeploy = client(cloud, "codedeploy")
    site_role = "arn:aws:iam::123456789012:role/codedeploy"
    name = {"applicationName": "notes", "deploymentGroupName": "draft"}
    codedeploy.create_deployment_group(
        **name, serviceRoleArn=site_role, deploymentConfigName=CANARY, deploymentStyle=STYLE,
        tags=[{"Key": "jam:site", "Value": "notes"}],
    )  # fmt: skip
    codedeploy.update_deployment_group(
        applicationName="notes", currentDeploymentGroupName="draft", newDeploymentGroupName="done",
        deploymentConfigName=AT_ONCE, autoRollbackConfiguration=back_on("DEPLOYMENT_FAILURE"),
    )  # fmt: skip
    found = codedeploy.batch_get_deployment_groups(
        applicationName="notes", deploymentGroupNames=["done", "draft"]
    )
    assert "draft" in found["errorMessage"]
    (done,) = found["deploymentGroupsInfo"]
    assert done["deploymentConfigName"] == AT_ONCE
    assert done["autoRollbackConfiguration"]["events"] == ["DEPLOYMENT_FAILURE"]
    arn = "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:notes/done"
    told = client(cloud, "resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "jam:site"}])
    assert [each["ResourceARN"] for each in told["ResourceTagMappingList"]] == [arn]
    codedeploy.untag_resource(ResourceArn=arn, TagKeys=["jam:site"])
    assert codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    codedeploy.delete_deployment_group(applicationName="notes", deploymentGroupName="done")
    names = codedeploy.list_deployment_groups(applicationName="notes")["deploymentGroups"]
    assert "done" not in names


def test_a_new_role_is_refused_until_it_has_spread(site: Site) -> None:
    from tests.codedeploy_site import CODEDEPLOY_TRUST

    made = site.iam.create_role(RoleName="young", AssumeRolePolicyDocument=CODEDEPLOY_TRUST)
    asked = {"applicationName": "notes", "deploymentGroupName": "young",
             "serviceRoleArn": made["Role"]["Arn"], "deploymentConfigName": CANARY,
             "deploymentStyle": STYLE}  # fmt: skip
    act = site.codedeploy.create_deployment_group
    assert refusal(lambda: act(**asked))[0] == "InvalidRoleException"
    site.leap(10)
    act(**asked)


def test_a_role_that_may_not_be_passed_is_no_groups_role(site: Site) -> None:
    site.cloud.deny("iam:PassRole")
    try:
        act = site.codedeploy.update_deployment_group
        asked = {"applicationName": "notes", "currentDeploymentGroupName": "entry",
                 "serviceRoleArn": site.role}  # fmt: skip
        assert refusal(lambda: act(**asked))[0] == "AccessDeniedException"
    finally:
        site.cloud.permissions.clear()


def test_a_denied_call_is_refused_in_codedeploys_words(site: Site) -> None:
    site.cloud.deny("codedeploy:ListApplications")
    try:
        assert refusal(site.codedeploy.list_applications) == ("AccessDeniedException", 400)
    finally:
        site.cloud.permissions.clear()
