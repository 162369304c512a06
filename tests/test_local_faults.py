"""Faults: what the client sees, whether the call took effect, how often they strike."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from runner.local.cloud import Cloud
from runner.local.faults import Fault, Faults
from tests.local_cloud import client, make_bucket, refusal


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.reset()
    return running


def keys(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket="site-bucket").get("Contents", [])
    return [each["Key"] for each in found]


def put(s3: Any, key: str = "a") -> None:
    s3.put_object(Bucket="site-bucket", Key=key, Body=b"x")


def test_an_injected_error_comes_instead_of_the_effect_and_then_no_more(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    cloud.faults.add(Fault(kind="error", service="s3", operation="PutObject", code="InternalError"))
    assert refusal(lambda: put(s3)) == ("InternalError", 500)
    assert keys(s3) == []
    put(s3)
    assert keys(s3) == ["a"]


def test_an_error_after_the_effect_leaves_the_effect(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    cloud.faults.add(Fault(kind="error", operation="PutObject", after=True, status=503))
    assert refusal(lambda: put(s3))[1] == 503
    assert keys(s3) == ["a"]


@pytest.mark.parametrize(
    ("service", "act", "expected"),
    [
        ("s3", lambda c: c.list_buckets(), ("SlowDown", 503)),
        ("lambda", lambda c: c.list_functions(), ("TooManyRequestsException", 429)),
        ("dynamodb", lambda c: c.list_tables(), ("ThrottlingException", 400)),
        ("iam", lambda c: c.list_roles(), ("Throttling", 400)),
    ],
)
def test_a_throttle_speaks_the_services_language(
    cloud: Cloud, service: str, act: Any, expected: tuple[str, int]
) -> None:
    cloud.faults.add(Fault(kind="throttle", service=service))
    assert refusal(lambda: act(client(cloud, service))) == expected


def test_a_reset_reaches_the_client_as_a_reset_before_any_effect(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    cloud.faults.add(Fault(kind="reset", service="s3", operation="PutObject"))
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        put(s3)
    assert keys(s3) == []


def test_a_reset_is_a_real_one(cloud: Cloud) -> None:
    cloud.faults.add(Fault(kind="reset"))
    with socket.create_connection(("127.0.0.1", int(cloud.endpoint.rpartition(":")[2]))) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)


def test_a_lost_response_is_applied_but_never_arrives(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    cloud.faults.add(Fault(kind="lost", service="s3", operation="PutObject"))
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        put(s3)
    assert keys(s3) == ["a"]
    assert next(e for e in cloud.journal.entries() if e.operation == "PutObject").status == 0


def test_a_delay_is_in_the_clouds_seconds(cloud: Cloud) -> None:
    cloud.faults.add(Fault(kind="delay", service="sts", seconds=0.3))
    began = time.monotonic()
    client(cloud, "sts").get_caller_identity()
    assert time.monotonic() - began >= 0.3


def test_skip_and_times_choose_which_calls_fail() -> None:
    faults = Faults()
    faults.add(Fault(kind="reset", service="s3", operation="PutObject", skip=2, times=2))
    struck = [bool(faults.draw("s3", "PutObject")) for _ in range(6)]
    assert struck == [False, False, True, True, False, False]
    assert faults.draw("s3", "GetObject") == []


def test_a_probability_strikes_about_that_often() -> None:
    faults = Faults(seed=7)
    faults.add(Fault(kind="reset", probability=0.25, times=10_000))
    struck = sum(bool(faults.draw("s3", "PutObject")) for _ in range(4000))
    assert 900 < struck < 1100


def test_faults_come_and_go_over_http(cloud: Cloud) -> None:
    s3 = make_bucket(cloud)
    added = ask(cloud, "POST", {"kind": "error", "operation": "PutObject", "code": "X", "times": 2})
    assert added["faults"][0]["left"] == 2
    with pytest.raises(ClientError, match="X"):
        put(s3)
    assert ask(cloud, "DELETE")["faults"] == []
    put(s3)


def test_a_fault_of_an_unknown_kind_is_refused_with_the_known_ones(cloud: Cloud) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(cloud, "POST", {"kind": "meteor"})
    assert caught.value.code == 400
    assert "lost" in json.loads(caught.value.read())["error"]


def ask(cloud: Cloud, method: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{cloud.endpoint}/_jam/faults",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request) as answered:
        return json.loads(answered.read())
