"""What all threads of a run share of an account: its clients."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError

from runner.aws.session import Aws

THREADS = 8


def no_table(*_: object) -> Any:
    """As DynamoDB answers where there is no table."""
    told = {"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}
    return AWSResponse("", 400, {}, None), told  # type: ignore[arg-type]  # no body is read


def test_threads_that_meet_a_client_at_once_know_its_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """botocore makes a client's exceptions at their first use, and twice where two threads meet:
    then `except client.exceptions.X` does not know what was raised."""
    make = ClientExceptionsFactory._create_client_exceptions  # type: ignore[attr-defined]

    waits = iter(range(THREADS))

    def slowly(self: ClientExceptionsFactory, model: Any) -> Any:
        time.sleep(0.05 * next(waits))
        return make(self, model)

    monkeypatch.setattr(ClientExceptionsFactory, "_create_client_exceptions", slowly)
    session = boto3.Session("a", "b", region_name="eu-central-1")
    aws = Aws(session, None, clock=time.time, sleep=time.sleep, chance=lambda: 0.0)
    aws.gate = no_table
    together = threading.Barrier(THREADS)

    def caught() -> bool:
        together.wait()
        with pytest.raises(ClientError) as raised:
            aws.records.describe_table(TableName="none")
        together.wait()  # an `except` looks the class up now
        return isinstance(raised.value, aws.records.exceptions.ResourceNotFoundException)

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(each.result() for each in [pool.submit(caught) for _ in range(THREADS)])
