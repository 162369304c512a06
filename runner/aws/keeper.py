"""The keeper, and the secrets by which the HTTP API tells the distribution from everybody else.

The API answers no request but the distribution's: a printed address of it opens nothing. The
distribution adds `x-jam-key` to what it asks the API, in place of whatever a visitor sent, and the
keeper, an authorizer that all api_stages share, lets nothing else in. A route has one authorizer
alone: where that is the site's own, it looks for the visitor's token in a header of which only the
router knows the name.
Sources: CloudFront developer guide, "Add custom headers to origin requests"; API Gateway developer
guide, "Control access to HTTP APIs with JWT authorizers in API Gateway", identitySource.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from runner.aws import functions, keyvalues, logs, ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.keeper.keeper import VARIABLE, digest
from runner.model import Upkeep
from runner.names import Names
from runner.package.archive import lambda_digest
from runner.package.keeper import package

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

# In the store: what the distribution sends, and what the name of the tokens' header is made of.
# Two, because an api_stage is a snapshot: a new key the keeper hears of, a new name none has.
KEY, BEARER = "key", "bearer"
RUNTIME, HANDLER, ARCHITECTURE = "python3.13", "keeper.handler", "arm64"
MEMORY, TIMEOUT = 128, 5  # MB; seconds


def find(aws: Aws, names: Names) -> str | None:
    """The keeper's name, if it stands."""
    return names.keeper if functions.find(aws, names, name=names.keeper) else None


def make(aws: Aws, names: Names, *, store: str, role_arn: str) -> str:
    """The keeper with what it must know, and the secrets; returns the function's name."""
    mend(aws, names, store=store, role_arn=role_arn)
    return names.keeper


def mend(aws: Aws, names: Names, *, store: str, role_arn: str) -> bool:
    """The same; returns whether it stood, and was not so.

    A key that was replaced is let in until the step is taken once more: the distribution's change
    takes minutes to reach every edge.
    """
    known = digest(key(aws, store))
    keyvalues.secret(aws, store, key=BEARER)
    stood = functions.find(aws, names, name=names.keeper)
    before = _known(stood)
    former = before[:1] if before and before[0] != known else []
    wanted = _wanted(names, role_arn=role_arn, digests=[known, *former])
    functions.publish_ready(aws, names, wanted=wanted)
    functions.restore(aws, names, wanted=wanted)  # api_stages call what is newest
    functions.wake(aws, names.keeper)
    now = functions.find(aws, names, name=names.keeper)
    is_other = bool(stood and now and now["RevisionId"] != stood["RevisionId"])
    if is_other:
        forget(aws, names)
    logs.make_group(aws, names, group=f"/aws/lambda/{names.keeper}", days=Upkeep().log_days)
    return is_other


def forget(aws: Aws, names: Names) -> None:
    """No api_stage goes by what another keeper said: a refusal would last as long as a leave.

    Source: API Gateway V2 API reference, ResetAuthorizersCache.
    """
    for page in aws.api.get_paginator("get_apis").paginate():
        for each in page["Items"]:
            if ownership.is_ours(each.get("Tags", {}), names):
                _forget(aws, each["ApiId"])


def _forget(aws: Aws, api_id: str) -> None:
    for page in aws.api.get_paginator("get_stages").paginate(ApiId=api_id):
        for each in page["Items"]:
            with tolerating("NotFoundException"):  # dropped meanwhile
                aws.api.reset_authorizers_cache(ApiId=api_id, StageName=each["StageName"])


def key(aws: Aws, store: str) -> str:
    """What the distribution sends; made where it is missing."""
    return keyvalues.secret(aws, store, key=KEY)


def bearer(aws: Aws, store: str) -> str:
    """The header in which the router hands a visitor's token on; it does not tell the secret."""
    secret = keyvalues.secret(aws, store, key=BEARER)
    return f"x-jam-{hashlib.sha256(secret.encode()).hexdigest()}"


def _known(found: FunctionConfigurationTypeDef | None) -> list[str]:
    """The digests of the keys that are let in now, the newest first."""
    variables = found.get("Environment", {}).get("Variables", {}) if found else {}
    return str(variables.get(VARIABLE, "")).split()


def _wanted(names: Names, *, role_arn: str, digests: list[str]) -> Wanted:
    archive = package()
    return Wanted(
        name=names.keeper,
        role_arn=role_arn,
        runtime=RUNTIME,
        handler=HANDLER,
        architecture=ARCHITECTURE,
        memory=MEMORY,
        timeout=TIMEOUT,
        code_sha256=lambda_digest(archive),
        size=len(archive),
        archive=archive,
        environment={VARIABLE: " ".join(digests)},
    )
