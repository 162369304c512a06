"""Hooks are functions that really run and answer; events and triggers tell of what happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from tests.codedeploy_site import AT_ONCE, CANARY, GROUP, Site, appspec
from tests.compute_site import HELLO, zipped
from tests.local_cloud import client, refusal

# What a hook's function does with the SDK, in as little as runs here.
ANSWERS = """
export const handler = async (event) => {
  const region = process.env.AWS_REGION;
  const scope = `${process.env.AWS_ACCESS_KEY_ID}/20260101/${region}/codedeploy/aws4_request`;
  const told = await fetch(process.env.AWS_ENDPOINT_URL, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus",
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      "x-amz-security-token": process.env.AWS_SESSION_TOKEN,
    },
    body: JSON.stringify({
      deploymentId: event.DeploymentId,
      lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
      status: "STATUS",
    }),
  });
  if (!told.ok) throw new Error(await told.text());
};
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with Cloud() as cloud:
        yield Site(cloud)


def hook(site: Site, name: str, status: str) -> None:
    site.function(name, zipped({"index.mjs": ANSWERS.replace("STATUS", status)}))


def allow_hooks_to_answer(site: Site) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "codedeploy:PutLifecycleEventHookExecutionStatus",
        "Resource": "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:notes/entry",
    }
    site.iam.put_role_policy(
        RoleName="functions", PolicyName="hooks",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )  # fmt: skip


def deploy_with(site: Site, config: str = AT_ONCE, **hooks: str) -> str:
    listed = [{event: function} for event, function in hooks.items()]
    return site.deploy(content=appspec(Hooks=listed), deploymentConfigName=config)


def events_of(site: Site, deployment: str) -> dict[str, str]:
    found = site.codedeploy.get_deployment_target(deploymentId=deployment, targetId="entry")
    listed = found["deploymentTarget"]["lambdaTarget"]["lifecycleEvents"]
    return {each["lifecycleEventName"]: each["status"] for each in listed}


def settled(site: Site, deployment: str) -> tuple[str, str]:
    """The end, once the functions, which run in real time, have answered."""
    for _ in range(200):
        site.leap(3)
        if site.ended(deployment)[0] != "InProgress":
            break
        time.sleep(0.05)  # real: the hook's process starts
    return site.ended(deployment)


def test_traffic_shifts_after_the_first_hook_says_so_and_ends_with_the_second(site: Site) -> None:
    allow_hooks_to_answer(site)
    hook(site, "CodeDeployHook_ok", "Succeeded")
    site.group()
    deployment = deploy_with(
        site, BeforeAllowTraffic="CodeDeployHook_ok", AfterAllowTraffic="CodeDeployHook_ok"
    )
    assert settled(site, deployment) == ("Succeeded", "")
    assert site.alias() == ("2", {})
    assert set(events_of(site, deployment).values()) == {"Succeeded"}


def test_a_hook_that_says_failed_keeps_every_visitor_where_they_were(site: Site) -> None:
    allow_hooks_to_answer(site)
    hook(site, "CodeDeployHook_no", "Failed")
    site.group()
    deployment = deploy_with(site, BeforeAllowTraffic="CodeDeployHook_no")
    assert settled(site, deployment) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert site.alias() == ("1", {})
    assert events_of(site, deployment) == {
        "BeforeAllowTraffic": "Failed",
        "AllowTraffic": "Skipped",
        "AfterAllowTraffic": "Skipped",
    }


