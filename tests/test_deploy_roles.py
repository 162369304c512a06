"""The roles that GitHub's workflows deploy with: who may assume them, what they may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.api import lint_all

from runner.aws.bootstrap import STACK, bootstrap, template
from runner.aws.deploy_roles import HOST, Trusted, check, subjects_of
from runner.aws.needs import NEEDS
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.local.policy import Decision, decide
from runner.names import Names
from tests.aws_site import an_account

ACCOUNT, REGION = "123456789012", "eu-central-1"
STORE = f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/of-previews"
TRUSTED = Trusted(repositories=("o/r",), stores=(STORE,))
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/jam/jam-boundary"
NAMES = Names("notes", ACCOUNT, REGION)
SHARED, PULL = NAMES.previews, NAMES.preview(7)


def resolved(part: Any) -> Any:
    """A part of the template as it is once the stack is made."""
    match part:
        case {"Fn::Sub": text}:
            return text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", ACCOUNT)
        case {"Ref": "Boundary"}:
            return BOUNDARY
        case dict():
            return {key: resolved(value) for key, value in part.items()}
        case list():
            return [resolved(each) for each in part]
        case _:
            return part


def policies(title: str) -> list[Any]:
    parts = json.loads(template(TRUSTED))["Resources"]
    return [
        resolved(part["Properties"]["PolicyDocument"])
        for name, part in parts.items()
        if name.startswith(f"{title}Policy")
    ]


PRODUCTION, PREVIEW = policies("Production"), policies("Preview")


def may(documents: list[Any], action: str, resource: str, **context: str) -> bool:
    told = {name.replace("_", ":", 1): value for name, value in context.items()}
    found = {decide(each, action=action, resource=resource, context=told) for each in documents}
    return Decision.ALLOW in found and Decision.DENY not in found


@pytest.mark.parametrize("trusted", [None, TRUSTED, Trusted(repositories=("o/r",), provider="arn")])
def test_the_stacks_template_is_one_that_cloudformation_takes(trusted: Trusted | None) -> None:
    text = template(trusted)
    assert [str(each) for each in lint_all(text) if each.rule.severity != "informational"] == []
    assert len(text.encode()) < 51_200  # CloudFormation quotas, template body in a request


def test_policies_fit_a_role() -> None:
    for documents in (PRODUCTION, PREVIEW):
        assert len(documents) <= 10
        assert all(len(json.dumps(each, separators=(",", ":"))) <= 6_144 for each in documents)


@pytest.mark.parametrize(
    ("repository", "subjects"),
    [
        ("o/r", ["repo:o/r:pull_request", "repo:o@*/r@*:pull_request"]),
        ("o@1/r@2", ["repo:o@1/r@2:pull_request"]),
    ],
)
def test_both_forms_of_githubs_subject_are_trusted(repository: str, subjects: list[str]) -> None:
    assert list(subjects_of(repository, ("pull_request",))) == subjects


@pytest.mark.parametrize(
    ("subject", "role"),
    [
        ("repo:o/r:environment:production", "Production"),
        ("repo:o@7/r@9:ref:refs/heads/main", "Production"),
        ("repo:o/r:ref:refs/heads/other", ""),
        ("repo:o/r:pull_request", "Preview"),
        ("repo:o@7/r@9:environment:preview", "Preview"),
        ("repo:o/other:environment:production", ""),
        ("repo:o@7/other@9:environment:production", ""),
        ("repo:oo/r:environment:production", ""),
        ("repo:o@7/other@9:ref:refs/heads/r@9%3Aenvironment%3Aproduction", ""),
        ("repo:o@7/other@9:environment:x/r@9%3Aenvironment%3Aproduction", ""),
    ],
)
def test_a_workflow_may_assume_the_role_that_is_its(subject: str, role: str) -> None:
    parts = json.loads(template(TRUSTED))["Resources"]
    for title in ("Production", "Preview"):
        trust = parts[f"{title}Role"]["Properties"]["AssumeRolePolicyDocument"]
        condition = trust["Statement"][0]["Condition"]
        assert condition["StringEquals"] == {f"{HOST}:aud": "sts.amazonaws.com"}
        patterns = condition["StringLike"][f"{HOST}:sub"]
        assert any(fnmatchcase(subject, each) for each in patterns) == (title == role)


@pytest.mark.parametrize("wrong", ["o", "o/r/x", "o/*", "*/r", "o r/x", "o@x/r", "o/r:x", ""])
def test_what_is_no_repository_is_refused(wrong: str) -> None:
    with pytest.raises(JamError) as caught:
        check([wrong])
    assert caught.value.code == "JAM-REPOSITORY"


def test_productions_role_may_do_all_that_the_code_needs() -> None:
    told = {
        "iam_PermissionsBoundary": BOUNDARY,
        "iam_PassedToService": "lambda.amazonaws.com",
    }
    for need in NEEDS:
        for resource in need.resources:
            _, *rest = resource.split(":", 5)
            whole = resource
            if rest:
                whole = ":".join(
                    ["arn", rest[0], rest[1], rest[2], rest[3].replace("*", ACCOUNT), rest[4]]
                )
            for action in set(need.actions) - {"apigateway:TagResource"}:
                assert may(PRODUCTION, action, whole, **told), (action, whole)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("iam:CreateRole", "role/jam/jam-notes-entry", {}),
        ("iam:CreateRole", "role/jam/jam-notes-entry", {"iam_PermissionsBoundary": "other"}),
        ("iam:CreateRole", "role/other", {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:PutRolePolicy", "role/jam-deploy/jam-production", {}),
        ("iam:UpdateAssumeRolePolicy", "role/jam-deploy/jam-preview", {}),
        ("iam:UpdateAssumeRolePolicy", "role/jam/jam-codedeploy", {}),
        ("iam:CreatePolicyVersion", "policy/jam/jam-boundary", {}),
        ("iam:PassRole", "role/jam/jam-notes-entry", {"iam_PassedToService": "ec2.amazonaws.com"}),
        ("iam:DeleteRolePermissionsBoundary", "role/jam/jam-notes-entry", {}),
    ],
)
def test_productions_role_cannot_give_itself_more(
    action: str, resource: str, context: dict[str, str]
) -> None:
    assert not may(PRODUCTION, action, f"arn:aws:iam::{ACCOUNT}:{resource}", **context)


def lambda_arn(function: str) -> str:
    return NAMES.function_arn(function)


def bucket(names: Names, rest: str) -> str:
    return f"arn:aws:s3:::{names.bucket}/{rest}"


def table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("lambda:UpdateFunctionCode", lambda_arn(PULL.function("notes")), {}),
        ("lambda:InvokeFunction", lambda_arn(PULL.function("notes")), {}),
        ("dynamodb:PutItem", table(SHARED.records), {}),
        ("dynamodb:DeleteTable", table(PULL.table("notes")), {}),
        ("s3:PutObject", bucket(SHARED, "previews/pr-7/releases/x"), {}),
        ("s3:GetObject", bucket(NAMES, "production/assets/x.js"), {}),
        ("iam:PassRole", NAMES.role_arn(SHARED.functions_role),
         {"iam_PassedToService": "lambda.amazonaws.com"}),
        ("cloudfront-keyvaluestore:UpdateKeys", STORE, {}),
        ("apigateway:PUT", f"arn:aws:apigateway:{REGION}::/apis/abc",
         {"aws_ResourceTag/jam:environment": "previews"}),
    ],
)  # fmt: skip
def test_previews_role_may_do_what_previews_need(
    action: str, resource: str, context: dict[str, str]
) -> None:
    assert may(PREVIEW, action, resource, **context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("lambda:UpdateFunctionCode", lambda_arn(NAMES.function("pr-7/notes")), {}),
        ("lambda:InvokeFunction", lambda_arn(NAMES.function("notes")), {}),
        ("lambda:UpdateFunctionCode", lambda_arn(NAMES.entry), {}),
        ("lambda:UpdateFunctionConfiguration", lambda_arn(NAMES.keeper), {}),
        ("lambda:InvokeFunction", lambda_arn(SHARED.keeper), {}),
        ("lambda:UpdateFunctionCode", lambda_arn(SHARED.acceptor), {}),
        ("dynamodb:GetItem", table(NAMES.records), {}),
        ("dynamodb:GetItem", table(NAMES.table("notes")), {}),
        ("s3:PutObject", bucket(NAMES, "production/assets/x.js"), {}),
        ("s3:GetObject", bucket(NAMES, "functions/jam-notes--x/y.zip"), {}),
        ("s3:ListBucket", f"arn:aws:s3:::{NAMES.bucket}", {}),
        ("iam:PassRole", NAMES.role_arn(NAMES.functions_role),
         {"iam_PassedToService": "lambda.amazonaws.com"}),
        ("iam:CreateRole", NAMES.role_arn(SHARED.functions_role),
         {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:PutRolePolicy", NAMES.role_arn(SHARED.functions_role),
         {"iam_PermissionsBoundary": BOUNDARY}),
        ("cloudfront-keyvaluestore:UpdateKeys", STORE.replace("of-previews", "production"), {}),
        ("cloudfront-keyvaluestore:GetKey", STORE.replace("of-previews", "production"), {}),
        ("cloudfront:UpdateDistribution", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1", {}),
        ("cloudfront:UpdateFunction", f"arn:aws:cloudfront::{ACCOUNT}:function/x", {}),
        ("apigateway:PUT", f"arn:aws:apigateway:{REGION}::/apis/abc",
         {"aws_ResourceTag/jam:environment": "production"}),
        ("apigateway:POST", f"arn:aws:apigateway:{REGION}::/tags/abc",
         {"aws_RequestTag/jam:environment": "previews"}),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/notes/secret", {}),
    ],
)  # fmt: skip
def test_previews_role_reaches_nothing_of_production(
    action: str, resource: str, context: dict[str, str]
) -> None:
    assert not may(PREVIEW, action, resource, **context)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with pytest.MonkeyPatch.context() as patch, Cloud(speed=50.0) as cloud:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield cloud


def outputs(aws: Any) -> dict[str, str]:
    (stack,) = aws.stacks.describe_stacks(StackName=STACK)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_repositories_are_added_and_never_forgotten(cloud: Cloud) -> None:
    cloud.reset()
    aws, heard = an_account(cloud), list[str]()
    bootstrap(aws, heard.append, repositories=("o/one",), branch="trunk")
    assert any("role/jam-deploy/jam-production" in line for line in heard)
    bootstrap(aws, heard.append, repositories=("o/two",))
    bootstrap(aws, heard.append)
    assert heard[-1] == f"the stack {STACK} is up to date"
    told = outputs(aws)
    assert (told["Repositories"], told["Branch"]) == ("o/one o/two", "trunk")
    role: Any = aws.roles.get_role(RoleName="jam-production")["Role"]
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert "repo:o/one:ref:refs/heads/trunk" in condition["StringLike"][f"{HOST}:sub"]


def test_an_identity_provider_that_is_there_is_used(cloud: Cloud) -> None:
    cloud.reset()
    aws = an_account(cloud)
    made = aws.roles.create_open_id_connect_provider(
        Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"]
    )
    for _ in range(2):
        bootstrap(aws, lambda _line: None, repositories=("o/r",))
    role: Any = aws.roles.get_role(RoleName="jam-preview")["Role"]
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Federated"]
    assert trusted == made["OpenIDConnectProviderArn"]
    assert "GitHubArn" not in outputs(aws)


def test_a_stack_that_another_run_made_meanwhile_is_brought_up_to_date(cloud: Cloud) -> None:
    cloud.reset()
    aws = an_account(cloud)

    def meanwhile(line: str) -> None:
        """As a call does whose answer is lost, and which is then sent again."""
        if line.startswith("creating"):
            bootstrap(an_account(cloud), lambda _line: None)

    bootstrap(aws, meanwhile, repositories=("o/one",))
    assert outputs(aws)["Repositories"] == "o/one"
