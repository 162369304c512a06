"""Lambda functions: from code and settings to a published version that is never changed again.

A version is told by Lambda's digest of its code and, in its description, by ours of its settings:
a repeated run publishes nothing twice, and where only code changed one call publishes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from runner.aws import function_states as states
from runner.aws import logs, ownership
from runner.aws.refusals import code_of, message_of, tolerating
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.aws.waiting import insist
from runner.errors import JamError, busy_error
from runner.model import Upkeep
from runner.names import Names
from runner.plan.publishing import INLINE
from runner.together import at_once

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

ROLE_BUDGET = 120  # seconds until Lambda may assume a new role; 7 to 12 are usual


@dataclass(frozen=True, slots=True)
class Look:
    """A function at one moment: its newest state, None without one, and what was published."""

    newest: FunctionConfigurationTypeDef | None
    versions: tuple[FunctionConfigurationTypeDef, ...]


def look(aws: Aws, names: Names, *, name: str) -> Look:
    """Both at once. Raises JamError `JAM-NOT-OURS`."""
    with at_once(1) as pool:
        versions = pool.submit(_listed, aws, name)
        newest = find(aws, names, name=name)
        return Look(newest, versions.result())


def publish(aws: Aws, names: Names, *, wanted: Wanted, seen: Look | None = None) -> str:
    """The number of the version with this code and these settings; made where it is missing.

    It may not be called yet: `ready` waits for that. What was `seen` of the function saves a look.
    Raises JamError `JAM-FN-FAILED`, `JAM-FN-BUSY`, `JAM-ROLE-NOT-READY` and `JAM-NOT-OURS`.
    """
    looks = [seen] if seen else []
    return insist(
        aws,
        lambda: _publish(aws, names, wanted=wanted, seen=looks.pop() if looks else None),
        passes=lambda error: code_of(error) in _IN_THE_WAY,
        late=lambda error: states.busy(wanted.name, message_of(error)),
        budget=states.BUDGET,
    )


def publish_ready(aws: Aws, names: Names, *, wanted: Wanted) -> str:
    """As `publish`, once it can be called."""
    version = publish(aws, names, wanted=wanted)
    ready(aws, wanted.name, version=version)
    return version


def ready(aws: Aws, name: str, *, version: str) -> None:
    """Returns once the version can be called. Raises JamError `JAM-FN-FAILED` and `JAM-FN-BUSY`."""
    states.settled(aws, name, qualifier=version)


def as_published(aws: Aws, names: Names, *, name: str) -> bool | None:
    """Whether what is newest is the version that was published last; None without a function."""
    found = find(aws, names, name=name)
    if found is None:
        return None
    every = list(_versions(aws, name))
    if not every:
        return False
    last = max(every, key=lambda each: int(each["Version"]))
    told = ("CodeSha256", "Description", "Environment", "Handler", "MemorySize", "Role",
            "Runtime", "Timeout")  # fmt: skip
    return all(found.get(key) == last.get(key) for key in told)


def versions_of(aws: Aws, name: str) -> Iterator[str]:
    """The numbers of those that were published; none of a function that is gone."""
    yield from (each["Version"] for each in _listed(aws, name))


def _listed(aws: Aws, name: str) -> tuple[FunctionConfigurationTypeDef, ...]:
    with tolerating("ResourceNotFoundException"):
        return tuple(_versions(aws, name))
    return ()


def _versions(aws: Aws, name: str) -> Iterator[FunctionConfigurationTypeDef]:
    pages = aws.functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    for page in pages:
        yield from (each for each in page["Versions"] if each["Version"] != "$LATEST")


def wake(aws: Aws, name: str) -> None:
    """A function without any concurrency answers nobody: that is how people turn one off."""
    found = aws.functions.get_function_concurrency(FunctionName=name)
    if found.get("ReservedConcurrentExecutions") == 0:
        aws.functions.delete_function_concurrency(FunctionName=name)


def restore(aws: Aws, names: Names, *, wanted: Wanted) -> None:
    """What is newest is what is wanted, for a function that is called without a version."""
    found = find(aws, names, name=wanted.name)
    if found and not (_is_wanted(found, wanted) and _has(found, _settings(wanted))):
        _update(aws, names, wanted=wanted, found=found)
        states.settled(aws, wanted.name)


def tend(aws: Aws, names: Names, *, function: str, upkeep: Upkeep) -> None:
    """Gives a function what holds for all its versions."""
    name = names.function(function)
    logs.make_group(aws, names, group=f"/aws/lambda/{name}", days=upkeep.log_days)
    reserve(aws, name, wanted=upkeep.reserved)


def reserve(aws: Aws, name: str, *, wanted: int | None) -> None:
    """So much of the account's concurrency is the function's own; without a number none is."""
    found = aws.functions.get_function_concurrency(FunctionName=name)
    if found.get("ReservedConcurrentExecutions") == wanted:
        return
    if wanted is None:
        aws.functions.delete_function_concurrency(FunctionName=name)
    else:
        aws.functions.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=wanted
        )


def find(aws: Aws, names: Names, *, name: str) -> FunctionConfigurationTypeDef | None:
    """The function's newest state, if it exists and is ours."""
    try:
        # GetFunction may be called 100 times a second, GetFunctionConfiguration shares 15 a second
        # with all other control. Source: Lambda developer guide, "Lambda quotas", API requests.
        found = aws.functions.get_function(FunctionName=name)
    except aws.functions.exceptions.ResourceNotFoundException:
        return None
    ownership.check(found.get("Tags", {}), names, what=f"The function {name}")
    return found["Configuration"]


