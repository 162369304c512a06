"""Policy documents: what they allow, what they deny, what is wrong with their form."""

from __future__ import annotations

from typing import Any

import pytest

from runner.local.policy import Decision, allows, decide
from runner.local.policy_syntax import Kind, problem

ROLE = "arn:aws:sts::123456789012:assumed-role/deployer/run"


def statement(**changed: Any) -> dict[str, Any]:
    base = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    return {key: value for key, value in (base | changed).items() if value is not None}


def asked(*statements: dict[str, Any], principal: str = ROLE, **context: str) -> bool:
    return allows(
        {"Version": "2012-10-17", "Statement": list(statements)},
        principal=principal,
        action="s3:GetObject",
        resource="arn:aws:s3:::b/k/l",
        context={key.replace("_", ":"): value for key, value in context.items()},
    )


ALLOWED: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"Action": "S3:getobject"}, True),
    ({"Action": "s3:Get*"}, True),
    ({"Action": ["s3:PutObject", "s3:G?tObject"]}, True),
    ({"Action": "s3:PutObject"}, False),
    ({"Action": None, "NotAction": "s3:PutObject"}, True),
    ({"Action": None, "NotAction": "s3:*"}, False),
    ({"Resource": "arn:aws:s3:::b/*"}, True),
    ({"Resource": "arn:aws:s3:::b"}, False),
    ({"Resource": "arn:aws:s3:::B/*"}, False),
    ({"Resource": "arn:aws:s3:::[b]/*"}, False),
    ({"Principal": {"AWS": "123456789012"}}, True),
    ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, True),
    ({"Principal": {"AWS": "arn:aws:iam::999999999999:root"}}, False),
    ({"Principal": {"Service": "cloudfront.amazonaws.com"}}, False),
    ({"Principal": None, "NotPrincipal": {"AWS": ROLE}}, False),
]


@pytest.mark.parametrize(("changed", "expected"), ALLOWED)
def test_a_statement_matches_principal_action_and_resource(
    changed: dict[str, Any], *, expected: bool
) -> None:
    assert asked(statement(**changed)) is expected


CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"StringEquals": {"aws:SourceAccount": "1"}}, True),
    ({"StringEquals": {"AWS:sourceaccount": ["2", "1"]}}, True),
    ({"StringEquals": {"aws:SourceAccount": "2"}}, False),
    ({"StringEquals": {"aws:absent": "1"}}, False),
    ({"StringEqualsIfExists": {"aws:absent": "1"}}, True),
    ({"StringNotEquals": {"aws:SourceAccount": "2"}}, True),
    ({"StringNotEquals": {"aws:absent": "2"}}, True),
    ({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, False),
    ({"StringLike": {"aws:SourceArn": "arn:*:distribution/E*"}}, True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::1:distribution/*"}}, True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:*:distribution/E1"}}, False),
    ({"Bool": {"aws:SecureTransport": True}}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, False),
    ({"Null": {"aws:absent": "true"}}, True),
    ({"NumericLessThan": {"aws:SourceAccount": "10"}}, True),
    ({"NumericLessThan": {"aws:SourceArn": "10"}}, False),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
    ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
    ({"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": "false"}}, False),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_every_condition_must_hold(condition: dict[str, Any], *, expected: bool) -> None:
    assert (
        asked(
            statement(Condition=condition),
            aws_SourceAccount="1",
            aws_SourceArn="arn:aws:cloudfront::1:distribution/E1",
            aws_SecureTransport="true",
            aws_SourceIp="10.1.2.3",
            aws_CurrentTime="2026-06-01T00:00:00Z",
        )
        is expected
    )


def test_a_deny_wins_over_any_allow_and_silence_is_neither() -> None:
    deny = statement(Effect="Deny")
    assert not asked(statement(), deny)
    assert not asked(deny, statement())
    silent = decide({"Statement": []}, action="s3:GetObject", resource="*")
    assert silent is Decision.NEITHER


WRONG: list[tuple[str, Kind]] = [
    ("", Kind.RESOURCE),
    ("[]", Kind.RESOURCE),
    ("{}", Kind.IDENTITY),
    ('{"Version": "2020-01-01", "Statement": []}', Kind.IDENTITY),
    ('{"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}', Kind.IDENTITY),
    ('{"Statement": [{"Effect": "Allow", "Action": "s3", "Resource": "*"}]}', Kind.IDENTITY),
    ('{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "b"}]}', Kind.IDENTITY),
    ('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}', Kind.RESOURCE),
    ('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}}',
     Kind.IDENTITY),
    ('{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", '
     '"Resource": "*"}}', Kind.TRUST),
    ('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Codition": {}}}',
     Kind.IDENTITY),
    ('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", '
     '"Condition": {"StringIs": {}}}}', Kind.IDENTITY),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), WRONG)
def test_a_malformed_document_is_named(text: str, kind: Kind) -> None:
    assert problem(text, kind)


def test_a_sound_document_has_no_problem() -> None:
    trust = '{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}}'
    assert problem(trust, Kind.TRUST) == ""
