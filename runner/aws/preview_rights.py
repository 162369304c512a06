"""What functions of previews may do beyond the role that all of them share.

A policy for each set of rights, named by its digest: previews with the same settings share it.

The role itself is production's to change; a deploy role that may not write to it is told so when a
pull request asks for a secret that no preview had before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from runner.aws import documents, roles
from runner.aws.policies import Document
from runner.aws.refusals import code_of, tolerating
from runner.aws.session import Aws
from runner.errors import JamError, aws_error
from runner.model import Grants
from runner.names import Names
from runner.plan.foundation import Role

PRODUCTIONS = "previews"  # the policy that production's deploy writes for all of them


def allow(aws: Aws, names: Names, *, grants: Iterable[Grants]) -> str:
    """The functions' common role, which has these rights now; its ARN.

    Raises JamError `JAM-PREVIEW-RIGHTS` with what it lacks, where it may not be written.
    """
    every, role = tuple(grants), Role.FUNCTIONS
    wanted = documents.beside(every, names)
    name = roles.name_of(role, names.previews)
    if not covers(_policy(aws, name, PRODUCTIONS), wanted):
        try:
            roles.allow(aws, name, policy=policy_of(wanted), document=documents.compact(wanted))
        except ClientError as error:
            if code_of(error) not in ("AccessDenied", "AccessDeniedException"):
                raise
            raise _lacking(every, names, name) from error
    return roles.arn_of(role, names.previews)


def allow_all(aws: Aws, names: Names, *, grants: Grants) -> None:
    """What production's settings give to functions of previews, for all of them: the role that
    deploys previews need not write to the functions' role then."""
    wanted, name = (
        documents.beside((grants,), names),
        roles.name_of(Role.FUNCTIONS, names.previews),
    )
    if wanted["Statement"]:
        roles.allow(aws, name, policy=PRODUCTIONS, document=documents.compact(wanted))
    elif _policy(aws, name, PRODUCTIONS):
        with tolerating("NoSuchEntity"):
            aws.roles.delete_role_policy(RoleName=name, PolicyName=PRODUCTIONS)


def _policy(aws: Aws, role: str, policy: str) -> Document:
    with tolerating("NoSuchEntity"):
        found: Any = aws.roles.get_role_policy(RoleName=role, PolicyName=policy)
        return dict(found["PolicyDocument"])
    return {}


def covers(document: Document, wanted: Document) -> bool:
    """Whether the first allows, and denies, all that the second does; both as we write them."""
    there = document.get("Statement", [])
    return all(any(_covers(it, each) for it in there) for each in wanted["Statement"])


def _covers(statement: Any, wanted: Any) -> bool:
    if wanted["Effect"] == "Deny":
        return bool(statement == wanted)
    same = [statement.get(key) == wanted.get(key) for key in ("Effect", "Action")]
    given, asked = statement.get("Condition", {}), wanted.get("Condition", {})
    tests = {(it, key) for it in given for key in given[it]}
    if tests != {(it, key) for it in asked for key in asked[it]}:
        return False
    within = all(_values(asked[it][key]) <= _values(given[it][key]) for it, key in tests)
    return all(same) and within and _values(wanted["Resource"]) <= _values(statement["Resource"])


def _values(found: Any) -> set[str]:
    return {found} if isinstance(found, str) else set(found)


def _lacking(grants: tuple[Grants, ...], names: Names, role: str) -> JamError:
    secrets = sorted({path for each in grants for _, path in each.secrets})
    more = [it for it in ("tracing", "network") if any(getattr(each, it) for each in grants)]
    asked = ", ".join([*(f"secret {each}" for each in secrets), *more])
    return aws_error(
        "JAM-PREVIEW-RIGHTS",
        f"Functions of {names.environment} ask for {asked}; the role {role}, which all functions "
        "of previews have, may not use all of that, and this run may not change it.",
        hint="Production's deploy gives it what [preview.secrets] and [functions] of its branch "
        "name: merge these settings alone first, or run `jam-deploy deploy --repair` with them.",
    )


def policy_of(document: Document) -> str:
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
