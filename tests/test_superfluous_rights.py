"""No role of ours may do what the code does not call, but for what is explained here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from runner.aws.deploy_roles import production_statements
from runner.aws.logs import DELIVERY
from runner.aws.preview_needs import preview_statements
from tests.rights_site import actions
from tests.test_permissions import called_actions

# What AWS asks for besides a call's own action, by the pages that needs.py names.
ASKED_ALONG = {
    "what is made with tags": "acm:AddTagsToCertificate cloudfront:TagResource "
    "cloudwatch:TagResource codedeploy:TagResource dynamodb:TagResource events:TagResource "
    "iam:TagRole lambda:TagResource logs:TagResource s3:TagResource scheduler:TagResource "
    "sqs:TagQueue",
    "a role that is handed to a service": "iam:PassRole",
    "HTTP APIs, whose calls are verbs": "apigateway:DELETE apigateway:GET apigateway:PATCH "
    "apigateway:POST apigateway:PUT",
    "CreateDeployment reads what it deploys": "codedeploy:GetApplicationRevision "
    "codedeploy:GetDeploymentConfig codedeploy:RegisterApplicationRevision",
    "transactions": "dynamodb:ConditionCheckItem",
    "functions with layers, in a VPC": "lambda:GetLayerVersion ec2:DescribeSecurityGroups "
    "ec2:DescribeSubnets ec2:DescribeVpcs",
    "Invoke, and versions that are deleted by their list": "lambda:InvokeFunction "
    "s3:DeleteObjectVersion",
    "SecureStrings, and the topic that a rollout tells": "kms:Decrypt sns:Publish",
    "clients that the survey does not see": "cloudformation:DescribeStacks tag:GetResources "
    "codedeploy:ListApplications codedeploy:ListDeploymentGroups",
    "logs of an API's stage": " ".join(DELIVERY),
}


@pytest.mark.parametrize("statements", [production_statements(), preview_statements(("arn",))])
def test_an_action_in_a_policy_is_called_or_explained(statements: Iterable[Any]) -> None:
    explained = {each for named in ASKED_ALONG.values() for each in named.split()}
    superfluous = actions(statements) - called_actions().keys() - explained
    assert superfluous == set()


def test_an_explanation_is_of_something() -> None:
    told = actions([*production_statements(), *preview_statements(("arn",))])
    assert {each for named in ASKED_ALONG.values() for each in named.split()} <= told
