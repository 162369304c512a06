"""What a deploy may not do is known before its first write, and named."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from runner.aws import rights
from runner.aws.session import Aws, connect
from runner.errors import JamError
from runner.names import Names

NAMES = Names("notes", "123456789012", "eu-central-1")
ROLE = "arn:aws:iam::123456789012:role/ci/deploy"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    found = connect(
        region="eu-central-1", clock=lambda: 0.0, sleep=lambda _: None, chance=lambda: 0.0
    )
    session = "arn:aws:sts::123456789012:assumed-role/deploy/run"
    with Stubber(found.sts) as stub:
        stub.add_response("get_caller_identity", {"Account": "123456789012", "Arn": session})
        assert found.account == "123456789012"
    return found


def answer(decision: str, *, missing: tuple[str, ...] = ()) -> dict[str, Any]:
    result = {"EvalActionName": "iam:Any", "EvalDecision": decision}
    return {"EvaluationResults": [{**result, "MissingContextValues": list(missing)}]}


def role() -> dict[str, Any]:
    shown = {"Path": "/ci/", "RoleName": "deploy", "RoleId": "A" * 16, "Arn": ROLE}
    return {"Role": {**shown, "CreateDate": "2026-01-01T00:00:00Z"}}


def test_the_first_refused_create_is_named_with_its_resource(aws: Aws) -> None:
    with Stubber(aws.roles) as stub:
        stub.add_response("get_role", role(), {"RoleName": "deploy"})
        allowed, denied = answer("allowed"), answer("implicitDeny")
        for action, _ in rights.needed(NAMES):  # doctor names them all
            refused = action in ("iam:PassRole", "s3:CreateBucket")
            stub.add_response("simulate_principal_policy", denied if refused else allowed)
        with pytest.raises(JamError) as raised:
            rights.check(aws, NAMES)
    assert raised.value.code == "JAM-DENIED"
    assert "iam:PassRole" in raised.value.message
    assert "role/jam/jam-notes-functions" in raised.value.message
    assert ROLE in raised.value.message


def test_who_may_do_everything_goes_on(aws: Aws) -> None:
    with Stubber(aws.roles) as stub:
        stub.add_response("get_role", role(), {"RoleName": "deploy"})
        for _ in rights.needed(NAMES):
            stub.add_response("simulate_principal_policy", answer("allowed"))
        rights.check(aws, NAMES)
        stub.assert_no_pending_responses()


def test_a_refusal_that_hangs_on_an_unknown_value_stops_nobody(aws: Aws) -> None:
    with Stubber(aws.roles) as stub:
        stub.add_response("get_role", role(), {"RoleName": "deploy"})
        for _ in rights.needed(NAMES):
            denied = answer("implicitDeny", missing=("aws:TagKeys",))
            stub.add_response("simulate_principal_policy", denied)
        rights.check(aws, NAMES)


def test_who_may_not_ask_is_not_stopped(aws: Aws) -> None:
    with Stubber(aws.roles) as stub:
        stub.add_client_error("get_role", "AccessDenied", "no")
        rights.check(aws, NAMES)


def test_a_failure_of_the_question_is_no_answer(aws: Aws) -> None:
    with Stubber(aws.roles) as stub:
        stub.add_client_error("get_role", "Throttling", "later")
        with pytest.raises(Exception, match="Throttling"):
            rights.check(aws, NAMES)
