"""The site's roles: below /jam/, inside the account's boundary, each able to do what it must."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from runner.aws import documents, ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import aws_error
from runner.model import Grants
from runner.names import ROLE_PATH, Names
from runner.plan.background import Unattended
from runner.plan.foundation import Role

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import RoleTypeDef

POLICY = "jam"


def name_of(role: Role, names: Names) -> str:
    match role:
        case Role.FUNCTIONS:
            return names.functions_role
        case Role.ENTRY:
            return names.entry_role
        case Role.API:
            return names.api_role
        case Role.KEEPER:
            return names.keeper_role
        case Role.GUARD:
            return names.guard_role
        case Role.SCHEDULER:
            return names.scheduler_role
        case Role.BACKGROUND:
            return names.background_role


def arn_of(role: Role, names: Names) -> str:
    return names.role_arn(name_of(role, names))


def check_boundary(aws: Aws, names: Names) -> None:
    """Raises JamError `JAM-BOOTSTRAP` before the first write if `bootstrap` never ran here."""
    try:
        aws.roles.get_policy(PolicyArn=names.boundary_arn)
    except aws.roles.exceptions.NoSuchEntityException as error:
        raise aws_error(
            "JAM-BOOTSTRAP",
            f"This account is not prepared: iam:CreateRole needs the permissions boundary "
            f"{names.boundary_arn}, which does not exist.",
            hint="Let an administrator run `jam-deploy bootstrap` once for the account.",
        ) from error


def find(aws: Aws, name: str) -> RoleTypeDef | None:
    try:
        return aws.roles.get_role(RoleName=name)["Role"]
    except aws.roles.exceptions.NoSuchEntityException:
        return None


def find_arn(aws: Aws, names: Names, *, role: Role) -> str | None:
    found = find(aws, name_of(role, names))
    return found["Arn"] if found else None


def name_of_grants(grants: Grants, names: Names) -> str:
    """The name of the role with exactly these rights."""
    text = documents.compact(documents.granted(grants, names))
    return names.grants_role(grants.owner, hashlib.sha256(text.encode()).hexdigest())


def make(aws: Aws, names: Names, *, role: Role, unattended: Unattended) -> str:
    """One of the site's roles; returns its ARN."""
    return _make(
        aws,
        names,
        name=name_of(role, names),
        trust=documents.compact(documents.trust(role, names)),
        allowed=documents.compact(documents.permissions(role, names, unattended)),
        told=f"the {role} of {names.site}",
    )


def make_granted(aws: Aws, names: Names, *, grants: Grants) -> str:
    """The role with exactly these rights; returns its ARN."""
    return _make(
        aws,
        names,
        name=name_of_grants(grants, names),
        trust=documents.compact(documents.trust(Role.FUNCTIONS, names)),
        allowed=documents.compact(documents.granted(grants, names)),
        # A description takes no brackets of every kind. Source: IAM API reference, CreateRole.
        told=f"a function of {names.site}" if grants.owner else f"functions of {names.site}",
    )


def _make(aws: Aws, names: Names, *, name: str, trust: str, allowed: str, told: str) -> str:
    """The role with its trust and its one inline policy."""
    found = find(aws, name) or _create(aws, names, name=name, trust=trust, told=told)
    ownership.check(
        ownership.mapped(found.get("Tags", [])),
        names,
        what=f"The role {name}",
    )
    if documents.compact(found.get("AssumeRolePolicyDocument")) != trust:
        aws.roles.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    if found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") != names.boundary_arn:
        aws.roles.put_role_permissions_boundary(
            RoleName=name, PermissionsBoundary=names.boundary_arn
        )
    allow(aws, name, policy=POLICY, document=allowed)
    return found["Arn"]


def allow(aws: Aws, role: str, *, policy: str, document: str) -> None:
    """The role has this inline policy, written where it differs."""
    found: Any = None
    with tolerating("NoSuchEntity"):
        found = aws.roles.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    if documents.compact(found) != document:
        aws.roles.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def _create(aws: Aws, names: Names, *, name: str, trust: str, told: str) -> RoleTypeDef:
    try:
        return aws.roles.create_role(
            RoleName=name,
            Path=ROLE_PATH,
            AssumeRolePolicyDocument=trust,
            PermissionsBoundary=names.boundary_arn,
            Description=f"jam-deploy: {told}",
            Tags=ownership.tag_list(names),
        )["Role"]
    except aws.roles.exceptions.EntityAlreadyExistsException:
        return aws.roles.get_role(RoleName=name)["Role"]
