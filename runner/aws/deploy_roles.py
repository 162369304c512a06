"""The two roles that GitHub's workflows deploy with, as parts of the account's stack. Pure.

What they may do is made of the registry of what the code calls (needs.py). They lie outside /jam/,
because production's may write roles there: neither can change itself, the other, or the boundary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.aws.documents import compact
from runner.aws.needs import NEEDS, Need
from runner.aws.preview_needs import preview_statements
from runner.aws.statements import allow, within
from runner.errors import site_error
from runner.names import CODE_DEPLOY_ROLE, PREVIEW_ROLE, PRODUCTION_ROLE, ROLE_PATH

PATH = "/jam-deploy/"
HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
SESSION = 3600  # seconds
# Source: IAM user guide, "IAM and AWS STS quotas", characters of a managed policy.
MOST = 6_144  # what stands for partition and account here is longer than they are
_REPOSITORY = re.compile(r"([A-Za-z0-9-]{1,39}(?:@\d+)?)/([A-Za-z0-9._-]{1,100}(?:@\d+)?)")
# The boundary limits a role only where the role has it. Source: Service Authorization
# Reference, "AWS Identity and Access Management", condition key iam:PermissionsBoundary.
_BOUNDED = ("CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy")
_PASSED_TO = ("apigateway", "codedeploy", "lambda", "scheduler")
# To tag is a POST on /tags. Source: Service Authorization Reference, "Amazon API Gateway Management
# V2", which has no action of this name.
_NO_ACTION = "apigateway:TagResource"
_OF_CODE_DEPLOY = (
    "DeleteRole DeleteRolePolicy DetachRolePolicy PutRolePolicy UpdateAssumeRolePolicy"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Whose workflows may deploy: repositories as `owner/name`, or with the ids that GitHub gave
    them as `owner@1/name@2`; production's from `branch` or from the environment `production`.

    `stores` are the ARNs of the previews' key value stores, `provider` that of an identity provider
    that the account has already.
    """

    repositories: tuple[str, ...]
    branch: str = "main"
    stores: tuple[str, ...] = ()
    provider: str = ""


def check(repositories: Iterable[str]) -> None:
    """Raises JamError `JAM-REPOSITORY` for what is no repository's name."""
    wrong = [each for each in repositories if not _REPOSITORY.fullmatch(each)]
    if wrong:
        raise site_error(
            "JAM-REPOSITORY",
            f"{', '.join(wrong)}: not a repository of GitHub's.",
            hint="Write owner/name, or owner@ID/name@ID with the ids that GitHub gave them.",
        )


def parts(trusted: Trusted) -> dict[str, Any]:
    """The stack's resources for these workflows."""
    provider: Any = trusted.provider or {"Ref": "GitHub"}
    production = tuple(production_statements())
    previews = tuple(preview_statements(trusted.stores))
    claims = ("environment:production", f"ref:refs/heads/{trusted.branch}")
    return {
        **({} if trusted.provider else {"GitHub": _provider()}),
        **_role("Production", PRODUCTION_ROLE, production, trust(trusted, provider, claims)),
        **_role(
            "Preview", PREVIEW_ROLE, previews,
            trust(trusted, provider, ("environment:preview", "pull_request")),
        ),
    }  # fmt: skip


def trust(trusted: Trusted, provider: Any, claims: tuple[str, ...]) -> dict[str, Any]:
    """Who may assume the role: workflows of these repositories with one of these claims.

    Source: GitHub Docs, "OpenID Connect reference", "Example subject claims"; IAM user guide,
    "Create a role for OpenID Connect federation".
    """
    subjects = [
        subject for each in trusted.repositories for subject in subjects_of(each, claims)
    ]  # fmt: skip
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{HOST}:aud": AUDIENCE},
            "StringLike": {f"{HOST}:sub": subjects},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def subjects_of(repository: str, claims: tuple[str, ...]) -> Iterator[str]:
    """Both of GitHub's forms: repositories made since July 2026 have ids in their subject.

    A name cannot hold `@`, `/` or `:`, and a colon of a branch or environment comes as `%3A`: so no
    other repository of the owner, and nothing that a branch is called, has a subject like these.
    """
    owner, name = repository.split("/")
    is_exact = "@" in repository
    for claim in claims:
        if not is_exact:
            yield f"repo:{owner}/{name}:{claim}"
            yield f"repo:{owner}@*/{name}@*:{claim}"
        else:
            yield f"repo:{repository}:{claim}"


def production_statements() -> Iterator[dict[str, Any]]:
    """All that a deploy does; roles below /jam/ alone, each inside the boundary."""
    for need in NEEDS:
        if need.service == "iam" and "PassRole" in need.names:
            yield from _roles(need)
        else:
            yield allow([each for each in need.actions if each != _NO_ACTION], need.resources)
    kept = tuple(f"iam:{each}" for each in _OF_CODE_DEPLOY.split())
    fixed = f"arn:aws:iam::*:role{ROLE_PATH}{CODE_DEPLOY_ROLE}"
    yield {**allow(kept, (fixed,)), "Effect": "Deny"}


def _roles(need: Need) -> Iterator[dict[str, Any]]:
    special = {f"iam:{each}" for each in (*_BOUNDED, "PassRole")}
    yield allow([each for each in need.actions if each not in special], need.resources)
    bounded = allow([f"iam:{each}" for each in _BOUNDED], need.resources)
    yield within(bounded, StringEquals={"iam:PermissionsBoundary": {"Ref": "Boundary"}})
    services = [f"{each}.amazonaws.com" for each in _PASSED_TO]
    passing = allow(["iam:PassRole"], need.resources)
    yield within(passing, StringEquals={"iam:PassedToService": services})


def _provider() -> dict[str, Any]:
    """IAM checks GitHub's certificate by its own trusted authorities: no thumbprint is needed.

    Source: IAM user guide, "Obtain the thumbprint for an OpenID Connect identity provider".
    """
    properties = {"Url": f"https://{HOST}", "ClientIdList": [AUDIENCE]}
    return {"Type": "AWS::IAM::OIDCProvider", "Properties": properties}


def _role(
    title: str, name: str, statements: tuple[dict[str, Any], ...], trusted: dict[str, Any]
) -> dict[str, Any]:
    """The role and as many policies as its rights fill; ten are the most that a role takes."""
    policies = {
        f"{title}Policy{number}": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": f"{name}-{number}",
                "Path": PATH,
                "PolicyDocument": {"Version": "2012-10-17", "Statement": each},
            },
        }
        for number, each in enumerate(_fitting(statements), 1)
    }
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "Path": PATH,
            "MaxSessionDuration": SESSION,
            "AssumeRolePolicyDocument": trusted,
            "ManagedPolicyArns": [{"Ref": each} for each in policies],
        },
    }
    return {**policies, f"{title}Role": role}


def _fitting(statements: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = [[]]
    for each in statements:
        if found[-1] and len(compact([*found[-1], each])) > MOST:
            found.append([])
        found[-1].append(each)
    return found
