"""How a request's operation is looked up, by many threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.core.model import OperationModel
from moto.core.utils import get_service_model

from runner.local.protocol import incoming
from runner.local.wire import Request

THREADS = 4
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/xray/aws4_request, Signature=0"


def test_threads_that_are_the_first_to_call_a_service_all_reach_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """moto's model of an operation takes the place of botocore's in a cache, a moment later."""

    def slowly(self: OperationModel, *given: Any) -> None:
        time.sleep(0.002)
        super(OperationModel, self).__init__(*given)

    monkeypatch.setattr(OperationModel, "__init__", slowly, raising=False)
    asked = Request(
        method="POST",
        host="xray.eu-central-1.amazonaws.com",
        path="/TraceSummaries",  # of a service that no other test calls
        query="",
        headers=(("authorization", SIGNED),),
        body=b"{}",
    )
    assert get_service_model("xray")  # read once: else each thread would learn one of its own
    together = threading.Barrier(THREADS)

    def ask(number: int) -> str:
        together.wait()
        time.sleep(0.005 * number)
        return incoming(asked).operation

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(ask, range(THREADS))) == {"GetTraceSummaries"}
