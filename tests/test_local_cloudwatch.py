"""CloudWatch in the whole cloud: alarms over real requests, told to real queues."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from runner.local.wire import Request
from tests.api_site import definition, operation
from tests.background_site import Site
from tests.compute_site import zipped
from tests.local_cloud import client, refusal

WRITES = """
export const handler = async (event) => {
  console.log(JSON.stringify({
    _aws: {Timestamp: Number(process.env.NOW) * 1000 + event.later, CloudWatchMetrics: [
      {Namespace: "jam", Dimensions: [["site", "release"]], Metrics: [{Name: "errors"}]}]},
    site: "notes", release: event.release, errors: 1,
  }));
};
"""
THROWS = 'export const handler = async () => { throw new Error("broken"); };'


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Cloud() as running:
        yield Site(running)


@pytest.fixture(autouse=True)
def fresh(site: Site) -> None:
    site.cloud.reset()


def function(site: Site, name: str, source: str, **more: Any) -> Any:
    """Lambda's client, once version 1 of the function is there."""
    role = site.role(f"{name}-role", "logs:*")
    lambdas = client(site.cloud, "lambda")
    lambdas.create_function(
        FunctionName=name, Runtime="nodejs22.x", Handler="index.handler", Role=role,
        Code={"ZipFile": zipped({"index.mjs": source})}, Timeout=30, **more,
    )  # fmt: skip
    site.leap(5)
    lambdas.publish_version(FunctionName=name)
    site.leap(5)
    return lambdas


def seconds_to_alarm(site: Site, name: str, *, within: int = 600) -> int:
    for second in range(0, within, 5):
        if state(site, name) == "ALARM":
            return second
        site.leap(5)
    raise AssertionError(f"{name} is {state(site, name)} after {within} s")


def state(site: Site, name: str) -> str:
    found = site.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found[0]["StateValue"])


def test_the_alarm_of_a_version_that_throws_goes_red_and_the_others_does_not(site):
    lambdas = function(site, "entry", 'export const handler = async () => "fine";')
    lambdas.update_function_code(FunctionName="entry", ZipFile=zipped({"index.mjs": THROWS}))
    site.leap(5)
    lambdas.publish_version(FunctionName="entry")
    site.leap(5)
    lambdas.create_alias(
        FunctionName="entry", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )  # fmt: skip
    topic = site.sns.create_topic(Name="alarms")["TopicArn"]
    url, queue = site.queue("heard")
    site.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    for version in ("1", "2"):
        site.cloudwatch.put_metric_alarm(
            AlarmName=f"version-{version}", Namespace="AWS/Lambda", MetricName="Errors",
            Dimensions=[
                {"Name": "FunctionName", "Value": "entry"},
                {"Name": "Resource", "Value": "entry:live"},
                {"Name": "ExecutedVersion", "Value": version},
            ],
            Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=0,
            ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
            AlarmActions=[topic],
        )  # fmt: skip
    site.leap(70)
    assert state(site, "version-2") == "OK"
    while not any(each.error for each in site.cloud.compute.invoker.invocations):
        lambdas.invoke(FunctionName="entry", Qualifier="live")
    lambdas.invoke(FunctionName="entry", Qualifier="live")
    taken = seconds_to_alarm(site, "version-2")
    assert taken <= 60 + site.cloud.cloudwatch.settings.service_delay + 60
    assert state(site, "version-1") == "OK"
    (letter,) = site.letters(url)
    assert letter["body"]["Subject"].startswith('ALARM: "version-2"')
    assert json.loads(letter["body"]["Message"])["NewStateValue"] == "ALARM"
    assert site.cloud.cloudwatch.state("eu-west-1", "version-2") == "ALARM"


def test_a_metric_in_a_functions_log_line_is_a_metric(site):
    now = int(site.cloud.clock.now())
    lambdas = function(site, "beacon", WRITES, Environment={"Variables": {"NOW": str(now)}})
    for release in ("r1", "r1", "r2"):
        payload = json.dumps({"release": release, "later": 0}).encode()
        lambdas.invoke(FunctionName="beacon", Payload=payload)
    assert written(site, "r1") == 2
    assert written(site, "r2") == 1


def test_a_leap_waits_for_the_lines_of_what_ran_before_it(site):
    now = int(site.cloud.clock.now())
    function(site, "beacon", WRITES, Environment={"Variables": {"NOW": str(now)}})
    held = threading.Event()

    def hold() -> None:
        with site.cloud.overlay.lock:  # nobody writes meanwhile
            held.set()
            time.sleep(0.5)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    compute = site.cloud.compute
    compute.invoker.run(
        compute.store.find("eu-west-1", "beacon"), "1", b'{"release": "r1", "later": 0}'
    )
    assert written(site, "r1") == 1
    holder.join()


def test_a_line_in_a_wrong_format_is_counted_as_one(site):
    now = int(site.cloud.clock.now())
    lambdas = function(site, "beacon", WRITES, Environment={"Variables": {"NOW": str(now)}})
    lambdas.invoke(FunctionName="beacon", Payload=b'{"release": "r1", "later": -9e9}')
    wrong = site.metric("AWS/Logs", "EMFValidationErrors", LogGroupName="/aws/lambda/beacon")
    assert wrong == 1
    assert written(site, "r1") == 0