def test_a_hook_that_fails_afterwards_takes_all_visitors_back(site: Site) -> None:
    allow_hooks_to_answer(site)
    hook(site, "CodeDeployHook_no", "Failed")
    site.group(autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    site.have_good()
    deployment = deploy_with(site, AfterAllowTraffic="CodeDeployHook_no")
    assert settled(site, deployment) == ("Failed", "HOOK_EXECUTION_FAILURE")
    site.leap(10)
    assert site.alias() == ("1", {})


def test_a_hook_that_never_answers_fails_after_an_hour(site: Site) -> None:
    site.function("CodeDeployHook_silent", HELLO)
    site.group()
    deployment = deploy_with(site, BeforeAllowTraffic="CodeDeployHook_silent")
    site.leap(3590)
    assert site.ended(deployment) == ("InProgress", "")
    site.leap(20)
    assert site.ended(deployment) == ("Failed", "HOOK_EXECUTION_FAILURE")


def test_a_hook_whose_role_may_not_answer_is_one_that_never_answers(site: Site) -> None:
    hook(site, "CodeDeployHook_ok", "Succeeded")
    site.group()
    deployment = deploy_with(site, BeforeAllowTraffic="CodeDeployHook_ok")
    site.leap(5)
    for _ in range(100):
        told = [e for e in site.cloud.compute.invoker.invocations if e.function.endswith("_ok")]
        if told:
            break
        time.sleep(0.05)  # real: the hook's process starts
    assert told[0].error
    assert site.ended(deployment) == ("InProgress", "")


@pytest.mark.parametrize(
    ("function", "code"),
    [("CodeDeployHook_none", "HOOK_EXECUTION_FAILURE"), ("my_hook", "IAM_ROLE_PERMISSIONS")],
)
def test_a_hook_that_cannot_be_called_fails_at_once(site: Site, function: str, code: str) -> None:
    """The managed policy lets CodeDeploy invoke functions named CodeDeployHook_ only."""
    if function == "my_hook":
        site.function(function, HELLO)
    site.group()
    deployment = deploy_with(site, BeforeAllowTraffic=function)
    site.leap(10)
    assert site.ended(deployment) == ("Failed", code)


ANSWERED: list[tuple[dict[str, str], str]] = [
    ({"status": "Skipped"}, "InvalidLifecycleEventHookExecutionStatusException"),
    ({"lifecycleEventHookExecutionId": "x"}, "InvalidLifecycleEventHookExecutionIdException"),
]


@pytest.mark.parametrize(("given", "code"), ANSWERED)
def test_an_answer_that_does_not_fit_is_refused(
    site: Site, given: dict[str, str], code: str
) -> None:
    site.function("CodeDeployHook_silent", HELLO)
    site.group()
    deployment = deploy_with(site, BeforeAllowTraffic="CodeDeployHook_silent")
    site.leap(5)
    asked = {"deploymentId": deployment, "lifecycleEventHookExecutionId": "y",
             "status": "Succeeded", **given}  # fmt: skip
    act = site.codedeploy.put_lifecycle_event_hook_execution_status
    assert refusal(lambda: act(**asked))[0] == code


def received(queue: Any, address: str, count: int) -> list[dict[str, Any]]:
    """The bodies of `count` messages, or of as many as come in five real seconds."""
    found: list[dict[str, Any]] = []
    for _ in range(100):
        told = queue.receive_message(QueueUrl=address, MaxNumberOfMessages=10)
        found += [json.loads(each["Body"]) for each in told.get("Messages", [])]
        if len(found) >= count:
            break
        time.sleep(0.05)  # real: targets are told in threads
    return found


def test_eventbridge_hears_of_begin_and_end(site: Site) -> None:
    sqs, events = client(site.cloud, "sqs"), client(site.cloud, "events")
    address = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = "arn:aws:sqs:eu-west-1:123456789012:told"
    rule = events.put_rule(
        Name="rollouts",
        EventPattern=json.dumps({
            "source": ["aws.codedeploy"],
            "detail-type": ["CodeDeploy Deployment State-change Notification"],
            "detail": {"application": ["notes"]},
        }),
    )["RuleArn"]  # fmt: skip
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                 "Action": "sqs:SendMessage", "Resource": arn,
                 "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=address, Attributes={"Policy": policy})
    events.put_targets(Rule="rollouts", Targets=[{"Id": "queue", "Arn": arn}])
    site.group(CANARY)
    deployment = site.deploy()
    site.leap(5)
    site.codedeploy.stop_deployment(deploymentId=deployment)
    site.leap(10)
    told = received(sqs, address, 2)
    assert {each["detail"]["state"] for each in told} == {"START", "STOP"}
    group = site.codedeploy.get_deployment_group(**GROUP)["deploymentGroupInfo"]
    for each in told:
        assert each["detail"] | {"state": ""} == {
            "region": "eu-west-1",
            "application": "notes",
            "deploymentId": deployment,
            "instanceGroupId": group["deploymentGroupId"],
            "deploymentGroup": "entry",
            "state": "",
        }
        assert each["resources"] == [
            "arn:aws:codedeploy:eu-west-1:123456789012:application:notes",
            "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:notes/entry",
        ]


def test_a_trigger_tells_its_topic_as_the_service_role(site: Site) -> None:
    sqs, sns = client(site.cloud, "sqs"), client(site.cloud, "sns")
    address = sqs.create_queue(QueueName="told")["QueueUrl"]
    topic = sns.create_topic(Name="rollouts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs",
                  Endpoint="arn:aws:sqs:eu-west-1:123456789012:told")  # fmt: skip
    trigger = {"triggerName": "end", "triggerTargetArn": topic,
               "triggerEvents": ["DeploymentSuccess"]}  # fmt: skip
    site.group(AT_ONCE, triggerConfigurations=[trigger])
    deployment = site.deploy()
    site.leap(10)
    (told,) = received(sqs, address, 1)
    message = json.loads(told["Message"])
    assert (message["deploymentId"], message["status"]) == (deployment, "Succeeded")
    assert message["deploymentOverview"]["Succeeded"] == "1"
