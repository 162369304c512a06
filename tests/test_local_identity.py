"""Credentials, roles and permissions: who is refused, and in which service's words."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from runner.local.cloud import Cloud
from runner.local.identity import PROPAGATION
from tests.local_cloud import TRUST, client, refusal

ACCOUNT = "123456789012"
NEVER_ISSUED = "AKIAIOSFODNN7EXAMPLE"
ISSUER = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud(speed=50) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.reset()
    return running


def trusting(principal: dict[str, str], **more: Any) -> str:
    action = "sts:AssumeRoleWithWebIdentity" if "Federated" in principal else "sts:AssumeRole"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_role(cloud: Cloud, name: str, trust: str = TRUST) -> str:
    iam = client(cloud, "iam")
    made = iam.create_role(RoleName=name, Path="/jam/", AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


def test_a_caller_is_named_as_on_aws(cloud: Cloud) -> None:
    found = client(cloud, "sts").get_caller_identity()
    assert found["Account"] == ACCOUNT
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/administrator"


@pytest.mark.parametrize(
    ("service", "act", "expected"),
    [
        ("sts", lambda c: c.get_caller_identity(), ("InvalidClientTokenId", 403)),
        ("s3", lambda c: c.list_buckets(), ("InvalidAccessKeyId", 403)),
        ("dynamodb", lambda c: c.list_tables(), ("UnrecognizedClientException", 403)),
        ("lambda", lambda c: c.list_functions(), ("UnrecognizedClientException", 403)),
    ],
)
def test_a_key_that_was_never_issued_is_refused(
    cloud: Cloud, service: str, act: Callable[[Any], Any], expected: tuple[str, int]
) -> None:
    assert refusal(lambda: act(client(cloud, service, key=NEVER_ISSUED))) == expected


def test_an_assumed_role_speaks_as_itself_until_it_expires(cloud: Cloud) -> None:
    arn = make_role(cloud, "deployer", trusting({"AWS": ACCOUNT}))
    cloud.clock.sleep(PROPAGATION)
    given = client(cloud, "sts").assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"]
    theirs = client(cloud, "sts", key=given["AccessKeyId"], token=given["SessionToken"])
    assert theirs.get_caller_identity()["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/run"
    )
    wrong = client(cloud, "sts", key=given["AccessKeyId"], token="another")
    assert refusal(wrong.get_caller_identity) == ("InvalidClientTokenId", 403)
    cloud.clock.run(given["Expiration"].timestamp())
    assert refusal(theirs.get_caller_identity) == ("ExpiredToken", 403)


def test_a_role_that_is_absent_or_trusts_others_cannot_be_assumed(cloud: Cloud) -> None:
    arn = make_role(cloud, "for-lambda")
    cloud.clock.sleep(PROPAGATION)
    sts = client(cloud, "sts")
    for role in (arn, arn + "-absent"):
        with pytest.raises(ClientError, match="AssumeRole on resource") as caught:
            sts.assume_role(RoleArn=role, RoleSessionName="run")
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_new_role_is_not_ready_at_once(cloud: Cloud) -> None:
    arn = make_role(cloud, "fresh")
    assert not cloud.role_ready(arn)
    cloud.clock.sleep(PROPAGATION)
    assert cloud.role_ready(arn)
    assert cloud.role_ready(arn, "lambda.amazonaws.com")
    assert not cloud.role_ready(arn, "apigateway.amazonaws.com")
    assert not cloud.role_ready(arn + "-absent")


def token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.c2ln"


def test_a_workflow_gets_a_role_only_with_the_claims_that_it_trusts(cloud: Cloud) -> None:
    provider = client(cloud, "iam").create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    conditions = {
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{ISSUER}:sub": "repo:me/site:*"},
    }
    arn = make_role(cloud, "ci", trusting({"Federated": provider}, Condition=conditions))
    sts = client(cloud, "sts")

    def assume(jwt: str) -> Any:
        return sts.assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName="ci", WebIdentityToken=jwt
        )

    good = {"iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", "sub": "repo:me/site:ref"}
    assert assume(token(**good))["AssumedRoleUser"]["Arn"].endswith(":assumed-role/ci/ci")
    for jwt, code in (
        (token(**good | {"sub": "repo:me/other:ref"}), "AccessDenied"),
        (token(**good | {"aud": "someone"}), "InvalidIdentityToken"),
        (token(**good | {"iss": "https://elsewhere"}), "InvalidIdentityToken"),
        (token(**good | {"exp": 1}), "ExpiredTokenException"),
        ("garbage", "InvalidIdentityToken"),
    ):
        assert refusal(lambda jwt=jwt: assume(jwt))[0] == code


@pytest.mark.parametrize(
    ("service", "action", "act", "code"),
    [
        ("s3", "s3:CreateBucket", lambda c: c.create_bucket(Bucket="abc"), "AccessDenied"),
        ("s3", "s3:GetObject", lambda c: c.get_object(Bucket="abc", Key="k"), "AccessDenied"),
        ("lambda", "lambda:GetFunction", lambda c: c.get_function(FunctionName="f"),
         "AccessDeniedException"),
        ("dynamodb", "dynamodb:ListTables", lambda c: c.list_tables(), "AccessDeniedException"),
        ("iam", "iam:CreateRole",
         lambda c: c.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST), "AccessDenied"),
        ("cloudfront", "cloudfront:ListDistributions", lambda c: c.list_distributions(),
         "AccessDenied"),
        ("apigatewayv2", "apigateway:GET", lambda c: c.get_apis(), "AccessDeniedException"),
    ],
)  # fmt: skip
def test_a_denied_action_is_refused_by_name(
    cloud: Cloud, service: str, action: str, act: Callable[[Any], Any], code: str
) -> None:
    cloud.deny(action)
    with pytest.raises(ClientError, match=f"not authorized to perform: {action}") as caught:
        act(client(cloud, service))
    assert caught.value.response["Error"]["Code"] == code
    assert not cloud.journal.entries()[-1].status < 400


def test_a_denial_may_be_for_one_principal(cloud: Cloud) -> None:
    cloud.deny("s3:*", principal="*assumed-role/deployer/*")
    assert client(cloud, "s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda iam: iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}"),
         ("MalformedPolicyDocument", 400)),
        (lambda iam: iam.create_policy(PolicyName="p", PolicyDocument=TRUST),
         ("MalformedPolicyDocument", 400)),
        (lambda iam: iam.create_role(
            RoleName="r", AssumeRolePolicyDocument=TRUST,
            PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/jam/none"), ("NoSuchEntity", 404)),
        (lambda iam: iam.attach_role_policy(
            RoleName="none", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
         ("NoSuchEntity", 404)),
    ],
)  # fmt: skip
def test_iam_refuses(cloud: Cloud, act: Callable[[Any], Any], expected: tuple[str, int]) -> None:
    assert refusal(lambda: act(client(cloud, "iam"))) == expected


def test_awss_own_policies_can_be_attached(cloud: Cloud) -> None:
    make_role(cloud, "worker")
    iam = client(cloud, "iam")
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [arn]


def test_a_transaction_with_a_token_happens_once(cloud: Cloud) -> None:
    dynamodb = client(cloud, "dynamodb")
    dynamodb.create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip

    def add(by: str) -> Any:
        update = {
            "TableName": "t", "Key": {"pk": {"S": "n"}}, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": by}},
        }  # fmt: skip
        return dynamodb.transact_write_items(
            TransactItems=[{"Update": update}], ClientRequestToken="once"
        )

    add("1")
    add("1")
    assert dynamodb.get_item(TableName="t", Key={"pk": {"S": "n"}})["Item"]["n"] == {"N": "1"}
    assert refusal(lambda: add("2"))[0] == "IdempotentParameterMismatchException"
    cloud.clock.run(cloud.clock.now() + 601)
    add("1")
    assert dynamodb.get_item(TableName="t", Key={"pk": {"S": "n"}})["Item"]["n"] == {"N": "2"}