def written(site: Site, release: str) -> float:
    return site.metric("jam", "errors", site="notes", release=release)


def test_the_event_bus_tells_a_queue_of_the_alarm(site):
    url, queue = site.queue("events")
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": queue}]}  # fmt: skip
    site.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    pattern = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}
    site.events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    site.events.put_targets(Rule="alarms", Targets=[{"Id": "q", "Arn": queue}])
    alarm(site)
    site.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="a drill")
    site.leap(2)
    (letter,) = site.letters(url)
    assert letter["body"]["detail-type"] == "CloudWatch Alarm State Change"
    assert letter["body"]["detail"]["alarmName"] == "a"
    assert letter["body"]["resources"][0].endswith(":alarm:a")


def alarm(site: Site, **more: Any) -> None:
    site.cloudwatch.put_metric_alarm(
        AlarmName="a", Namespace="jam", MetricName="errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold", **more,
    )  # fmt: skip


def test_a_function_is_called_if_its_policy_lets_alarms(site):
    lambdas = function(site, "guard", "export const handler = async (event) => event;")
    arn = f"{lambdas.get_function(FunctionName='guard')['Configuration']['FunctionArn']}:1"
    alarm(site, AlarmActions=[arn])
    site.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="refused")
    site.leap(70)
    assert site.ran("guard") == 0
    history = site.cloudwatch.describe_alarm_history(HistoryItemType="Action")
    assert "Failed to execute action" in history["AlarmHistoryItems"][0]["HistorySummary"]
    lambdas.add_permission(
        FunctionName="guard", Qualifier="1", StatementId="alarms", Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
    )  # fmt: skip
    site.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="allowed")
    site.leap(5)
    history = site.cloudwatch.describe_alarm_history(HistoryItemType="Action")
    assert "Successfully" in history["AlarmHistoryItems"][0]["HistorySummary"]


def test_large_bodies_come_compressed(site):
    many = [{"MetricName": "n" * 200, "Value": 1.0}] * 500
    site.cloudwatch.put_metric_data(Namespace="jam", MetricData=many)
    assert site.metric("jam", "n" * 200) == 500


def test_a_functions_role_must_allow_what_it_sends(site):
    role = site.role("mute", "logs:*")
    session = site.cloud.identity.session(role, "mute", seconds=900)
    sender = client(site.cloud, "cloudwatch", key=session.access_key, token=session.token)

    def send() -> Any:
        return sender.put_metric_data(Namespace="jam", MetricData=[{"MetricName": "e", "Value": 1}])

    assert refusal(send) == ("AccessDenied", 403)
    for namespace, allowed in (("else", False), ("jam", True)):
        condition = {"StringEquals": {"cloudwatch:namespace": namespace}}
        statement = {
            "Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
            "Condition": condition,
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        site.iam.put_role_policy(RoleName="mute", PolicyName="p", PolicyDocument=policy)
        if allowed:
            send()
        else:
            assert refusal(send) == ("AccessDenied", 403)


def test_errors_have_the_codes_that_boto3_knows(site):
    cloudwatch = site.cloudwatch
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.delete_alarms(AlarmNames=["absent"])
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
        cloudwatch.put_metric_data(
            Namespace="AWS/Lambda", MetricData=[{"MetricName": "e", "Value": 1}]
        )
    assert refusal(lambda: alarm(site, DatapointsToAlarm=2)) == ("ValidationError", 400)


def test_alarms_survive_a_restart_and_are_evaluated_again(tmp_path):
    with Cloud(state=tmp_path) as first:
        alarm(Site(first), TreatMissingData="breaching")
    with Cloud(state=tmp_path) as second:
        site = Site(second)
        assert state(site, "a") == "INSUFFICIENT_DATA"
        site.leap(65)
        assert state(site, "a") == "ALARM"


def test_dashboards_are_motos(site):
    body = json.dumps({"widgets": []})
    site.cloudwatch.put_dashboard(DashboardName="jam", DashboardBody=body)
    assert site.cloudwatch.list_dashboards()["DashboardEntries"][0]["DashboardName"] == "jam"


def test_delays_are_changed_by_the_admin_address_and_come_back_with_a_reset(site):
    assert site.cloud.cloudwatch.configure({"delay": 0, "service_delay": 0})["delay"] == 0
    site.cloud.reset()
    assert site.cloud.cloudwatch.inspect()["delay"] == 5


def test_an_apis_requests_are_counted_by_stage(site):
    spec = definition({"/a": {"get": operation()}})
    api = site.apigatewayv2.import_api(Body=json.dumps(spec))["ApiId"]
    made = site.apigatewayv2.create_deployment(ApiId=api)["DeploymentId"]
    site.apigatewayv2.create_stage(ApiId=api, StageName="s1", DeploymentId=made)
    host = f"{api}.execute-api.eu-west-1.amazonaws.com"
    for path in ("/s1/a", "/s1/b"):  # the first one's function does not exist
        site.cloud.send(Request(method="GET", host=host, path=path))
    found = {
        name: site.metric("AWS/ApiGateway", name, ApiId=api, Stage="s1")
        for name in ("Count", "4xx", "5xx")
    }
    assert found == {"Count": 2, "4xx": 1, "5xx": 1}
