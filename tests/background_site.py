"""What tests of background work share: a cloud that leaps, functions, queues and their letters."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.local.cloud import Cloud
from tests.compute_site import zipped
from tests.local_cloud import client

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ECHO = """
export const handler = async (event) => {
  if (event.fail) throw new Error("no");
  return event;
};
"""


def trust(*services: str, condition: Mapping[str, Any] | None = None) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": "sts:AssumeRole",
    }
    if condition:
        statement["Condition"] = dict(condition)
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class Site:
    """A running cloud and its clients."""

    cloud: Cloud

    def __getattr__(self, service: str) -> Any:
        return client(self.cloud, {"functions": "lambda"}.get(service, service))

    def leap(self, seconds: float) -> None:
        """Moves the cloud's clock; what falls due meanwhile has happened when this returns."""
        body = json.dumps({"advance": seconds}).encode()
        request = urllib.request.Request(f"{self.cloud.endpoint}/_jam/clock", body, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200

    def role(
        self,
        name: str,
        *actions: str,
        services: tuple[str, ...] = ("lambda.amazonaws.com", "scheduler.amazonaws.com"),
        resource: str = "*",
        condition: Mapping[str, Any] | None = None,
    ) -> str:
        """A role that can be assumed by now and may do `actions`."""
        made = self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trust(*services, condition=condition)
        )
        self.allow(name, *actions, resource=resource)
        self.leap(10)
        return str(made["Role"]["Arn"])

    def allow(self, role: str, *actions: str, resource: str = "*") -> None:
        if actions:
            allowed = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
            policy = {"Version": "2012-10-17", "Statement": [allowed]}
            self.iam.put_role_policy(
                RoleName=role, PolicyName="p", PolicyDocument=json.dumps(policy)
            )

    def function(self, name: str, role: str, **more: Any) -> str:
        """The ARN of version 1 of a function that returns its event, or throws where it says so."""
        self.functions.create_function(
            FunctionName=name, Runtime="nodejs22.x", Handler="index.handler", Role=role,
            Code={"ZipFile": zipped({"index.mjs": ECHO})}, Timeout=30, **more,
        )  # fmt: skip
        self.leap(3)
        version = self.functions.publish_version(FunctionName=name)
        self.leap(3)
        return str(version["FunctionArn"])

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """A queue's URL and ARN."""
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return str(url), f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def letters(self, url: str) -> list[dict[str, Any]]:
        """Takes all messages out: `body` parsed, and attributes' values by name."""
        found = []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                told = message.get("MessageAttributes", {})
                values = {name: each["StringValue"] for name, each in told.items()}
                found.append({"body": json.loads(message["Body"]), **values})
        return found

    def ran(self, name: str) -> int:
        return sum(each.function == name for each in self.cloud.compute.invoker.invocations)

    def metric(self, namespace: str, name: str, **dimensions: str) -> float:
        """The sum of all that CloudWatch has of a metric, the present minute included."""
        self.leap(90)
        now = self.cloud.clock.now()
        data = self.cloudwatch.get_metric_statistics(
            Namespace=namespace, MetricName=name, StartTime=now - 10 * 86400, EndTime=now + 60,
            Period=3600, Statistics=["Sum"],
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        )  # fmt: skip
        return float(sum(each["Sum"] for each in data["Datapoints"]))
