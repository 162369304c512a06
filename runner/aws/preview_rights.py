"""What functions of previews may do beyond the role that all of them share.

A policy for each set of rights, named by its digest: previews with the same settings share it.

The role itself is production's to change; a deploy role that may not write to it is told so when a
pull request asks for a secret that no preview had before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from runner.aws import documents, roles
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import Grants
from runner.names import Names
from runner.plan.foundation import Role


def allow(aws: Aws, names: Names, *, grants: Iterable[Grants]) -> str:
    """The functions' common role, which has the policy now; its ARN."""
    role, wanted = Role.FUNCTIONS, documents.beside(grants, names)
    roles.allow(
        aws,
        roles.name_of(role, names.previews),
        policy=policy_of(wanted),
        document=documents.compact(wanted),
    )
    return roles.arn_of(role, names.previews)


def policy_of(document: documents.Document) -> str:
    digest = hashlib.sha256(documents.compact(document).encode()).hexdigest()
    return f"previews-{digest[:16]}"


def owned(grants: Iterable[Grants], names: Names) -> tuple[str, ...]:
    """How the record of a preview names its policy."""
    every = tuple(grants)
    return (f"rights {policy_of(documents.beside(every, names))}",) if every else ()


def drop(aws: Aws, names: Names, *, policies: Iterable[str]) -> None:
    """Policies that no preview needs any more; what is not there is gone already.

    Whoever may not write to the role leaves them: they let nobody do anything without a function.
    """
    role = roles.name_of(Role.FUNCTIONS, names.previews)
    for each in policies:
        with tolerating("NoSuchEntity", "AccessDenied"):
            aws.roles.delete_role_policy(RoleName=role, PolicyName=each)
