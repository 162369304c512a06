"""Whose workflows may deploy to the account: the stack itself remembers it, in its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.aws.deploy_roles import HOST, Trusted
from runner.aws.edge import items_of
from runner.aws.ownership import mapped
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import PREVIEWS

_REPOSITORIES, _BRANCH, _PROVIDER = "Repositories", "Branch", "GitHubArn"
_ROLES = {"ProductionRoleArn": "ProductionRole", "PreviewRoleArn": "PreviewRole"}


def wanted(
    aws: Aws, outputs: Mapping[str, str], *, repositories: tuple[str, ...], branch: str
) -> Trusted | None:
    """Those that are trusted by now and `repositories`; None without any."""
    before = outputs.get(_REPOSITORIES, "").split()
    every = tuple(dict.fromkeys([*before, *repositories]))
    if not every:
        return None
    return Trusted(
        repositories=every,
        branch=branch or outputs.get(_BRANCH, "main"),
        stores=tuple(_stores(aws)),
        provider="" if _PROVIDER in outputs else _provider(aws),
    )


def told(trusted: Trusted) -> dict[str, Any]:
    """The stack's outputs; the provider among them where it is the stack's own."""
    roles = {key: {"Value": {"Fn::GetAtt": [name, "Arn"]}} for key, name in _ROLES.items()}
    provider = {} if trusted.provider else {_PROVIDER: {"Value": {"Ref": "GitHub"}}}
    return {
        _REPOSITORIES: {"Value": " ".join(trusted.repositories)},
        _BRANCH: {"Value": trusted.branch},
        **provider,
        **roles,
    }


def lines(outputs: Mapping[str, str]) -> Iterator[str]:
    """What a workflow has to name."""
    for key, what in zip(_ROLES, ("production", "previews"), strict=True):
        if key in outputs:
            yield f"role-to-assume for {what}: {outputs[key]}"


def _provider(aws: Aws) -> str:
    """The account's identity provider for GitHub, of which there can be one."""
    arn = f"arn:{aws.partition}:iam::{aws.account}:oidc-provider/{HOST}"
    with tolerating("NoSuchEntity"):
        aws.roles.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        return arn
    return ""


def _stores(aws: Aws) -> Iterator[str]:
    """The stores of previews: no policy can tell them from production's but by their ARNs."""
    for each in items_of(aws.edge.list_key_value_stores, "KeyValueStoreList"):
        tags = aws.edge.list_tags_for_resource(Resource=each["ARN"])["Tags"].get("Items", [])
        if mapped(tags).get("jam:environment") == PREVIEWS:
            yield str(each["ARN"])