def _publish(aws: Aws, names: Names, *, wanted: Wanted, seen: Look | None) -> str:
    seen = seen or look(aws, names, name=wanted.name)
    if seen.newest is None:
        return _create(aws, names, wanted=wanted)
    made = (each["Version"] for each in seen.versions if _is_wanted(each, wanted))
    return next(made, "") or _update(aws, names, wanted=wanted, found=seen.newest)


def _create(aws: Aws, names: Names, *, wanted: Wanted) -> str:
    logs.make_group(aws, names, group=f"/aws/lambda/{wanted.name}", days=Upkeep().log_days)
    code = _code(aws, names, wanted=wanted)

    def create() -> str:
        return aws.functions.create_function(
            FunctionName=wanted.name,
            **_settings(wanted),
            **_architecture(wanted),
            Code=code,
            Publish=True,
            PackageType="Zip",
            Tags=ownership.tags_of(names),
        )["Version"]

    late = partial(_not_ready, wanted.name)
    return insist(aws, create, passes=_is_new_role, late=late, budget=ROLE_BUDGET)


def _is_wanted(found: FunctionConfigurationTypeDef, wanted: Wanted) -> bool:
    told = (found.get("CodeSha256"), found.get("Description"))
    return told == (wanted.code_sha256, wanted.description)


def _update(aws: Aws, names: Names, *, wanted: Wanted, found: FunctionConfigurationTypeDef) -> str:
    """Settings, then code and version in one call, each only if nobody else was faster."""
    ready = states.settled(aws, wanted.name) if states.is_pending(found) else found
    settings = _settings(wanted)
    if not _has(ready, settings):
        revision = ready["RevisionId"]
        insist(  # with rights of another kind the function has a new role
            aws,
            lambda: aws.functions.update_function_configuration(
                FunctionName=wanted.name, **settings, RevisionId=revision
            ),
            passes=_is_new_role,
            late=lambda error: _not_ready(wanted.name, error),
            budget=ROLE_BUDGET,
        )
        # The update itself moves the revision on when it ends.
        ready = states.settled(aws, wanted.name)
    return aws.functions.update_function_code(
        FunctionName=wanted.name,
        **_code(aws, names, wanted=wanted),
        **_architecture(wanted),
        Publish=True,
        RevisionId=ready["RevisionId"],
    )["Version"]


def _settings(wanted: Wanted) -> Any:
    return {**wanted.settings, "Description": wanted.description}


def _architecture(wanted: Wanted) -> Any:
    """With the code, not with the settings: that is how Lambda takes it."""
    return {"Architectures": [wanted.architecture]}


def _has(found: Any, settings: Any) -> bool:
    """Whether the newest state has the settings already; AWS leaves out what is empty."""
    network = found.get("VpcConfig", {})
    state = {
        **found,
        "Environment": {"Variables": found.get("Environment", {}).get("Variables", {})},
        "Layers": [layer["Arn"] for layer in found.get("Layers", [])],
        "VpcConfig": {
            key: sorted(network.get(key, [])) for key in ("SubnetIds", "SecurityGroupIds")
        },
    }
    return all(state.get(key) == value for key, value in settings.items())


def _code(aws: Aws, names: Names, *, wanted: Wanted) -> Any:
    archive = wanted.archive
    body = archive if isinstance(archive, bytes) else archive.read_bytes()
    if len(body) <= INLINE:
        return {"ZipFile": body}
    key = f"functions/{wanted.name}/{hashlib.sha256(body).hexdigest()}.zip"
    aws.s3.put_object(
        Bucket=names.bucket,
        Key=key,
        Body=body,
        ChecksumSHA256=wanted.code_sha256,
        ExpectedBucketOwner=names.account,
    )
    return {"S3Bucket": names.bucket, "S3Key": key}


# A role is known to IAM seconds before Lambda may assume it.
# Source: IAM user guide, "Troubleshoot IAM", "Changes that I make are not always immediately
# visible"; Lambda API reference, CreateFunction, InvalidParameterValueException.
_NOT_READY = ("cannot be assumed by Lambda", "execution role does not have permissions")
_IN_THE_WAY = frozenset({"ResourceConflictException", "PreconditionFailedException"})


def _is_new_role(error: ClientError) -> bool:
    said = message_of(error)
    is_parameter = code_of(error) == "InvalidParameterValueException"
    return is_parameter and any(words in said for words in _NOT_READY)


def _not_ready(name: str, error: ClientError) -> JamError:
    return busy_error(
        "JAM-ROLE-NOT-READY",
        f"Lambda could not assume the role of {name} for {ROLE_BUDGET} s: {message_of(error)}",
        hint="Run again: a new role can take minutes to be known everywhere.",
    )
