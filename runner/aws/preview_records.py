"""What is recorded of previews: what each serves, what it owns, which are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from runner.aws import fenced, records, written
from runner.aws.leases import Lease
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.written import Environment, Staged
from runner.model import Origin
from runner.names import PREVIEW, Names
from runner.plan.preview import Remembered

_serialise = TypeSerializer().serialize


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A preview as it is recorded. `since` and `closed` are epoch seconds, 0 where it is not so.

    `releases` are the ids of all that it has, or began; `owns` is what they are made of, as
    `function NAME` and `table NAME`. `pushed` is when a run last began to change it; the run that
    is at it now is `run`, at most until `busy_until`.
    """

    environment: str
    release: str
    host: str
    since: int
    closed: int
    origin: Origin
    releases: tuple[str, ...]
    owns: tuple[str, ...]
    pushed: int = 0
    busy_until: int = 0
    run: str = ""

    @property
    def number(self) -> int:
        """The pull request's."""
        return int(self.environment.removeprefix("pr-"))

    @property
    def is_gone(self) -> bool:
        """Closed, and nothing of it is left but this."""
        return bool(self.closed) and not self.releases


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A preview's records: what it serves, the release that is looked for if it lies ready, and
    all of its releases that are remembered, or were begun."""

    environment: Environment = field(default_factory=Environment)
    staged: Staged | None = None
    past: tuple[Remembered, ...] = ()


def recorded(aws: Aws, names: Names, *, release: str) -> Recorded:
    """Everything that is recorded of the preview, in one call."""
    items = _items(aws, names)
    environment, staged = records.told(names, items, release=release)
    past = (written.plain(each) for sk, each in items.items() if sk.startswith("release#"))
    return Recorded(
        environment=environment,
        staged=staged,
        past=tuple(_remembered(names, each) for each in past),
    )


def _remembered(names: Names, item: Mapping[str, Any]) -> Remembered:
    published = item.get("functions", {})
    return Remembered(
        release=item["sk"].partition("#")[2],
        versions=frozenset((names.function(n), each["version"]) for n, each in published.items()),
        owns=tuple(item.get("makes", ())),
    )


def _items(aws: Aws, names: Names) -> dict[str, Mapping[str, Any]]:
    """The preview's items by their sort keys; none where no preview ever was."""
    pages = aws.records.get_paginator("query").paginate(
        TableName=names.records,
        ConsistentRead=True,
        KeyConditionExpression="#pk = :mine",
        ExpressionAttributeNames={"#pk": "pk"},
        ExpressionAttributeValues={":mine": {"S": f"environment#{names.environment}"}},
    )
    with tolerating("ResourceNotFoundException"):
        return {item["sk"]["S"]: item for page in pages for item in page["Items"]}
    return {}


def known(aws: Aws, names: Names) -> Known | None:
    """What is recorded of the preview of `names`; None if nothing is, or no preview ever was."""
    items = [written.plain(each) for each in _items(aws, names).values()]
    return _known(names.environment, items) if items else None


def note(aws: Aws, names: Names, *, origin: Origin, sequence: int) -> None:
    """A newer run found its release shown already: what an older one brings comes too late."""
    with tolerating("ConditionalCheckFailedException"):
        aws.records.update_item(
            TableName=names.records,
            Key=_key(names, "environment"),
            UpdateExpression="SET #origin = :origin",
            ConditionExpression="#sequence = :sequence",
            ExpressionAttributeNames={"#origin": "origin", "#sequence": "sequence"},
            ExpressionAttributeValues={
                ":origin": _serialise(asdict(origin)),
                ":sequence": {"N": str(sequence)},
            },
        )


def every(aws: Aws, names: Names) -> tuple[Known, ...]:
    """All previews that were ever recorded and not forgotten, by their numbers."""
    found: dict[str, list[dict[str, Any]]] = {}
    pages = aws.records.get_paginator("scan").paginate(TableName=names.records, ConsistentRead=True)
    with tolerating("ResourceNotFoundException"):
        for item in (written.plain(each) for page in pages for each in page["Items"]):
            environment = item["pk"].removeprefix("environment#")
            if PREVIEW.fullmatch(environment):
                found.setdefault(environment, []).append(item)
    told = (_known(environment, items) for environment, items in found.items())
    return tuple(sorted(told, key=lambda each: each.number))


def _known(environment: str, items: list[dict[str, Any]]) -> Known:
    there: Mapping[str, Any] = next((it for it in items if it["sk"] == "environment"), {})
    releases = [it for it in items if it["sk"].startswith("release#")]
    lease: Mapping[str, Any] = next((it for it in items if it["sk"] == "lease"), {})
    return Known(
        environment=environment,
        release=there.get("release", ""),
        host=there.get("domain", ""),
        since=int(there.get("since", 0)),
        closed=0 if there.get("release") else int(there.get("closed", 0)),
        origin=written.read_origin(there.get("origin", {})),
        releases=tuple(it["sk"].partition("#")[2] for it in releases),
        owns=tuple(dict.fromkeys(name for it in releases for name in it.get("makes", ()))),
        pushed=_pushed(there, releases) or int(lease.get("since", 0)),
        busy_until=int(lease.get("expires", 0)) if "owner" in lease else 0,
        run=lease.get("run", ""),
    )


def _pushed(there: Mapping[str, Any], releases: list[dict[str, Any]]) -> int:
    """A lease tells it where a run had come no further; later ones may be of `gc`."""
    return max(int(there.get("since", 0)), *(int(it.get("at", 0)) for it in releases), 0)


def close(aws: Aws, names: Names, *, origin: Origin, lease: Lease) -> None:
    """A tombstone in place of what it serves: from here on no older run shows anything."""
    values: dict[str, Any] = {
        "release": "",
        "closed": int(aws.clock()),
        "origin": asdict(origin),
    }
    put = {
        "TableName": names.records,
        "Key": _key(names, "environment"),
        "UpdateExpression": "SET "
        + ", ".join(f"#{name} = :{name}" for name in values)
        + " ADD #sequence :one",
        "ExpressionAttributeNames": {f"#{name}": name for name in (*values, "sequence")},
        "ExpressionAttributeValues": {
            ":one": {"N": "1"},
            **{f":{name}": _serialise(value) for name, value in values.items()},
        },
    }
    fenced.write(aws, [{"Update": put}], lease=lease)


def forget_releases(
    aws: Aws, names: Names, *, releases: tuple[str, ...], lease: Lease | None
) -> None:
    """Nothing of these is left; the tombstone stays."""
    keys = [_key(names, f"release#{each}") for each in releases]
    gone = [{"Delete": {"TableName": names.records, "Key": each}} for each in keys]
    for start in range(0, len(gone), fenced.MOST):
        fenced.write(aws, gone[start : start + fenced.MOST], lease=lease)


def forget(aws: Aws, names: Names) -> None:
    """The tombstone goes too: the pull request is long over."""
    for sk in ("environment", "lease"):
        aws.records.delete_item(TableName=names.records, Key=_key(names, sk))


def _key(names: Names, sk: str) -> Any:
    return {"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": sk}}
