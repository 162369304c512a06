"""Whether the parameters that functions name are there: asked before the first write.

Never asks for a value: parameters come encrypted, of Secrets Manager's only the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.aws.documents import MANAGED
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.errors import Problem, site_error
from runner.model import Function

MOST = 10  # names a call. Source: Systems Manager API reference, GetParameters


def check(aws: Aws, *, functions: Iterable[Function]) -> None:
    """Raises JamError `JAM-SECRET-MISSING` with every parameter that is not there."""
    wanted: dict[str, str] = {}
    for function in functions:
        for variable, path in function.grants.secrets:
            wanted.setdefault(path, f"functions.{function.name}.secrets.{variable}")
    if not wanted:
        return
    with explained():
        missing = {*_missing(aws, sorted(wanted))}
    if missing:
        raise site_error(
            "JAM-SECRET-MISSING",
            "functions have secrets that do not exist; nothing was written",
            hint=f"Put them into {aws.region}: aws ssm put-parameter --type SecureString.",
            problems=tuple(
                Problem(where=where, message=f"there is no parameter {path} in {aws.region}")
                for path, where in wanted.items()
                if path in missing
            ),
        )


def _missing(aws: Aws, paths: list[str]) -> Iterator[str]:
    own = [path for path in paths if not path.startswith(MANAGED)]
    for first in range(0, len(own), MOST):
        names = own[first : first + MOST]
        yield from aws.parameters.get_parameters(Names=names)["InvalidParameters"]
    for path in paths:
        if path.startswith(MANAGED) and not _is_managed(aws, path.removeprefix(MANAGED)):
            yield path


def _is_managed(aws: Aws, name: str) -> bool:
    try:
        found = aws.secrets.describe_secret(SecretId=name)
    except aws.secrets.exceptions.ResourceNotFoundException:
        return False
    return "DeletedDate" not in found
