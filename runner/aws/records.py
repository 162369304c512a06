"""The site's records in DynamoDB: what an environment serves, and the releases there are.

Every write can be repeated: a condition that fails is first held against what we wanted to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from runner.apply import Known
from runner.aws import roles
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import busy_error
from runner.guard import journal
from runner.guard.rollout import Phase
from runner.model import Background, Origin, Release, Upkeep
from runner.names import PRODUCTION, Names
from runner.plan.foundation import ENTRY
from runner.plan.live import Published
from runner.plan.refs import Made, Ref
from runner.plan.releasing import RecordLive
from runner.plan.streams import Stream

SCHEMA = 1
READY, STAGING = "ready", "staging"

_serialise = TypeSerializer().serialize
_deserialise = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The record of what an environment serves; empty before the first deploy.

    `since` is when its release went live, in epoch seconds; 0 where nobody recorded it.
    """

    release: str = ""
    previous: str = ""
    since: int = 0
    sequence: int = 0
    foundation: str = ""
    ids: Mapping[Made, str] = field(default_factory=dict)
    functions: Mapping[str, Published] = field(default_factory=dict)
    entry: str = ""
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    streams: tuple[Stream, ...] = ()
    origins: str = ""
    rollout: str = ""  # the release of which a rollout is open
    trailing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """The record of one release that lies ready; `at` is when it was made, in epoch seconds."""

    functions: Mapping[str, Published]
    entry: str
    api_stage: str
    at: int = 0
    origin: Origin = field(default_factory=Origin)


_IDS = {
    Made.DISTRIBUTION: "distribution",
    Made.DOMAIN: "domain",
    Made.API: "api",
    Made.STORE: "store",
    Made.ENTRY_URL: "entry_url",
}


def read(aws: Aws, names: Names, *, release: str) -> tuple[Environment, Staged | None] | None:
    """The environment and `release` in one call; None while there is no table.

    BatchGetItem may leave keys unprocessed, which is not the same as absent.
    Source: DynamoDB API reference, BatchGetItem.
    """
    keys = [_key(_environment()), _key(_release(release)), journal.KEY]
    found: list[dict[str, Any]] = []
    wanted: Any = {names.records: {"Keys": keys, "ConsistentRead": True}}
    while wanted:
        try:
            answer = aws.records.batch_get_item(RequestItems=wanted)
        except aws.records.exceptions.ResourceNotFoundException:
            return None
        found += map(_plain, answer["Responses"].get(names.records, []))
        wanted = answer.get("UnprocessedKeys")
    items = {(item["pk"], item["sk"]): item for item in found}
    rollout = items.get((_environment()["pk"], "rollout"), {})
    environment = _read_environment(items.get((_environment()["pk"], "environment"), {}))
    return (
        replace(environment, rollout=_open_rollout(rollout)),
        _read_release(items.get((_release(release)["pk"], "release"), {})),
    )


def _open_rollout(item: dict[str, Any]) -> str:
    """The release that an open rollout is of; empty without one."""
    if item.get("phase", Phase.CLOSED) == Phase.CLOSED:
        return ""
    return journal.rollout_of(item["rollout"]).candidate


def record_release(aws: Aws, names: Names, *, release: str, origin: Origin) -> None:
    """Before its first resource; a second run leaves who was first."""
    aws.records.update_item(
        TableName=names.records,
        Key=_key(_release(release)),
        UpdateExpression="SET #state = :state, #schema = :schema, "
        "#at = if_not_exists(#at, :at), #origin = if_not_exists(#origin, :origin)",
        ExpressionAttributeNames=_names("state", "schema", "at", "origin"),
        ExpressionAttributeValues=_values(
            state=STAGING,
            schema=SCHEMA,
            at=int(aws.clock()),
            origin={
                "commit": origin.commit,
                "author": origin.author,
                "branch": origin.branch,
                "run": origin.run,
            },
        ),
    )


def record_staged(aws: Aws, names: Names, *, release: Release, known: Known) -> None:
    """From here on the release can be activated without being built."""
    aws.records.update_item(
        TableName=names.records,
        Key=_key(_release(release.id)),
        UpdateExpression="SET #state = :state, #functions = :functions, "
        "#entry = :entry, #api_stage = :api_stage",
        ExpressionAttributeNames=_names("state", "functions", "entry", "api_stage"),
        ExpressionAttributeValues=_values(
            state=READY,
            functions=_functions(names, release, known),
            entry=known[Ref(Made.VERSION, ENTRY)],
            api_stage=release.routing.api_stage,
        ),
    )


def record_live(
    aws: Aws, names: Names, *, step: RecordLive, release: Release, known: Known
) -> None:
    """The environment's record, one number further.

    Raises JamError `JAM-SUPERSEDED` where another run recorded its release first. A record that
    says just what we wanted to write is ours: the answer to our first attempt was lost.
    """
    values = _live_values(names, step=step, release=release, known=known)
    call = _live_call(names, values, step=step, since=int(aws.clock()))
    try:
        aws.records.update_item(**call)
    except aws.records.exceptions.ConditionalCheckFailedException as error:
        answer: dict[str, Any] = {**error.response}
        found = _plain(answer.get("Item", {}))
        if {key: found.get(key) for key in values} != values:
            raise _superseded(found, step) from error


def live_call(names: Names, *, step: RecordLive, release: Release, known: Known) -> dict[str, Any]:
    """The same record as a prepared call, for whoever settles the rollout of `release`.

    Its parts are those of `runner.guard.rollout.Rollout.after`.
    """
    values = _live_values(names, step=step, release=release, known=known)
    return {
        "client": "records",
        "operation": "update_item",
        "arguments": _live_call(names, values, step=step, since=0),
        "when": ":since",
        "tolerate": ["ConditionalCheckFailedException"],
    }


