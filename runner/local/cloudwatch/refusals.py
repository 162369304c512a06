"""CloudWatch's errors, by the codes that clients get to see.

Source: CloudWatch API reference, "Common Errors" and each operation's "Errors".
"""

from __future__ import annotations

from runner.local.wire import AwsError


def value(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombination", message)


def required(message: str) -> AwsError:
    return AwsError("MissingParameter", message)


def validation(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def absent(message: str) -> AwsError:
    return AwsError("ResourceNotFound", message, status=404)


def token() -> AwsError:
    return AwsError("InvalidNextToken", "The next token specified is invalid.")


def missing(what: str) -> AwsError:
    """501: AWS has it, the embedded cloud has not."""
    return AwsError("NotImplemented", f"The embedded cloud does not have {what}.", status=501)
