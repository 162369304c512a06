"""The site's records in DynamoDB: what an environment serves, and the releases there are.

Every write can be repeated: a condition that fails is first held against what we wanted to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError, HTTPClientError

from runner.apply import Known
from runner.aws import holders, roles, schema, unheard
from runner.aws.fenced import COLLIDES, REFUSED, collides
from runner.aws.holders import Holder, holder_of, lost
from runner.aws.leases import Lease
from runner.aws.refusals import explain, needed, tolerating
from runner.aws.session import Aws
from runner.aws.waiting import insist
from runner.errors import busy_error
from runner.guard import journal
from runner.guard.rollout import Phase, Rollout
from runner.model import Background, Origin, Release, Upkeep
from runner.names import Names
from runner.plan import definition
from runner.plan.foundation import ENTRY
from runner.plan.live import Hold, Published
from runner.plan.refs import Made, Ref
from runner.plan.releasing import RecordLive
from runner.plan.streams import Stream

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
    closed: int = 0  # when a preview was taken away, in epoch seconds
    ids: Mapping[Made, str] = field(default_factory=dict)
    functions: Mapping[str, Published] = field(default_factory=dict)
    entry: str = ""
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    streams: tuple[Stream, ...] = ()
    origins: str = ""
    rollout: str = ""  # the release of which a rollout is open
    opening: bool = False  # that rollout's run is at it still, or died over it
    trailing: bool = False
    origin: Origin = field(default_factory=Origin)  # of the newest run that changed it
    offered: Origin = field(default_factory=Origin)  # of the run that opened the rollout
    holder: Holder | None = None
    turns: int = 0  # how often anybody has had the lease
    hold: Hold | None = None
    history: tuple[str, ...] = ()  # releases that were live, the newest first
    tables: tuple[str, ...] | None = None  # of the site's own; None on a record without them
    domains: tuple[str, ...] = ()  # host names that it has, or should have by now
    domains_work: bool = False  # visitors were seen to get it under them
    ahead: str = ""  # with which wish previews were prepared last
    doubted: int = 0  # when somebody noticed that something is not as recorded; epoch seconds

    @property
    def host(self) -> str:
        """Where visitors find it: its own name once that works, else the distribution's."""
        own = self.domains if self.domains_work else ()
        return own[0] if own else self.ids.get(Made.DOMAIN, "")

    @property
    def leasing(self) -> Origin:
        """Of the run that changes it now, or ended in the middle."""
        return self.holder.origin if self.holder else Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """The record of one release that lies ready; `at` is when it was made, in epoch seconds."""

    functions: Mapping[str, Published]
    entry: str
    api_stage: str
    at: int = 0
    origin: Origin = field(default_factory=Origin)
    definition: str = ""  # as runner.plan.definition has it


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
    keys = [
        _key(_environment(names)),
        _key(_release(names, release)),
        journal.KEY,
        holders.key_of(names),
        hold_key(names),
        doubt_key(names),
    ]
    found: list[Mapping[str, Any]] = []
    wanted: Any = {names.records: {"Keys": keys, "ConsistentRead": True}}
    while wanted:
        try:
            with needed("the site's records"):
                answer = aws.records.batch_get_item(RequestItems=wanted)
        except aws.records.exceptions.ResourceNotFoundException:
            return None
        found += answer["Responses"].get(names.records, [])
        wanted = answer.get("UnprocessedKeys")
    return told(names, {item["sk"]["S"]: item for item in found}, release=release)


def told(
    names: Names, items: Mapping[str, Mapping[str, Any]], *, release: str
) -> tuple[Environment, Staged | None]:
    """What an environment's items say, by their sort keys, as DynamoDB has them."""
    rollout = _open_rollout(plain(items.get("rollout", {})))
    return (
        replace(
            _read_environment(plain(items.get("environment", {}))),
            rollout=rollout.candidate if rollout else "",
            opening=rollout is not None and rollout.phase is Phase.OPENING,
            offered=_offered(rollout) if rollout else Origin(),
            holder=holder_of(items.get("lease", {})),
            turns=int(items.get("lease", {}).get("token", {"N": "0"})["N"]),
            hold=_read_hold(plain(items.get("hold", {}))),
            doubted=int(plain(items.get("doubt", {})).get("at", 0)),
        ),
        _read_release(plain(items.get(_release(names, release)["sk"], {}))),
    )


def _open_rollout(item: dict[str, Any]) -> Rollout | None:
    if item.get("phase", Phase.CLOSED) == Phase.CLOSED:
        return None
    return journal.rollout_of(item["rollout"])


