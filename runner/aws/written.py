"""What a record of the site says, and how DynamoDB has it written down. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from runner.apply import Known
from runner.aws import roles, schema
from runner.aws.holders import Holder
from runner.guard import journal
from runner.guard.rollout import Phase, Rollout
from runner.model import Background, Origin, Release, Upkeep
from runner.names import Names
from runner.plan.live import Hold, Published
from runner.plan.refs import Made, Ref
from runner.plan.streams import Stream

READY, STAGING = "ready", "staging"

serialised = TypeSerializer().serialize
_deserialise = TypeDeserializer().deserialize

IDS = {
    Made.DISTRIBUTION: "distribution",
    Made.DOMAIN: "domain",
    Made.API: "api",
    Made.STORE: "store",
    Made.ENTRY_URL: "entry_url",
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the records say of an environment and of the release that is live in it."""

    there: Environment
    staged: Staged


def open_rollout(item: dict[str, Any]) -> Rollout | None:
    if item.get("phase", Phase.CLOSED) == Phase.CLOSED:
        return None
    return journal.rollout_of(item["rollout"])


def offered(rollout: Rollout) -> Origin:
    """The run that opened it: what its end will record says so."""
    values = [each["arguments"].get("ExpressionAttributeValues", {}) for each in rollout.after]
    return next(
        (read_origin(plain(each)[":origin"]) for each in values if ":origin" in each), Origin()
    )


def environment_of(item: dict[str, Any]) -> Environment:
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
        ids={made: item[name] for made, name in IDS.items()},
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


def staged_of(item: dict[str, Any]) -> Staged | None:
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
    return {**hold_key(names), **{name: serialised(value) for name, value in asdict(hold).items()}}


def read_origin(found: Mapping[str, Any]) -> Origin:
    """Numbers come back as decimals."""
    numbers = {name: int(found[name]) for name in ("number", "attempt", "pull") if name in found}
    return Origin(**{**found, **numbers})


def hold_of(item: dict[str, Any]) -> Hold | None:
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


def environment_key(names: Names) -> dict[str, str]:
    return {"pk": f"environment#{names.environment}", "sk": "environment"}


def release_key(names: Names, release: str) -> dict[str, str]:
    """A preview's are with it: two may have the same, and all of one go together."""
    if not names.is_shared:
        return {"pk": f"environment#{names.environment}", "sk": f"release#{release}"}
    return {"pk": f"release#{release}", "sk": "release"}


def key(key: dict[str, str]) -> dict[str, Any]:
    return {name: serialised(value) for name, value in key.items()}


def aliased(*names: str) -> dict[str, str]:
    """Every name is aliased: `state`, `at` and others are words of DynamoDB's language."""
    return {f"#{name}": name for name in names}


def values(**values: Any) -> dict[str, Any]:
    return {f":{name}": serialised(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """A record in Python's types. Raises JamError `JAM-SCHEMA` for one of a newer program."""
    told = {name: _deserialise(value) for name, value in item.items()}
    schema.check(told)
    return told


def sizes_of(release: Release) -> dict[str, int]:
    """How many files it has, their bytes, and those of its functions' archives."""
    return {
        "files": len(release.files),
        "bytes": sum(each.size for each in release.files),
        "functions": sum(each.size for each in release.functions),
    }


def functions_of(names: Names, release: Release, known: Known) -> dict[str, Any]:
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
