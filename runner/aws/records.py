"""The site's records in DynamoDB: what an environment serves, and the releases there are.

Every write can be repeated: a condition that fails is first held against what we wanted to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from runner.apply import Known
from runner.aws import holders, schema, unheard, written
from runner.aws.fenced import COLLIDES, REFUSED, collides
from runner.aws.holders import holder_of, lost
from runner.aws.leases import Lease
from runner.aws.refusals import explain, needed, tolerating
from runner.aws.session import Aws
from runner.aws.waiting import insist
from runner.aws.written import Environment, Staged
from runner.errors import busy_error
from runner.guard import journal
from runner.guard.rollout import Phase
from runner.model import Origin, Release
from runner.names import Names
from runner.plan import definition
from runner.plan.foundation import ENTRY
from runner.plan.refs import Made, Ref
from runner.plan.releasing import RecordLive
from runner.plan.streams import Stream


def read(aws: Aws, names: Names, *, release: str) -> tuple[Environment, Staged | None] | None:
    """The environment and `release` in one call; None while there is no table.

    BatchGetItem may leave keys unprocessed, which is not the same as absent.
    Source: DynamoDB API reference, BatchGetItem.
    """
    keys = [
        written.key(written.environment_key(names)),
        written.key(written.release_key(names, release)),
        journal.KEY,
        holders.key_of(names),
        written.hold_key(names),
        written.doubt_key(names),
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
    rollout = written.open_rollout(written.plain(items.get("rollout", {})))
    return (
        replace(
            written.environment_of(written.plain(items.get("environment", {}))),
            rollout=rollout.candidate if rollout else "",
            opening=rollout is not None and rollout.phase is Phase.OPENING,
            offered=written.offered(rollout) if rollout else Origin(),
            holder=holder_of(items.get("lease", {})),
            turns=int(items.get("lease", {}).get("token", {"N": "0"})["N"]),
            hold=written.hold_of(written.plain(items.get("hold", {}))),
            doubted=int(written.plain(items.get("doubt", {})).get("at", 0)),
        ),
        written.staged_of(written.plain(items.get(written.release_key(names, release)["sk"], {}))),
    )


def record_release(
    aws: Aws, names: Names, *, release: str, origin: Origin, makes: tuple[str, ...] = ()
) -> None:
    """Before its first resource; a second run leaves who was first.

    `makes` are the Lambda names and tables of a preview: what a run leaves that was killed.
    """
    aws.records.update_item(
        TableName=names.records,
        Key=written.key(written.release_key(names, release)),
        UpdateExpression="SET #state = :state, #schema = :schema, "
        "#at = if_not_exists(#at, :at), #origin = if_not_exists(#origin, :origin), "
        "#makes = :makes",
        ExpressionAttributeNames=written.aliased("state", "schema", "at", "origin", "makes"),
        ExpressionAttributeValues=written.values(
            state=written.STAGING,
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
        Key=written.key(written.release_key(names, release.id)),
        UpdateExpression="SET #state = :state, #functions = :functions, #entry = :entry, "
        "#api_stage = :api_stage, #definition = :definition, #sizes = :sizes",
        ExpressionAttributeNames=written.aliased(
            "state", "functions", "entry", "api_stage", "definition", "sizes"
        ),
        ExpressionAttributeValues=written.values(
            state=written.READY,
            functions=written.functions_of(names, release, known),
            entry=known[Ref(Made.VERSION, ENTRY)],
            api_stage=release.routing.api_stage,
            definition=definition.text_of(release),
            sizes=written.sizes_of(release),
        ),
    )


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
        together.append(
            {"Put": {"TableName": names.records, "Item": written.hold_item(names, step.hold)}}
        )

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
        found = written.plain(reasons[0].get("Item", {}))
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
        TableName=names.records,
        Key=written.key(written.environment_key(names)),
        ConsistentRead=True,
    )
    return written.plain(found.get("Item", {}))


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
        "functions": written.functions_of(names, release, known),
        "entry": known[Ref(Made.VERSION, ENTRY)],
        **{name: known[Ref(made)] for made, name in written.IDS.items()},
    }


def _live_call(
    names: Names, values: dict[str, Any], *, step: RecordLive, since: int
) -> dict[str, Any]:
    return {
        "TableName": names.records,
        "Key": written.key(written.environment_key(names)),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in (*values, "since")),
        "ConditionExpression": "#sequence = :before"
        + (" OR attribute_not_exists(#sequence)" if step.sequence == 1 else ""),
        "ExpressionAttributeNames": written.aliased(*values, "since"),
        "ExpressionAttributeValues": written.values(
            **values, since=since, before=step.sequence - 1
        ),
    }


def record_streams(aws: Aws, names: Names, *, streams: tuple[Stream, ...], sequence: int) -> None:
    """These are all that have function URLs of their own; a newer run knows better."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key=written.key(written.environment_key(names)),
            UpdateExpression="SET #streams = :streams",
            ConditionExpression="#sequence = :sequence",
            ExpressionAttributeNames=written.aliased("streams", "sequence"),
            ExpressionAttributeValues=written.values(streams=_streams(streams), sequence=sequence),
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
        "Key": written.key(written.environment_key(names)),
        "UpdateExpression": "SET #trailing = :trailing",
        "ConditionExpression": "#sequence = :sequence",
        "ExpressionAttributeNames": written.aliased("trailing", "sequence"),
        "ExpressionAttributeValues": written.values(trailing=False, sequence=sequence),
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
