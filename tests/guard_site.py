"""AWS as guard and runner touch it in a rollout: small doubles that remember and refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from runner.guard import journal
from runner.guard.look import Clients, Look, Place, look
from runner.guard.rollout import Decision, Phase, Rollout
from runner.guard.settle import Settler
from runner.guard.signals import Where

OPENED = 1_800_000_000
PLACE = Place(
    where=Where(site="notes", entry="jam-notes-entry", alias="live", api="a1"),
    table="jam-notes",
    store="arn:store",
    clock="jam-notes-guard-clock",
    application="jam-notes",
)
OPEN = Rollout(
    id="7x1",
    candidate="c" * 32,
    baseline="b" * 32,
    candidate_version="8",
    baseline_version="7",
    phase=Phase.OPEN,
    deployment="d-1",
    opened=OPENED,
    ends=OPENED + 900,
    alarms=("jam-notes-7x1", "checkout"),
    promoted="the candidate is live",
    restored="the baseline is live",
    after=(
        {
            "client": "records",
            "operation": "update_item",
            "arguments": {
                "Key": {"pk": {"S": "live"}},
                "UpdateExpression": "SET #since = :since",
                "ExpressionAttributeNames": {"#since": "since"},
                "ExpressionAttributeValues": {},
            },
            "when": ":since",
            "tolerate": ["ConditionalCheckFailedException"],
        },
    ),
)


class RefusedError(Exception):
    """An error of AWS's, by its code."""


