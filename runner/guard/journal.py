"""The record of a rollout in the site's table: one item while it is open, one beside its release.

Standard library only. The rollout is JSON text in one attribute, so that reader and writer need no
types of DynamoDB's; what conditions are on has attributes of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from runner.guard.rollout import Phase, Policy, Rollout
from runner.guard.verdict import Evidence, Minute

Item = Mapping[str, Any]
SCHEMA = 1  # of all records: a program that knows a lower number leaves them alone
KEY = {"pk": {"S": "environment#production"}, "sk": {"S": "rollout"}}
# An item may have 400 KB. Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB".
_MINUTES_KEPT = 720
GUARD, RUN = "guard", "run"  # who looks
_SILENT = 180  # seconds; one look may be late, or lost
_TUPLES = ("alarms", "stages", "after", "followed", "left", "notify", "notes")


def text_of(rollout: Rollout) -> str:
    """The rollout as JSON text."""
    return json.dumps(asdict(rollout), separators=(",", ":"))


def rollout_of(text: str) -> Rollout:
    """The rollout of a text; members that a later version wrote are left out."""
    told = json.loads(text)
    known = {field.name for field in fields(Rollout)}
    made = {name: value for name, value in told.items() if name in known}
    made |= {name: tuple(made[name]) for name in _TUPLES if name in made}
    made["streams"] = tuple((function, version) for function, version in made.get("streams", ()))
    return replace(
        Rollout(**made),
        phase=Phase(made.get("phase", Phase.OPENING)),
        policy=Policy(made.get("policy", Policy.PROMOTE)),
    )


def evidence_text(
    minutes: Mapping[str, list[Minute]],
    evidence: Mapping[str, Evidence],
    *,
    weight: float,
    verdict: str,
    now: int,
    before: Item,
    who: str,
) -> str:
    """What decided: counts per minute, where each signal stands, the weights (0 to 1) since when.

    `before` is the rollout's item as it was; `until` says when all this was so; `who` looked.
    """
    last = evidence_of(before)
    known = last.get("weights", [])
    changed = not known or known[-1][1] != round(weight, 4)
    told = {
        "verdict": verdict,
        "until": now,
        "heard": {**last.get("heard", {}), who: now},
        "weight": weight,
        "weights": [*known, [now, round(weight, 4)]] if changed else known,
        "minutes": {
            name: [list(one) for one in found[-_MINUTES_KEPT:]] for name, found in minutes.items()
        },
        "log_e": {name: round(one.log_e, 3) for name, one in evidence.items()},
        "totals": {
            name: [one.candidate, one.candidate_failed, one.baseline, one.baseline_failed]
            for name, one in evidence.items()
        },
    }
    return json.dumps(told, separators=(",", ":"))


def evidence_of(item: Item) -> dict[str, Any]:
    """What `evidence_text` wrote; empty before its first look."""
    told: dict[str, Any] = json.loads(item.get("evidence", {}).get("S", "{}"))
    return told


def guard_silent(item: Item, *, now: float) -> int:
    """Minutes for which nothing was heard of the guard, which looks every minute; 0 if it does.

    While a rollout is opened its clock may not run yet.
    """
    rollout = rollout_of(item["rollout"]["S"])
    if rollout.phase is Phase.OPENING:
        return 0
    heard = evidence_of(item).get("heard", {}).get(GUARD, 0)
    silent = now - max(heard, rollout.opened)
    return int(silent // 60) if silent >= _SILENT else 0


def pace(item: Item) -> float | None:
    """New sessions a minute of both releases in this rollout; None where nothing was counted."""
    told = evidence_of(item)
    entry = told.get("totals", {}).get("entry")
    if not entry:
        return None
    opened = rollout_of(item["rollout"]["S"]).opened
    lasted = (int(told.get("until", opened)) - opened) / 60
    sessions: int = entry[0] + entry[2]
    return sessions / max(lasted, 1.0)


def put(table: str, rollout: Rollout) -> dict[str, Any]:
    """PutItem of a new rollout; refused while another one is open."""
    return {
        "TableName": table,
        "Item": {**KEY, **_attributes(rollout)},
        "ConditionExpression": "attribute_not_exists(#phase) OR #phase = :closed OR #id = :id",
        "ExpressionAttributeNames": {"#phase": "phase", "#id": "id"},
        "ExpressionAttributeValues": {":closed": {"S": Phase.CLOSED}, ":id": {"S": rollout.id}},
    }


def put_over(table: str, rollout: Rollout, *, left: Rollout) -> dict[str, Any]:
    """PutItem over a rollout whose run ended while it opened it, unless somebody ends it by now."""
    call = put(table, rollout)
    values = {":id": {"S": rollout.id}, ":left": {"S": left.id}, ":opening": {"S": Phase.OPENING}}
    return call | {
        "ConditionExpression": "#id = :id OR (#id = :left AND #phase = :opening "
        "AND attribute_not_exists(#outcome))",
        "ExpressionAttributeNames": {"#phase": "phase", "#id": "id", "#outcome": "outcome"},
        "ExpressionAttributeValues": values,
    }


def witness(table: str, rollout: Rollout, *, evidence: str) -> dict[str, Any]:
    """UpdateItem of the evidence alone: whoever opens the rollout may be writing the rest."""
    call = update(table, rollout, evidence=evidence)
    names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
    kept = {name: value for name, value in values.items() if name not in (":phase", ":rollout")}
    return call | {
        "UpdateExpression": "SET #evidence = :evidence",
        "ExpressionAttributeNames": {each: names[each] for each in ("#evidence", "#id", "#phase")},
        "ExpressionAttributeValues": kept,
    }


def update(table: str, rollout: Rollout, *, evidence: str = "") -> dict[str, Any]:
    """UpdateItem of this rollout, unless it is closed already."""
    named = {"#phase": "phase", "#id": "id", "#rollout": "rollout"}
    values = {":closed": {"S": Phase.CLOSED}, ":id": {"S": rollout.id}}
    values |= {":phase": {"S": rollout.phase}, ":rollout": {"S": text_of(rollout)}}
    change = "SET #phase = :phase, #rollout = :rollout"
    if evidence:
        named["#evidence"] = "evidence"
        values[":evidence"] = {"S": evidence}
        change += ", #evidence = :evidence"
    return {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": change,
        "ConditionExpression": "#id = :id AND #phase <> :closed",
        "ExpressionAttributeNames": named,
        "ExpressionAttributeValues": values,
    }


def claim(table: str, rollout: Rollout, *, outcome: str, why: str) -> dict[str, Any]:
    """UpdateItem by which one of guard and runner becomes the one who ends the rollout."""
    return {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "SET #outcome = :outcome, #why = :why",
        "ConditionExpression": "#id = :id AND attribute_not_exists(#outcome)",
        "ExpressionAttributeNames": {"#id": "id", "#outcome": "outcome", "#why": "why"},
        "ExpressionAttributeValues": {
            ":id": {"S": rollout.id},
            ":outcome": {"S": outcome},
            ":why": {"S": why},
        },
    }


def kept(table: str, item: Item, closed: Rollout) -> dict[str, Any]:
    """PutItem beside the release: everything that decided stays with it."""
    key = {"pk": {"S": f"release#{closed.candidate}"}, "sk": {"S": f"rollout#{closed.id}"}}
    return {"TableName": table, "Item": {**item, **_attributes(closed), **key}}


def _attributes(rollout: Rollout) -> dict[str, dict[str, str]]:
    return {
        "id": {"S": rollout.id},
        "schema": {"N": str(SCHEMA)},
        "phase": {"S": rollout.phase},
        "rollout": {"S": text_of(rollout)},
    }
