"""A storm of refusals: how often a call is sent, and which calls are never sent twice."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError

from runner.aws import calling, upload
from runner.aws.files import Upload
from runner.aws.patience import LONGEST, TRIES, Patience
from runner.aws.session import ATTEMPTS, Aws
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.local.faults import Fault
from tests.aws_site import an_account

EVER = 100
Answer = tuple[int, str] | None  # a status and a code; None is a lost connection
FINE: Answer = (200, "")
THROTTLED: Answer = (400, "ThrottlingException")
TOO_MANY: Answer = (429, "TooManyRequestsException")
DOWN: Answer = (503, "ServiceUnavailable")


class Line:
    """Answers in place of AWS, one after the other; `sent` counts."""

    def __init__(self, answers: Iterator[Answer]) -> None:
        self.sent = 0
        self._answers = answers

    def answer(self, request: Any, **_: object) -> AWSResponse:
        self.sent += 1
        answer = next(self._answers)
        if answer is None:
            raise ConnectionClosedError(endpoint_url=request.url, request=request)
        status, code = answer
        body = f'{{"__type": "{code}", "message": "no"}}' if code else "{}"
        headers: Any = {"x-amzn-errortype": code} if code else {}
        found = AWSResponse(request.url, status, headers, None)  # type: ignore[arg-type]  # its body is read already
        found._content = body.encode()
        return found


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What botocore would have slept through, in seconds."""
    slept: list[float] = []
    # botocore takes no clock from its caller.
    monkeypatch.setattr(botocore.endpoint, "time", types.SimpleNamespace(sleep=slept.append))
    return slept


def asked(answers: Iterator[Answer], call: Callable[[Aws], object], *, times: int = 1) -> Line:
    """What was sent for `times` such calls, whether or not they came through."""
    session = boto3.Session("a", "b", region_name="eu-central-1")
    aws = Aws(session, None, clock=lambda: 0.0, sleep=lambda _: None, chance=lambda: 0.5)
    line = Line(answers)
    session.events.register_last("before-send", line.answer)
    for _ in range(times):
        call(aws)
    return line


def refused(call: Callable[[Aws], object]) -> Callable[[Aws], object]:
    def ask(aws: Aws) -> None:
        with pytest.raises((ClientError, ConnectionClosedError, JamError)):
            call(aws)

    return ask


def read(aws: Aws) -> object:
    return aws.records.get_item(TableName="t", Key={"pk": {"S": "a"}})


def shift(aws: Aws) -> object:
    return aws.deployments_once.create_deployment(applicationName="a")


def invoke(aws: Aws) -> object:
    return calling.call(aws, "f", payload=b"")


def ask(aws: Aws) -> object:
    return calling.call(aws, "f", payload=b"", only_reads=True)


def api(aws: Aws) -> object:
    return aws.api_once.create_api(Name="a", ProtocolType="HTTP")


@pytest.mark.parametrize(
    ("call", "answer", "sent"),
    [
        (read, THROTTLED, TRIES),
        (read, TOO_MANY, TRIES),
        (read, DOWN, TRIES),
        (read, None, ATTEMPTS),
        (read, (400, "ValidationException"), 1),
        (shift, THROTTLED, TRIES),
        (shift, DOWN, 1),
        (shift, None, 1),
        (invoke, TOO_MANY, TRIES),
        (invoke, DOWN, 1),
        (invoke, None, 1),
        (ask, DOWN, TRIES),
        (ask, None, ATTEMPTS),
        (api, TOO_MANY, 1),  # its caller looks first
        (api, DOWN, 1),
    ],
)
def test_a_call_is_sent_so_often_and_no_more(
    pauses: list[float], call: Callable[[Aws], object], answer: Answer, sent: int
) -> None:
    assert asked(iter([answer] * EVER), refused(call)).sent == sent
    assert len(pauses) == sent - 1
    assert sum(pauses) < 80


def storm() -> Iterator[Answer]:
    """30 % throttled, 5 % down, always the same."""
    chance = Random(5)
    while True:
        drawn = chance.random()
        yield THROTTLED if drawn < 0.3 else DOWN if drawn < 0.35 else FINE


@pytest.mark.usefixtures("pauses")
def test_a_storm_that_spends_botocores_quota_of_retries_keeps_no_call_from_its_end() -> None:
    """Of 1,500 calls 8 would be given up after 5 tries, and all once the quota is spent."""
    assert asked(storm(), read, times=1500).sent > 2200


def test_pauses_grow_from_what_botocore_would_take_and_end_at_a_longest() -> None:
    patience = Patience(chance=lambda: 1.0)

    def waited(status: int, code: str) -> list[float | None]:
        answer = types.SimpleNamespace(status_code=status), {"Error": {"Code": code}}
        return [patience.needs_retry(attempts=n, response=answer) for n in (1, 2, 5, 11, 12)]

    assert waited(400, "Throttling") == [1, 2, LONGEST, LONGEST, None]
    assert waited(502, "") == [0.05, 0.1, 0.8, LONGEST, None]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.fixture
def bucket(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """An account with the bucket `storm-1`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    cloud.reset()
    aws = an_account(cloud)
    where: Any = {"LocationConstraint": aws.region}
    aws.s3.create_bucket(Bucket="storm-1", CreateBucketConfiguration=where)
    return aws


def put(aws: Aws, count: int) -> int:
    """How many files arrived."""
    arrived = []

    def an_upload(number: int) -> Upload:
        body = f"{number}".encode()
        digest = hashlib.sha256(body).hexdigest()
        size, kind = len(body), "text/plain"
        return Upload(key=f"{number}", source=body, size=size, digest=digest, content_type=kind)

    def moved(files: int, _size: int) -> None:
        arrived.append(files)

    upload.put(aws, "storm-1", map(an_upload, range(count)), moved=moved)
    return sum(arrived)


def test_an_upload_is_sent_as_often_as_any_call(cloud: Cloud, bucket: Aws) -> None:
    bucket.tries = 3  # its pauses are the CRT's own
    cloud.faults.add(Fault(kind="throttle", service="s3", operation="PutObject", times=EVER))
    with pytest.raises(JamError, match="kept throttling s3:PutObject"):
        put(bucket, 1)
    assert cloud.journal.count("s3", "PutObject", since=0) == 3


@pytest.mark.hunt
def test_thousands_of_uploads_come_through_a_storm(cloud: Cloud, bucket: Aws) -> None:
    cloud.faults.add(Fault(kind="throttle", times=100 * EVER, probability=0.3))
    cloud.faults.add(Fault(kind="error", times=100 * EVER, probability=0.05, status=503))
    assert put(bucket, 2500) == 2500