@dataclass
class Site:
    """All state in one place. `calls` are the writes in their order; `broken` operations raise.

    `broken` maps an operation to the codes with which its next calls are refused; the last code of
    a list that ends in `...` holds for ever.
    """

    rollout: Rollout = OPEN
    deployment: str = "InProgress"
    rolled_back_by: str = ""  # its status
    alias: str = "7"
    weights: dict[str, float] = field(default_factory=lambda: {"8": 0.1})
    live: str = "both"
    streams: dict[str, str] = field(default_factory=dict)  # versions of aliases that go with it
    red: tuple[str, ...] = ()
    failing: int = 0  # sessions of the candidate that failed in the first minute, of 50
    broken: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)  # alarms
    gone: tuple[str, ...] = ()  # functions whose alias somebody deleted
    now: float = OPENED + 300.0
    told: list[Decision] = field(default_factory=list)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.items = {"rollout": {**journal.put("t", self.rollout)["Item"]}}

    def look(self) -> Look | None:
        return look(self.clients(), PLACE, now=self.now)

    def settle(self) -> Decision | None:
        """As the guard does at each tick."""
        seen = self.look()
        return self.settler().settle(seen) if seen else None

    def settler(self) -> Settler:
        return Settler(
            self.clients(),
            PLACE,
            code_of=lambda error: str(error) if isinstance(error, RefusedError) else None,
            clock=lambda: self.now,
            announce=lambda _, decision: self.told.append(decision),
        )

    def recorded(self) -> Rollout:
        return journal.rollout_of(self.items["rollout"]["rollout"]["S"])

    def outcome(self) -> str:
        return str(self.items["rollout"].get("outcome", {}).get("S", ""))

    def clients(self) -> Clients:
        return Clients(
            records=_Of(self, get_item=self._get, put_item=self._put, update_item=self._update),
            values=_Of(self, describe_key_value_store=self._etag, update_keys=self._write),
            deployments=_Of(
                self,
                get_deployment=self._deployment,
                list_deployments=self._deployments,
                stop_deployment=self._stop,
            ),
            functions=_Of(self, get_alias=self._alias, update_alias=self._point),
            metrics=_Of(
                self,
                get_metric_data=self._counts,
                describe_alarms=self._alarms,
                put_metric_data=self._say("tell"),
                delete_alarms=self._delete,
            ),
            rules=_Of(self, disable_rule=self._say("stop the clock")),
        )

    def _get(self, **_: Any) -> dict[str, Any]:
        return {"Item": dict(self.items["rollout"])}

    def _put(self, **call: Any) -> None:
        self.calls.append("keep")
        self.items[call["Item"]["sk"]["S"]] = call["Item"]

    def _update(self, **call: Any) -> None:
        if call["Key"] != journal.KEY:
            followed = "#trailing" in call["ExpressionAttributeNames"]
            self.calls.append("record followed" if followed else "record live")
            return
        item, names = self.items["rollout"], call["ExpressionAttributeNames"]
        values = call["ExpressionAttributeValues"]
        for part in call["ConditionExpression"].split(" AND "):
            if not _holds(part, item, names, values):
                raise RefusedError("ConditionalCheckFailedException")
        for change in call["UpdateExpression"].removeprefix("SET ").split(", "):
            name, value = change.split(" = ")
            item[names[name]] = values[value]
        self.calls.append("claim" if "#outcome" in names else "note")

    def _etag(self, **_: Any) -> dict[str, str]:
        return {"ETag": "e"}

    def _write(self, **call: Any) -> None:
        self.calls.append("store")
        self.live = call["Puts"][0]["Value"]

    def _deployment(self, **call: str) -> dict[str, Any]:
        if call["deploymentId"] == "d-back":
            return {"deploymentInfo": {"status": self.rolled_back_by}}
        back = {"rollbackInfo": {"rollbackDeploymentId": "d-back"}} if self.rolled_back_by else {}
        told = {"description": "b -> c, rollout 7x1"}
        return {"deploymentInfo": {"status": self.deployment, **told, **back}}

    def _deployments(self, **_: Any) -> dict[str, Any]:
        return {"deployments": ["d-1"] if self.deployment else []}

    def _stop(self, **call: Any) -> None:
        self.calls.append("stop, back" if call["autoRollbackEnabled"] else "stop")
        if self.deployment == "Succeeded":
            raise RefusedError("DeploymentAlreadyCompletedException")

    def _alias(self, **_: Any) -> dict[str, Any]:
        routing = {"AdditionalVersionWeights": self.weights}
        return {"FunctionVersion": self.alias, "RoutingConfig": routing, "RevisionId": "r"}

    def _point(self, **call: Any) -> None:
        if (function := call["FunctionName"]) != PLACE.where.entry:
            if function in self.gone:
                raise RefusedError("ResourceNotFoundException")
            self.streams[function] = call["FunctionVersion"]
            return
        self.alias, self.weights = call["FunctionVersion"], {}
        self.calls.append(f"alias {self.alias}")

    def _counts(self, **call: Any) -> dict[str, Any]:
        at = datetime.fromtimestamp(OPENED // 60 * 60 + 60, UTC)
        values = {"c_sessions": 50, "b_sessions": 450, "c_failed": self.failing}
        ids = [query["Id"] for query in call["MetricDataQueries"]]
        return {
            "MetricDataResults": [
                {"Id": each, "Timestamps": [at], "Values": [values[each]]}
                for each in ids
                if values.get(each)
            ]
        }

    def _delete(self, **call: Any) -> None:
        self.calls.append("delete alarms")
        self.deleted += call["AlarmNames"]

    def _alarms(self, **_: Any) -> dict[str, Any]:
        return {"MetricAlarms": [{"AlarmName": name} for name in self.red]}

    def _say(self, what: str) -> Callable[..., None]:
        return lambda **_: self.calls.append(what)


def _holds(part: str, item: dict[str, Any], names: dict[str, str], values: dict[str, Any]) -> bool:
    """One comparison of DynamoDB's condition expressions."""
    if part.startswith("attribute_not_exists("):
        return names[part[len("attribute_not_exists(") : -1]] not in item
    name, sign, value = part.split()
    equal = item.get(names[name]) == values[value]
    return equal if sign == "=" else not equal


class _Of:
    """One client: its operations, each of which may be broken."""

    def __init__(self, site: Site, **operations: Callable[..., Any]) -> None:
        self._site = site
        self._operations = operations

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = self._operations[name]
        codes = self._site.broken.get(name, [])
        if codes:
            code = codes[0] if codes[1:] == [...] else codes.pop(0)
            return _refusing(code)
        return operation


def _refusing(code: str) -> Callable[..., Any]:
    def refuse(**_: Any) -> Any:
        raise RefusedError(code)

    return refuse


def held(**changes: Any) -> Rollout:
    """A rollout that CodeDeploy was stopped for."""
    return replace(OPEN, phase=Phase.HELD, **changes)
