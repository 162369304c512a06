"""What tests of the embedded cloud share: one cloud a process, clients, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from runner.local.cloud import Cloud

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": '
    '{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


def client(cloud: Cloud, service: str, *, key: str = "test", token: str | None = None) -> Any:
    """A client that does not retry: a test wants to see the first answer."""
    return boto3.client(  # type: ignore[call-overload]  # the service's name is not a literal
        service,
        region_name="eu-west-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key="secret",
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def refusal(act: Callable[[], Any]) -> tuple[str, int]:
    """The code and status with which `act` is refused."""
    with pytest.raises(ClientError) as caught:
        act()
    answered = caught.value.response
    return answered["Error"]["Code"], answered["ResponseMetadata"]["HTTPStatusCode"]


def make_bucket(cloud: Cloud, name: str = "site-bucket") -> Any:
    """An S3 client with a bucket."""
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3
