"""Functions in the whole cloud: called by boto3 and over HTTP, calling AWS themselves."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from runner.local.cloud import Cloud
from tests.api_site import definition, operation
from tests.compute_site import TRUST, eventually, zipped
from tests.local_cloud import client

RUNTIME = f"python3.{sys.version_info.minor}"
CODE = """
import json, os
import boto3

def handler(event, context):
    print("heard", json.dumps(event))
    if "table" in event:
        boto3.client("dynamodb").put_item(TableName=event["table"], Item={"id": {"S": "1"}})
    return {"who": boto3.client("sts").get_caller_identity()["Arn"], "event": event}
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=200) as running:
        yield running


def make_role(cloud: Cloud, name: str, *actions: str) -> str:
    iam = client(cloud, "iam")
    made = iam.create_role(RoleName=name, Path="/jam/", AssumeRolePolicyDocument=json.dumps(TRUST))
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    arn = str(made["Role"]["Arn"])
    eventually(lambda: cloud.role_ready(arn))
    return arn


def make_function(cloud: Cloud, name: str, role: str, source: str = CODE) -> Any:
    """Lambda's client, once the function's version 1 is active."""
    functions = client(cloud, "lambda")
    functions.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Handler="app.handler",
        Role=role,
        Timeout=30,
        Code={"ZipFile": zipped({"app.py": source})},
        Publish=True,
        Tags={"jam:site": name},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    return functions


def test_a_function_acts_as_its_role_on_the_embedded_cloud(cloud: Cloud) -> None:
    client(cloud, "dynamodb").create_table(
        TableName="notes", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )  # fmt: skip
    functions = make_function(cloud, "acting", make_role(cloud, "acting", "logs:*", "dynamodb:*"))
    answer = functions.invoke(
        FunctionName="acting", Qualifier="1", Payload=b'{"table": "notes"}', LogType="Tail"
    )
    told = json.loads(answer["Payload"].read())
    assert told["who"].startswith("arn:aws:sts::123456789012:assumed-role/acting/")
    assert client(cloud, "dynamodb").scan(TableName="notes")["Count"] == 1
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert 'heard {"table": "notes"}' in tail
    assert "REPORT RequestId:" in tail
    assert answer["ExecutedVersion"] == "1"


def test_logs_reach_cloudwatch_where_the_role_may_write_them(cloud: Cloud) -> None:
    logs = client(cloud, "logs")
    for name, actions in (("telling", ("logs:*",)), ("silent", ("s3:*",))):
        functions = make_function(cloud, name, make_role(cloud, name, *actions))
        functions.invoke(FunctionName=name, Payload=b"{}")

    def lines(group: str) -> list[str]:
        found = logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in found]

    def groups() -> set[str]:
        return {each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]}

    eventually(lambda: "/aws/lambda/telling" in groups())
    eventually(lambda: any("REPORT" in line for line in lines("/aws/lambda/telling")))
    assert "heard {}" in lines("/aws/lambda/telling")
    assert "/aws/lambda/silent" not in groups()


def test_an_api_and_a_function_url_answer_on_the_clouds_port(cloud: Cloud) -> None:
    functions = make_function(cloud, "f", make_role(cloud, "f", "logs:*"))
    role = make_role(cloud, "api", "lambda:InvokeFunction")
    apis = client(cloud, "apigatewayv2")
    body = definition({"/notes/{id}": {"get": operation(credentials=role)}})
    api = apis.import_api(Body=json.dumps(body))
    deployment = apis.create_deployment(ApiId=api["ApiId"])["DeploymentId"]
    apis.create_stage(ApiId=api["ApiId"], StageName="one", DeploymentId=deployment)
    told = fetch(cloud, api["ApiEndpoint"].removeprefix("https://"), "/one/notes/7")
    assert told["event"]["pathParameters"] == {"id": "7"}
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    made = functions.create_function_url_config(
        FunctionName="f", Qualifier="live", AuthType="AWS_IAM"
    )
    host = made["FunctionUrl"].split("/")[2]
    signed = "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/lambda/aws4_request"
    assert fetch(cloud, host, "/x", authorization=signed)["event"]["rawPath"] == "/x"


def fetch(cloud: Cloud, host: str, path: str, **headers: str) -> Any:
    request = urllib.request.Request(cloud.endpoint + path, headers={"Host": host, **headers})
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


def test_the_tagging_api_finds_functions_in_their_region_only(cloud: Cloud) -> None:
    make_function(cloud, "tagged", make_role(cloud, "tagged", "logs:*"))
    wanted = [{"Key": "jam:site", "Values": ["tagged"]}]
    tagging = client(cloud, "resourcegroupstaggingapi")
    found = tagging.get_resources(TagFilters=wanted)["ResourceTagMappingList"]
    assert [each["ResourceARN"].rpartition(":")[2] for each in found] == ["tagged"]
    kinds = tagging.get_resources(TagFilters=wanted, ResourceTypeFilters=["apigateway"])
    assert kinds["ResourceTagMappingList"] == []


def test_the_code_can_be_fetched_where_get_function_says(cloud: Cloud) -> None:
    functions = make_function(cloud, "kept", make_role(cloud, "kept", "logs:*"))
    location = functions.get_function(FunctionName="kept")["Code"]["Location"]
    _, _, host, path = location.split("/", 3)
    request = urllib.request.Request(f"{cloud.endpoint}/{path}", headers={"Host": host})
    with urllib.request.urlopen(request) as response:
        archive = zipfile.ZipFile(io.BytesIO(response.read()))
    assert archive.read("app.py").decode() == CODE


def test_a_reset_forgets_functions_and_apis(cloud: Cloud) -> None:
    make_function(cloud, "gone", make_role(cloud, "gone", "logs:*"))
    cloud.reset()
    assert client(cloud, "lambda").list_functions()["Functions"] == []
    assert client(cloud, "apigatewayv2").get_apis()["Items"] == []


def test_a_stopped_cloud_leaves_no_thread_of_functions() -> None:
    before = {thread.name for thread in threading.enumerate()}
    with Cloud(speed=200) as other:
        functions = make_function(other, "f", make_role(other, "f", "logs:*"))
        functions.invoke(FunctionName="f", Payload=b"{}")
    eventually(lambda: {thread.name for thread in threading.enumerate()} <= before)
