"""What is known of an open rollout: its record, CodeDeploy, the alias, the alarms, the counts.

Reads only. Standard library only; clients are passed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runner.guard import journal
from runner.guard.journal import Item
from runner.guard.rollout import Deployment, Phase, Rollout, Seen
from runner.guard.signals import PERIOD, Where, minutes, queries
from runner.guard.verdict import Evidence, Minute, judge, total

GROUP = "production"  # CodeDeploy's deployment group
# Source: CodeDeploy API reference, DeploymentInfo, status.
ACTIVE = frozenset({"Created", "Queued", "InProgress", "Baking", "Ready"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """boto3's clients of the services that a rollout touches."""

    records: Any
    values: Any
    deployments: Any
    functions: Any
    metrics: Any
    rules: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Names and ids of one site: `clock` is the rule that wakes the guard, `store` an ARN."""

    where: Where
    table: str
    store: str
    clock: str
    application: str = ""  # CodeDeploy's


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: the rollout as recorded, what was seen, what was counted."""

    rollout: Rollout
    item: Item
    seen: Seen
    minutes: Mapping[str, list[Minute]]
    evidence: Mapping[str, Evidence]

    @property
    def weight(self) -> float:
        """The candidate's share of new visitors by the alias, 0 to 1."""
        if self.seen.alias == self.rollout.candidate_version:
            return 1.0 - sum(self.seen.weights.values())
        return self.seen.weights.get(self.rollout.candidate_version, 0.0)


def counts_of(evidence: Mapping[str, Evidence]) -> dict[str, dict[str, list[int]]]:
    """Failures and trials of both releases by signal, as they are told."""
    return {
        name: {
            "candidate": [one.candidate_failed, one.candidate],
            "baseline": [one.baseline_failed, one.baseline],
        }
        for name, one in evidence.items()
    }


def look(clients: Clients, place: Place, *, now: float) -> Look | None:
    """The open rollout with all that is known of it at `now`; None where none is open."""
    return _Looker(clients, place, int(now)).look()


@dataclass(frozen=True, slots=True)
class _Looker:
    clients: Clients
    place: Place
    now: int

    def look(self) -> Look | None:
        """The open rollout with all that is known of it; None where none is open."""
        found = self.clients.records.get_item(
            TableName=self.place.table, Key=journal.KEY, ConsistentRead=True
        )
        item = found.get("Item")
        if item is None or item["phase"]["S"] == Phase.CLOSED:
            return None
        rollout = self._begun(journal.rollout_of(item["rollout"]["S"]))
        deployment, why = self._deployment(rollout)
        alias = alias_of(self.clients, self.place)
        counted = self._counted(rollout)
        evidence = {name: total(each) for name, each in counted.items()}
        return Look(
            rollout=rollout,
            item=item,
            seen=Seen(
                deployment=deployment,
                alias=alias["FunctionVersion"],
                weights=weights_of(alias),
                verdict=judge(evidence),
                red=tuple(self._red(rollout)),
                why=why,
            ),
            minutes=counted,
            evidence=evidence,
        )

    def _begun(self, rollout: Rollout) -> Rollout:
        """While CodeDeploy does not tell, the rollout is one that is still being opened."""
        try:
            return begun(self.clients, self.place, rollout)
        except Exception:  # noqa: BLE001  # whatever ails it: the next look asks again
            return rollout

    def _deployment(self, rollout: Rollout) -> tuple[Deployment, str]:
        if not rollout.deployment:
            return Deployment.NONE, ""
        try:
            return self._heard(rollout)
        except Exception as error:  # noqa: BLE001  # whatever ails it: the rest can still be judged
            return Deployment.UNKNOWN, f"CodeDeploy does not answer: {error}"

    def _heard(self, rollout: Rollout) -> tuple[Deployment, str]:
        found = self.clients.deployments.get_deployment(deploymentId=rollout.deployment)
        info = found["deploymentInfo"]
        if info["status"] in ACTIVE:
            return Deployment.ACTIVE, ""
        if info["status"] == "Succeeded":
            return Deployment.SUCCEEDED, ""
        why = info.get("errorInformation", {})
        told = f"CodeDeploy: {why.get('message') or why.get('code') or info['status']}"
        return (Deployment.ACTIVE if self._rolling_back(info) else Deployment.ENDED), told

    def _rolling_back(self, info: Mapping[str, Any]) -> bool:
        """A rollback is a deployment of its own. Source: CodeDeploy user guide, "Redeploy and roll
        back a deployment with CodeDeploy"."""
        other = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        if not other:
            return False
        found = self.clients.deployments.get_deployment(deploymentId=other)
        return found["deploymentInfo"]["status"] in ACTIVE

    def _counted(self, rollout: Rollout) -> Mapping[str, list[Minute]]:
        """Complete minutes only: of the one that lasts, one release's half may be missing."""
        now = self.now // PERIOD * PERIOD
        start = rollout.opened // PERIOD * PERIOD
        if now <= start:
            return minutes(rollout, {})
        found: dict[str, dict[int, float]] = {}
        for page in self._pages(rollout, start, now):
            for series in page["MetricDataResults"]:
                known = found.setdefault(series["Id"], {})
                times = (int(each.timestamp()) for each in series["Timestamps"])
                known.update(zip(times, series["Values"], strict=True))
        return minutes(rollout, found)

    def _pages(self, rollout: Rollout, start: int, end: int) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {
            "MetricDataQueries": queries(rollout, self.place.where),
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        page = self.clients.metrics.get_metric_data(**asked)
        yield page
        while page.get("NextToken"):
            page = self.clients.metrics.get_metric_data(**asked, NextToken=page["NextToken"])
            yield page

    def _red(self, rollout: Rollout) -> Iterator[str]:
        if not rollout.alarms:
            return
        # Only metric alarms where no types are named. Source: CloudWatch API reference,
        # DescribeAlarms, `AlarmTypes`.
        found = self.clients.metrics.describe_alarms(
            AlarmNames=list(rollout.alarms),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue="ALARM",
        )
        for each in (*found["MetricAlarms"], *found.get("CompositeAlarms", ())):
            reason = each.get("StateReason", "")  # CloudWatch's: value and threshold
            yield f"{each['AlarmName']} ({reason})" if reason else each["AlarmName"]


def begun(clients: Clients, place: Place, rollout: Rollout) -> Rollout:
    """With the deployment that a run began and did not live to note: it bears the rollout's id."""
    if rollout.deployment or rollout.phase is not Phase.OPENING:
        return rollout
    found = clients.deployments.list_deployments(
        applicationName=place.application,
        deploymentGroupName=GROUP,
        createTimeRange={"start": rollout.opened},
    )
    for each in found["deployments"]:
        info = clients.deployments.get_deployment(deploymentId=each)["deploymentInfo"]
        if info.get("description", "").endswith(f" {rollout.id}"):
            return replace(rollout, deployment=str(each), phase=Phase.OPEN)
    return rollout


def alias_of(clients: Clients, place: Place) -> dict[str, Any]:
    """Entry's alias, as Lambda tells it."""
    alias: dict[str, Any] = clients.functions.get_alias(
        FunctionName=place.where.entry, Name=place.where.alias
    )
    return alias


def weights_of(alias: Mapping[str, Any]) -> dict[str, float]:
    """The weights of other versions than the alias's own, 0 to 1."""
    return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))
