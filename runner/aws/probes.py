"""Whether these credentials may change what a deploy changes, asked without changing anything.

IAM is asked where it answers. Besides, writes are tried that cannot succeed: AWS looks at rights
first, and only then at conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from runner.aws import files, rights, written
from runner.aws.refusals import explain
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.errors import JamError
from runner.names import Names
from runner.plan.refs import Made

NEVER = "jam-doctor-asks"  # no revision, ETag or value of anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was refused, as (action and resource), and how many rights were seen to be there."""

    denied: tuple[JamError, ...]
    held: int
    is_simulated: bool


def ask(aws: Aws, names: Names, *, there: Environment) -> Answers:
    """Every right that can be asked for without a change."""
    simulated = rights.denied(aws, names)
    denied = list(simulated or ())
    held = len(rights.needed(names)) - len(denied) if simulated is not None else 0
    probes = _probes(aws, names, there=there) if there.release else ()
    for probe in probes:
        found = _refused(probe)
        held += found is None
        denied += [found] if found else []
    return Answers(denied=tuple(denied), held=held, is_simulated=simulated is not None)


def _probes(aws: Aws, names: Names, *, there: Environment) -> tuple[Callable[[], object], ...]:
    """Each asks for a revision that nothing has: allowed or not, it writes nothing.

    Sources: DynamoDB API reference, UpdateItem, ConditionExpression; S3 API reference, PutObject,
    If-Match; Lambda API reference, UpdateFunctionCode, DryRun; CloudFront KeyValueStore API
    reference, UpdateKeys, IfMatch; CloudFront API reference, UpdateDistribution, IfMatch.
    """
    store, distribution = there.ids[Made.STORE], there.ids[Made.DISTRIBUTION]

    def record() -> object:
        return aws.records.update_item(
            TableName=names.records,
            Key=written.doubt_key(names),
            UpdateExpression="SET #asked = :asked",
            ConditionExpression="attribute_exists(#asked) AND attribute_not_exists(#asked)",
            ExpressionAttributeNames={"#asked": "asked"},
            ExpressionAttributeValues={":asked": {"S": NEVER}},
        )

    def upload() -> object:
        key = files.manifest_key(there.release, names)
        return aws.s3.put_object(Bucket=names.bucket, Key=key, Body=b"", IfMatch=NEVER)

    def publish() -> object:
        where: Any = {"FunctionName": names.entry, "DryRun": True}
        return aws.functions.update_function_code(**where, ZipFile=_EMPTY_ZIP)

    def activate() -> object:
        put: Any = [{"Key": NEVER, "Value": ""}]
        return aws.values.update_keys(KvsARN=store, IfMatch=NEVER, Puts=put)

    def distribute() -> object:
        config = aws.edge.get_distribution_config(Id=distribution)["DistributionConfig"]
        wanted: Any = config
        return aws.edge.update_distribution(
            Id=distribution, IfMatch=NEVER, DistributionConfig=wanted
        )

    return record, upload, publish, activate, distribute


# An archive without a file.
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def _refused(probe: Callable[[], object]) -> JamError | None:
    """The refusal, if it is one of rights: any other says that the right is there."""
    try:
        probe()
    except ClientError as error:
        found = explain(error)
        return found if found.code == "JAM-DENIED" else None
    return None
