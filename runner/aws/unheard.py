"""What became of the record of what is live when DynamoDB's answer to it never came. Reads only.

Visitors have the release by then: alias and store moved before. Nothing is undone: the lease stays
marked, and the next run sets all three as one of them says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from runner.aws.refusals import explain, is_fault_of_aws
from runner.errors import JamError, busy_error


def is_unheard(error: Exception) -> bool:
    """Whether the call may have been carried out all the same."""
    if isinstance(error, ClientError):
        return is_fault_of_aws(error)
    return isinstance(error, HTTPClientError)


def check(
    values: Mapping[str, Any],
    read: Callable[[], Mapping[str, Any]],
    *,
    error: ClientError | HTTPClientError,
) -> None:
    """Returns where the record says `values`: the write was carried out.

    Raises JamError for `error` where it does not, `JAM-STATE-UNKNOWN` where it cannot be read.
    """
    try:
        found = read()
    except (ClientError, HTTPClientError) as silent:
        raise _unknown(str(values.get("release", "")), silent) from error
    if {key: found.get(key) for key in values} != values:
        raise explain(error) from error


def _unknown(release: str, error: Exception) -> JamError:
    return busy_error(
        "JAM-STATE-UNKNOWN",
        f"Visitors get release {release[:8]}, but whether DynamoDB recorded it is not known: "
        f"{error}",
        hint="Run the same again when DynamoDB answers: it looks first, and sets alias, store and "
        "record alike. Nothing was undone; `jam-deploy status` says what is recorded.",
    )
