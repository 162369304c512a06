"""The table of failures before AWS answered, in the user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from botocore import exceptions as botocore

from runner.errors import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of failure before AWS answered: botocore's exceptions for it, and what we say."""

    code: str
    kinds: tuple[type[Exception], ...]
    turn: Turn
    message: str
    hint: str


class InvalidEndpoint(botocore.BotoCoreError):
    """What botocore has no exception for: it raises ValueError."""

    fmt = "{address}"


@contextmanager
def addressed() -> Iterator[None]:
    """botocore has no exception of its own for an address that is none."""
    try:
        yield
    except botocore.BotoCoreError:  # some are ValueErrors as well
        raise
    except ValueError as error:
        raise InvalidEndpoint(address=error) from error


FAULTS: tuple[Fault, ...] = (
    Fault(
        code="JAM-CREDS-MISSING",
        kinds=(botocore.NoCredentialsError, botocore.PartialCredentialsError),
        turn=Turn.AWS,
        message="There are no AWS credentials.",
        hint="In a workflow run aws-actions/configure-aws-credentials first; on your machine "
        "`aws configure sso` or AWS_PROFILE.",
    ),
    Fault(
        code="JAM-CREDS-MISSING",
        kinds=(botocore.ProfileNotFound,),
        turn=Turn.AWS,
        message="The AWS credentials cannot be found: {said}",
        hint="Correct AWS_PROFILE, or add the profile to ~/.aws/config.",
    ),
    Fault(
        code="JAM-CREDS-EXPIRED",
        kinds=(
            botocore.CredentialRetrievalError,
            botocore.TokenRetrievalError,
            botocore.SSOTokenLoadError,
            botocore.UnauthorizedSSOTokenError,
        ),
        turn=Turn.AGAIN,
        message="The AWS credentials cannot be renewed: {said}",
        hint="Sign in again (`aws sso login`) and repeat; nothing is lost.",
    ),
    Fault(
        code="JAM-REGION-MISSING",
        kinds=(botocore.NoRegionError, botocore.InvalidRegionError),
        turn=Turn.SITE,
        message="No AWS region is chosen: {said}",
        hint="Set `region` in jam.toml, give --region, or set AWS_REGION.",
    ),
    Fault(
        code="JAM-REGION-UNKNOWN",
        kinds=(botocore.UnknownRegionError,),
        turn=Turn.SITE,
        message="There is no such AWS region: {said}",
        hint="Correct `region` in jam.toml, --region or AWS_REGION; eu-central-1 is one.",
    ),
    Fault(
        code="JAM-AWS-CONFIG",
        kinds=(botocore.ConfigParseError, botocore.ConfigNotFound),
        turn=Turn.AWS,
        message="AWS's own settings cannot be read: {said}",
        hint="Mend that file, or name another: AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE.",
    ),
    Fault(
        code="JAM-ENDPOINT-INVALID",
        kinds=(InvalidEndpoint,),
        turn=Turn.SITE,
        message="The address that AWS is to be reached at is none: {said}",
        hint="Correct AWS_ENDPOINT_URL, or `endpoint_url` in AWS's settings: it is "
        "http://127.0.0.1:4566 for the embedded cloud, and absent for AWS.",
    ),
    Fault(
        code="JAM-ENDPOINT",
        kinds=(botocore.HTTPClientError, botocore.ConnectionError),
        turn=Turn.AGAIN,
        message="AWS cannot be reached: {said}",
        hint="Check the network and, if it is set, AWS_ENDPOINT_URL; then run again. In an outage "
        "of the region `jam-deploy rollback` needs Lambda, DynamoDB, S3 and CloudFront's "
        "KeyValueStore alone; a deploy also CloudFront and IAM in us-east-1.",
    ),
)
