"""Calls that AWS refuses, for as long as the run lasts: each row of the table in its own words.

Whatever is refused, visitors keep what they had, nothing of the live release is gone, and once AWS
takes the call again the same commit goes live.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import botocore.session
import pytest

from runner.local.faults import Fault
from tests.failures.scene import EVER, Scene

ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/run"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: which call is answered how, for ever, and what the user is told.

    `skip` calls go through before. `lease` is what becomes of it: `left` is noted as unfinished,
    `held` runs out by itself.
    """

    row: int
    on: str  # service:Operation
    answer: str = ""  # AWS's code
    said: str = ""  # AWS's sentence
    status: int = 400
    skip: int = 0
    values: dict[str, Any] | None = None
    code: str
    exits: int
    message: tuple[str, ...]
    hint: tuple[str, ...]
    lease: str = "free"

    def __str__(self) -> str:
        return f"{self.row}-{self.answer or 'state'}-{self.on.partition(':')[2]}"

    @property
    def fault(self) -> Fault:
        service, _, operation = self.on.partition(":")
        struck = Fault(
            kind="answer" if self.values else "error",
            service=service,
            operation=operation,
            times=EVER,
            skip=self.skip,
            values=self.values or {},
        )
        if self.values:
            return struck
        return replace(struck, code=self.answer, message=self.said, status=self.status)


ENTRY = "arn:aws:lambda:eu-central-1:123456789012:function:jam-lab-entry"
EXPIRED = {
    "row": 5,
    "answer": "ExpiredToken",
    "said": "The security token included in the request is expired",
    "code": "JAM-CREDS-EXPIRED",
    "exits": 75,
    "message": ("no longer valid", "is expired"),
    "hint": ("role-duration-seconds", "an hour", "nothing is lost"),
}
ROWS = (
    Row(**EXPIRED, on="*:*"),
    Row(**EXPIRED, on="*:*", skip=15, lease="held"),  # in the middle: not even the lease is freed
    Row(
        row=6,
        on="lambda:UpdateFunctionCode",
        answer="AccessDeniedException",
        said=f"User: {ROLE} is not authorized to perform: lambda:UpdateFunctionCode on resource: "
        f"{ENTRY} because no identity-based policy allows the lambda:UpdateFunctionCode action",
        status=403,
        code="JAM-DENIED",
        exits=3,
        message=("lambda:UpdateFunctionCode", ENTRY),
        hint=(
            f'{{"Effect": "Allow", "Action": "lambda:UpdateFunctionCode", "Resource": "{ENTRY}"}}',
            "docs/permissions.md",
        ),
    ),
    Row(
        row=6,
        on="s3:PutObject",
        answer="AccessDenied",
        said="Access Denied",
        status=403,
        code="JAM-DENIED",
        exits=3,
        message=("s3:PutObject",),
        hint=('"Action": "s3:PutObject", "Resource": "arn:aws:s3:::jam-*/*"',),
    ),
    Row(
        row=7,
        on="lambda:UpdateAlias",
        answer="TooManyRequestsException",
        said="Rate exceeded",
        status=429,
        code="JAM-THROTTLED",
        exits=75,
        message=("lambda:UpdateAlias",),
        hint=("Run again", "nothing is lost"),
        lease="left",
    ),
    Row(
        row=9,
        on="lambda:GetFunction",
        values={
            "Configuration.State": "Failed",
            "Configuration.StateReason": "The subnet has no free IP addresses.",
            "Configuration.StateReasonCode": "SubnetOutOfIPAddresses",
        },
        code="JAM-FN-FAILED",
        exits=3,
        message=("jam-lab-", "The subnet has no free IP addresses.", "SubnetOutOfIPAddresses"),
        hint=("run again",),
    ),
    Row(
        row=10,
        on="lambda:GetFunction",
        values={"Configuration.LastUpdateStatus": "InProgress"},
        code="JAM-FN-BUSY",
        exits=75,
        message=("jam-lab-", "300 s", "in progress"),
        hint=("Somebody else",),
    ),
    Row(
        row=10,
        on="lambda:UpdateFunctionCode",
        answer="ResourceConflictException",
        said="The operation cannot be performed at this time. An update is in progress for "
        f"resource: {ENTRY}",
        status=409,
        code="JAM-FN-BUSY",
        exits=75,
        message=("jam-lab-", "300 s", "An update is in progress"),
        hint=("Somebody else",),
    ),
    Row(
        row=20,
        on="dynamodb:*",
        answer="InternalServerError",
        said="The request processing has failed because of an unknown error.",
        status=500,
        code="JAM-STATE-UNAVAILABLE",
        exits=75,
        message=("records", "unknown error"),
        hint=("Nothing was changed",),
    ),
    Row(
        row=20,
        on="dynamodb:UpdateItem",
        answer="ThrottlingException",
        said="Rate exceeded",
        code="JAM-STATE-UNAVAILABLE",
        exits=75,
        message=("lease", "Rate exceeded"),
        hint=("Nothing was changed",),
    ),
    Row(
        row=22,
        on="lambda:*",
        answer="ServiceException",
        said="Service is unavailable, try again later.",
        status=500,
        code="JAM-AWS-DOWN",
        exits=75,
        message=("lambda:",),
        hint=("health.aws.amazon.com", "CloudFront and IAM in us-east-1", "rollback"),
    ),
    Row(
        row=28,
        on="lambda:UpdateFunctionCode",
        answer="CodeStorageExceededException",
        said="Code storage limit exceeded.",
        code="JAM-QUOTA-CODE",
        exits=3,
        message=("storage for Lambda code is full", "Code storage limit exceeded."),
        hint=("jam-deploy gc", "Service Quotas"),
    ),
    Row(
        row=34,
        on="s3:PutObject",
        answer="RequestTimeTooSkewed",
        said="The difference between the request time and the current time is too large.",
        status=403,
        code="JAM-CLOCK",
        exits=3,
        message=("clock",),
        hint=("NTP",),
    ),
    Row(
        row=34,
        on="lambda:*",
        answer="InvalidSignatureException",
        said="Signature expired: 20261121T180000Z is now earlier than 20261121T180500Z",
        status=403,
        code="JAM-CLOCK",
        exits=3,
        message=("clock", "Signature expired"),
        hint=("NTP",),
    ),
)


@pytest.fixture(params=ROWS, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    found: Row = request.param
    return found


def test_a_refusal_is_told_in_its_own_words_and_costs_visitors_nothing(
    scene: Scene, row: Row
) -> None:
    scene.settled()
    before, commit = scene.kept(), scene.commit()
    with scene.broken(row.fault):
        ended = scene.deploy(commit)
    assert (ended.code, ended.status) == (row.code, row.exits), ended
    for word in row.message:
        assert word in ended.message
    for word in row.hint:
        assert word in ended.hint
    assert scene.kept() == before
    assert scene.lease() == row.lease
    again = scene.deploy(commit.again)
    assert (again.status, again.outcome) == (0, "live"), again
    assert scene.site.visit().document == commit.page


# Of all services. Sources: the API references' "Common errors"; S3, "Error responses".
COMMON = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "InvalidSignatureException",
    "RequestTimeTooSkewed",
    "ThrottlingException",
}


def test_every_answer_is_one_that_the_service_gives() -> None:
    session = botocore.session.get_session()
    for row in ROWS:
        service = row.on.partition(":")[0]
        if row.values or row.answer in COMMON:
            continue
        model = session.get_service_model(service)
        codes = {shape.metadata.get("error", {}).get("code") for shape in model.error_shapes}
        assert row.answer in codes | {shape.name for shape in model.error_shapes}, row
