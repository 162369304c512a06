"""A site's distribution among all of an account's."""

from __future__ import annotations

import time
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.model import OperationModel

from runner.aws import delivery, distributions
from runner.aws.session import Aws
from runner.names import Names

NAMES = Names("notes", "123456789012", "eu-central-1", "aws")


def test_one_that_goes_while_it_is_looked_for_is_not_found() -> None:
    listed = {"Id": "E1", "ARN": "arn:1", "Comment": delivery.comment(NAMES, 0), "DomainName": "d"}
    answers: dict[str, tuple[int, dict[str, Any]]] = {
        "ListDistributions": (200, {"DistributionList": {"Items": [listed], "IsTruncated": False}}),
        "ListTagsForResource": (404, {"Error": {"Code": "NoSuchResource", "Message": "not valid"}}),
    }

    def answer(model: OperationModel, _params: Any) -> Any:
        status, told = answers[model.name]
        return AWSResponse("", status, {}, None), told  # type: ignore[arg-type]  # no body is read

    session = boto3.Session("a", "b", region_name="eu-central-1")
    aws = Aws(session, None, clock=time.time, sleep=time.sleep, chance=lambda: 0.0)
    aws.gate = answer
    assert distributions.find(aws, NAMES) is None