def _offered(rollout: Rollout) -> Origin:
    """The run that opened it: what its end will record says so."""
    values = [each["arguments"].get("ExpressionAttributeValues", {}) for each in rollout.after]
    return next(
        (read_origin(plain(each)[":origin"]) for each in values if ":origin" in each), Origin()
    )


def record_release(
    aws: Aws, names: Names, *, release: str, origin: Origin, makes: tuple[str, ...] = ()
) -> None:
    """Before its first resource; a second run leaves who was first.

    `makes` are the Lambda names and tables of a preview: what a run leaves that was killed.
    """
    aws.records.update_item(
        TableName=names.records,
        Key=_key(_release(names, release)),
        UpdateExpression="SET #state = :state, #schema = :schema, "
        "#at = if_not_exists(#at, :at), #origin = if_not_exists(#origin, :origin), "
        "#makes = :makes",
        ExpressionAttributeNames=_names("state", "schema", "at", "origin", "makes"),
        ExpressionAttributeValues=_values(
            state=STAGING,
            schema=schema.SCHEMA,
            at=int(aws.clock()),
            origin=asdict(origin),
            makes=list(makes),
        ),
    )


def record_staged(aws: Aws, names: Names, *, release: Release, known: Known) -> None:
    """From here on the release can be activated without being built."""
    aws.records.update_item(
        TableName=names.records,
        Key=_key(_release(names, release.id)),
        UpdateExpression="SET #state = :state, #functions = :functions, #entry = :entry, "
        "#api_stage = :api_stage, #definition = :definition, #sizes = :sizes",
        ExpressionAttributeNames=_names(
            "state", "functions", "entry", "api_stage", "definition", "sizes"
        ),
        ExpressionAttributeValues=_values(
            state=READY,
            functions=_functions(names, release, known),
            entry=known[Ref(Made.VERSION, ENTRY)],
            api_stage=release.routing.api_stage,
            definition=definition.text_of(release),
            sizes=_sizes(release),
        ),
    )


def _sizes(release: Release) -> dict[str, int]:
    """How many files it has, their bytes, and those of its functions' archives."""
    return {
        "files": len(release.files),
        "bytes": sum(each.size for each in release.files),
        "functions": sum(each.size for each in release.functions),
    }


def record_live(
    aws: Aws,
    names: Names,
    *,
    step: RecordLive,
    release: Release,
    known: Known,
    lease: Lease | None = None,
    ends: bool = False,
) -> None:
    """The environment's record, one number further, and only under the lease, which is free after
    it where that `ends` what is done under it.

    Raises JamError `JAM-SUPERSEDED` where another run recorded its release first. A record that
    says just what we wanted to write is ours: the answer to our first attempt was lost.
    """
    values = _live_values(names, step=step, release=release, known=known)
    call: Any = _live_call(names, values, step=step, since=int(aws.clock()))
    call["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    together: Any = [{"Update": call}]
    if lease:
        fence = {"Update": lease.freeing} if ends else {"ConditionCheck": lease.condition}
        together.append(fence)
    if step.hold:
        together.append({"Put": {"TableName": names.records, "Item": hold_item(names, step.hold)}})

    def write() -> None:
        aws.records.transact_write_items(TransactItems=together)

    try:
        insist(aws, write, passes=collides, late=explain, budget=COLLIDES)
        if lease and ends:  # where nobody heard that it is free it is released once more
            lease.freed()
    except aws.records.exceptions.TransactionCanceledException as error:
        reasons: Any = error.response["CancellationReasons"]
        if not any(each["Code"] == REFUSED for each in reasons):
            raise
        found = plain(reasons[0].get("Item", {}))
        if {key: found.get(key) for key in values} == values:
            return
        if lease and reasons[1]["Code"] == REFUSED:
            raise lost(holder_of(reasons[1].get("Item", {}))) from error
        raise _superseded(found, step) from error
    except (ClientError, HTTPClientError) as error:
        if not unheard.is_unheard(error):
            raise
        unheard.check(values, lambda: _read_again(aws, names), error=error)


def _read_again(aws: Aws, names: Names) -> dict[str, Any]:
    found: Any = aws.records.get_item(
        TableName=names.records, Key=_key(_environment(names)), ConsistentRead=True
    )
    return plain(found.get("Item", {}))


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
        "schema": schema.SCHEMA,
        "release": step.release,
        "previous": step.previous,
        "sequence": step.sequence,
        "foundation": step.foundation,
        "stages": [[stage, list(releases)] for stage, releases in step.stages],
        "streams": _streams(step.streams),
        "tables": list(step.tables),
        "origins": step.origins,
        "trailing": step.trailing,
        "origin": asdict(step.origin),
        "history": list(step.history),
        "functions": _functions(names, release, known),
        "entry": known[Ref(Made.VERSION, ENTRY)],
        **{name: known[Ref(made)] for made, name in _IDS.items()},
    }