def _live_values(
    names: Names, *, step: RecordLive, release: Release, known: Known
) -> dict[str, Any]:
    return {
        "release": step.release,
        "previous": step.previous,
        "sequence": step.sequence,
        "foundation": step.foundation,
        "stages": [[stage, list(releases)] for stage, releases in step.stages],
        "streams": _streams(step.streams),
        "origins": step.origins,
        "trailing": step.trailing,
        "functions": _functions(names, release, known),
        "entry": known[Ref(Made.VERSION, ENTRY)],
        **{name: known[Ref(made)] for made, name in _IDS.items()},
    }


def _live_call(
    names: Names, values: dict[str, Any], *, step: RecordLive, since: int
) -> dict[str, Any]:
    return {
        "TableName": names.records,
        "Key": _key(_environment()),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in (*values, "since")),
        "ConditionExpression": "#sequence = :before"
        + (" OR attribute_not_exists(#sequence)" if step.sequence == 1 else ""),
        "ExpressionAttributeNames": _names(*values, "since"),
        "ExpressionAttributeValues": _values(**values, since=since, before=step.sequence - 1),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def record_streams(aws: Aws, names: Names, *, streams: tuple[Stream, ...], sequence: int) -> None:
    """These are all that have function URLs of their own; a newer run knows better."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key=_key(_environment()),
            UpdateExpression="SET #streams = :streams",
            ConditionExpression="#sequence = :sequence",
            ExpressionAttributeNames=_names("streams", "sequence"),
            ExpressionAttributeValues=_values(streams=_streams(streams), sequence=sequence),
        )


def record_followed(aws: Aws, names: Names, *, sequence: int) -> None:
    """Nothing of the live release is left to do; a newer run knows better."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key=_key(_environment()),
            UpdateExpression="SET #trailing = :trailing",
            ConditionExpression="#sequence = :sequence",
            ExpressionAttributeNames=_names("trailing", "sequence"),
            ExpressionAttributeValues=_values(trailing=False, sequence=sequence),
        )


def _streams(streams: tuple[Stream, ...]) -> list[list[str]]:
    return [[each.name, each.route] for each in streams]


def _superseded(found: dict[str, Any], step: RecordLive) -> Exception:
    return busy_error(
        "JAM-SUPERSEDED",
        f"Another run recorded release {found.get('release', '?')[:8]} as number "
        f"{found.get('sequence', '?')} while this one ran; this run's is {step.sequence}.",
        hint="Run again to deploy on top of it; give the job a `concurrency` group.",
    )


def _functions(names: Names, release: Release, known: Known) -> dict[str, Any]:
    """What the release runs; a role of a function's own goes when no release has it any more."""
    return {
        each.name: {
            "digest": each.digest,
            "version": known[Ref(Made.VERSION, each.name)],
            **({"upkeep": asdict(each.upkeep)} if each.upkeep != Upkeep() else {}),
            **({"background": asdict(each.background)} if each.background else {}),
            **({} if each.methods else {"routed": False}),
            **({"role": roles.name_of_grants(each.grants, names)} if each.grants else {}),
        }
        for each in release.functions
    }


def _read_environment(item: dict[str, Any]) -> Environment:
    if "release" not in item:
        return Environment()
    return Environment(
        release=item["release"],
        previous=item["previous"],
        since=int(item.get("since", 0)),
        sequence=int(item["sequence"]),
        foundation=item["foundation"],
        ids={made: item[name] for made, name in _IDS.items()},
        functions=_published(item),
        entry=item["entry"],
        stages=tuple((stage, tuple(releases)) for stage, releases in item["stages"]),
        streams=tuple(Stream(name=name, route=route) for name, route in item.get("streams", [])),
        origins=item.get("origins", ""),
        trailing=item.get("trailing", False),
    )


def _read_release(item: dict[str, Any]) -> Staged | None:
    if item.get("state") != READY:
        return None
    return Staged(
        functions=_published(item),
        entry=item["entry"],
        api_stage=item["api_stage"],
        at=int(item.get("at", 0)),
        origin=Origin(**item.get("origin", {})),
    )


def _published(item: dict[str, Any]) -> dict[str, Published]:
    return {
        name: Published(
            digest=each["digest"],
            version=each["version"],
            upkeep=_upkeep(each.get("upkeep", {})),
            background=_background(each.get("background", {})),
            routed=each.get("routed", True),
        )
        for name, each in item["functions"].items()
    }


def _upkeep(found: Mapping[str, Any]) -> Upkeep:
    """Numbers come back as decimals."""
    reserved = found.get("reserved")
    return Upkeep(
        log_days=int(found.get("log_days", Upkeep().log_days)),
        reserved=None if reserved is None else int(reserved),
    )


def _background(found: Mapping[str, Any]) -> Background:
    return Background(
        schedule=found.get("schedule", ""),
        requests=found.get("requests", False),
        retries=int(found.get("retries", Background().retries)),
    )


def _environment() -> dict[str, str]:
    return {"pk": f"environment#{PRODUCTION}", "sk": "environment"}


def _release(release: str) -> dict[str, str]:
    return {"pk": f"release#{release}", "sk": "release"}


def _key(key: dict[str, str]) -> dict[str, Any]:
    return {name: _serialise(value) for name, value in key.items()}


def _names(*names: str) -> dict[str, str]:
    """Every name is aliased: `state`, `at` and others are words of DynamoDB's language."""
    return {f"#{name}": name for name in names}


def _values(**values: Any) -> dict[str, Any]:
    return {f":{name}": _serialise(value) for name, value in values.items()}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _deserialise(value) for name, value in item.items()}
