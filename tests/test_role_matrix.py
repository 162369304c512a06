"""Every right of the deploy roles is one that the story asks for; without it, that is refused.

The requests are the embedded cloud's own record of the whole story (tests/rights_record.py), held
here against the policies of `bootstrap` as its authoriser holds them. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from runner.aws.bootstrap import template
from runner.aws.refusals import explain
from runner.local.policy import Decision, decide
from runner.local.rights.ask import Ask
from tests.rights_record import read
from tests.test_deploy_roles import TRUSTED, resolved

ASKED = {(role, ask.action): ask for role, ask in read()}
STORES = {ask.resource for (role, action), ask in ASKED.items() if "keyvaluestore:" in action}

# What no command of the story asks for, and why it stands in a policy all the same.
EXPLAINED = {
    "production": {
        # Its own policy for those who deploy has it as well, for all that begins with Get.
        # Source: AWS managed policy reference, AWSCodeDeployDeployerAccess.
        "CodeDeploy reads what CreateDeployment deploys": "codedeploy:GetApplicationRevision",
        # Source: Systems Manager user guide, "Restricting access to Parameter Store parameters
        # using IAM policies".
        "parameters with a key of their own": "kms:Decrypt",
        "a zone whose name servers nobody asks": "route53:GetHostedZone",
    },
}  # fmt: skip
UNASKED = {
    (role, action)
    for role, told in EXPLAINED.items()
    for actions in told.values()
    for action in actions.split()
}
# Asked where it may be; a role that may not goes on without the answer.
DONE_WITHOUT = {("preview", "ssm:GetParameters")}


def policies(role: str) -> list[Any]:
    text = template(replace(TRUSTED, stores=tuple(sorted(STORES))))
    return [
        resolved(part["Properties"]["PolicyDocument"])
        for name, part in json.loads(text)["Resources"].items()
        if name.startswith(f"{role.title()}Policy")
    ]


POLICIES = {role: policies(role) for role in ("production", "preview")}


def rights(role: str) -> set[str]:
    statements = [each for document in POLICIES[role] for each in document["Statement"]]
    allowing = (each for each in statements if each["Effect"] == "Allow")
    return {action for each in allowing for action in each["Action"]}


def is_allowed(role: str, ask: Ask, *, but: str = "") -> bool:
    """By the role's policies, from whose statements an administrator took the action `but`."""
    decided = {
        decide(document, action=ask.action, resource=ask.resource, context=ask.context)
        for document in _without(POLICIES[role], but)
    }
    return Decision.ALLOW in decided and Decision.DENY not in decided


def _without(documents: list[Any], action: str) -> Iterator[Any]:
    for each in documents:
        statements = [
            {**one, "Action": [it for it in one["Action"] if it != action] or ["jam:Nothing"]}
            for one in each["Statement"]
        ]
        yield {**each, "Statement": statements}


EVERY = [(role, action) for role in POLICIES for action in sorted(rights(role))]


@pytest.mark.parametrize(("role", "action"), EVERY)
def test_without_an_action_what_asked_for_it_is_refused(role: str, action: str) -> None:
    ask = ASKED.get((role, action))
    if ask is None:
        assert (role, action) in UNASKED, "let the story ask for it, or explain it"
        return
    assert is_allowed(role, ask)
    assert not is_allowed(role, ask, but=action)


def test_all_that_the_story_asks_for_is_allowed() -> None:
    refused = {key for key, ask in ASKED.items() if not is_allowed(key[0], ask)}
    assert refused == DONE_WITHOUT


def test_nothing_is_explained_that_is_asked_for_or_in_no_policy() -> None:
    assert {key for key in EVERY if key not in ASKED} == UNASKED


@pytest.mark.parametrize("action", sorted({action for _, action in EVERY}))
def test_a_refusal_is_told_by_its_action(action: str) -> None:
    said = f"User: u is not authorized to perform: {action} on resource: r because no policy does"
    answer: Any = {"Error": {"Code": "AccessDenied", "Message": said}, "ResponseMetadata": {}}
    told = explain(ClientError(answer, "Operation"))
    assert (told.code, action in str(told)) == ("JAM-DENIED", True)