def _live_call(
    names: Names, values: dict[str, Any], *, step: RecordLive, since: int
) -> dict[str, Any]:
    return {
        "TableName": names.records,
        "Key": _key(_environment(names)),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in (*values, "since")),
        "ConditionExpression": "#sequence = :before"
        + (" OR attribute_not_exists(#sequence)" if step.sequence == 1 else ""),
        "ExpressionAttributeNames": _names(*values, "since"),
        "ExpressionAttributeValues": _values(**values, since=since, before=step.sequence - 1),
    }


def record_streams(aws: Aws, names: Names, *, streams: tuple[Stream, ...], sequence: int) -> None:
    """These are all that have function URLs of their own; a newer run knows better."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key=_key(_environment(names)),
            UpdateExpression="SET #streams = :streams",
            ConditionExpression="#sequence = :sequence",
            ExpressionAttributeNames=_names("streams", "sequence"),
            ExpressionAttributeValues=_values(streams=_streams(streams), sequence=sequence),
        )


def record_followed(aws: Aws, names: Names, *, sequence: int) -> None:
    """Nothing of the live release is left to do; a newer run knows better."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(**_followed(names, sequence))


def followed_call(names: Names, *, sequence: int) -> dict[str, Any]:
    """The same as a prepared call, as `live_call` is one."""
    return {
        "client": "records",
        "operation": "update_item",
        "arguments": _followed(names, sequence),
        "tolerate": ["ConditionalCheckFailedException"],
    }


def _followed(names: Names, sequence: int) -> dict[str, Any]:
    return {
        "TableName": names.records,
        "Key": _key(_environment(names)),
        "UpdateExpression": "SET #trailing = :trailing",
        "ConditionExpression": "#sequence = :sequence",
        "ExpressionAttributeNames": _names("trailing", "sequence"),
        "ExpressionAttributeValues": _values(trailing=False, sequence=sequence),
    }


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
    if not item.get("release"):
        return Environment(
            sequence=int(item.get("sequence", 0)),
            closed=int(item.get("closed", 0)),
            origin=read_origin(item.get("origin", {})),
        )
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
        origin=read_origin(item.get("origin", {})),
        history=tuple(item.get("history", ())),
        tables=tuple(item["tables"]) if "tables" in item else None,
        domains=tuple(item.get("domains", ())),
        domains_work=item.get("domains_work", False),
        ahead=item.get("ahead", ""),
    )


def _read_release(item: dict[str, Any]) -> Staged | None:
    if item.get("state") != READY:
        return None
    return Staged(
        functions=_published(item),
        entry=item["entry"],
        api_stage=item["api_stage"],
        at=int(item.get("at", 0)),
        origin=read_origin(item.get("origin", {})),
        definition=item.get("definition", ""),
    )


def hold_key(names: Names) -> dict[str, dict[str, str]]:
    """Where the hold on an environment is recorded."""
    return {"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": "hold"}}


def doubt_key(names: Names) -> dict[str, dict[str, str]]:
    """Where it is recorded that something is not as recorded."""
    return {"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": "doubt"}}


def hold_item(names: Names, hold: Hold) -> dict[str, Any]:
    """The record of a hold."""
    return {**hold_key(names), **{name: _serialise(value) for name, value in asdict(hold).items()}}


def read_origin(found: Mapping[str, Any]) -> Origin:
    """Numbers come back as decimals."""
    numbers = {name: int(found[name]) for name in ("number", "attempt", "pull") if name in found}
    return Origin(**{**found, **numbers})


def _read_hold(item: dict[str, Any]) -> Hold | None:
    return Hold(by=item["by"], why=item["why"], at=int(item["at"])) if item else None


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


def _environment(names: Names) -> dict[str, str]:
    return {"pk": f"environment#{names.environment}", "sk": "environment"}


def _release(names: Names, release: str) -> dict[str, str]:
    """A preview's are with it: two may have the same, and all of one go together."""
    if not names.is_shared:
        return {"pk": f"environment#{names.environment}", "sk": f"release#{release}"}
    return {"pk": f"release#{release}", "sk": "release"}


def _key(key: dict[str, str]) -> dict[str, Any]:
    return {name: _serialise(value) for name, value in key.items()}


def _names(*names: str) -> dict[str, str]:
    """Every name is aliased: `state`, `at` and others are words of DynamoDB's language."""
    return {f"#{name}": name for name in names}


def _values(**values: Any) -> dict[str, Any]:
    return {f":{name}": _serialise(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """A record in Python's types. Raises JamError `JAM-SCHEMA` for one of a newer program."""
    told = {name: _deserialise(value) for name, value in item.items()}
    schema.check(told)
    return told
