"""Operations on schedules. Source: EventBridge Scheduler API reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runner.local.clock import Clock
from runner.local.constraints import check as check_limits
from runner.local.scheduler import refusals
from runner.local.scheduler.firing import OLDEST, RETRIES, Firing, Trusted
from runner.local.scheduler.refusals import absent, conflict, invalid
from runner.local.scheduler.store import DEFAULT, Group, Schedule, Settings, Store
from runner.local.wire import Call, Operation, Parameters, Result

_KEPT = (
    "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate", "Description",
    "State", "KmsKeyArn", "Target", "FlexibleTimeWindow", "ActionAfterCompletion",
)  # fmt: skip
_ROLE = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
_PAGE = 100


class Schedules:
    """Operations by name; all are called under the control plane's lock."""

    def __init__(self, store: Store, clock: Clock, *, firing: Firing, trusted: Trusted) -> None:
        self._store = store
        self._clock = clock
        self._firing = firing
        self._trusted = trusted

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateSchedule": self.create,
            "GetSchedule": self.get,
            "UpdateSchedule": self.update,
            "DeleteSchedule": self.delete,
            "ListSchedules": self.list,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        settings = self._settings(parameters, call)
        group = self._group(parameters, call)
        name, token = parameters["Name"], parameters.get("ClientToken") or ""
        there = group.schedules.get(name)
        if there:
            if token and there.token == token and there.settings == settings:
                return {"ScheduleArn": there.arn}
            raise conflict(f"Schedule {name} already exists.")
        if group.state != "ACTIVE":
            raise conflict(f"Schedule group {group.name} is being deleted.")
        self._check(settings, group)
        now = self._clock.now()
        made = Schedule(
            name=name,
            group=group.name,
            region=call.region,
            arn=f"arn:aws:scheduler:{call.region}:{call.account}:schedule/{group.name}/{name}",
            settings=settings,
            created=now,
            modified=now,
            token=token,
        )
        group.schedules[name] = made
        # A rate without a StartDate fires at once. Source: user guide, "Schedule types".
        self._firing.plan(made, after=now - 1)
        return {"ScheduleArn": made.arn}

    def get(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        found = self._find(parameters, call)
        return {**_view(found), **found.settings}

    def update(self, parameters: Parameters, call: Call) -> Result:
        """What the call leaves out goes back to its default. Source: UpdateSchedule."""
        settings = self._settings(parameters, call)
        found = self._find(parameters, call)
        self._check(settings, self._group(parameters, call))
        found.settings = settings
        found.modified = self._clock.now()
        self._firing.plan(found, after=found.modified)
        return {"ScheduleArn": found.arn}

    def delete(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        self._store.remove(self._find(parameters, call))
        return {}

    def list(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        groups = [self._group(parameters, call)] if parameters.get("GroupName") else (
            self._store.groups(call.region))  # fmt: skip
        prefix, state = parameters.get("NamePrefix") or "", parameters.get("State")
        found = [
            each
            for group in groups
            for _, each in sorted(group.schedules.items())
            if each.name.startswith(prefix) and state in (None, each.settings["State"])
        ]
        return page(found, parameters, under="Schedules", view=_summary)

    def _settings(self, parameters: Parameters, call: Call) -> Settings:
        check_limits(call.service, call.operation, parameters)
        settings: Settings = {
            "ScheduleExpressionTimezone": "UTC",
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            **{name: parameters[name] for name in _KEPT if parameters.get(name) is not None},
        }
        policy = {"MaximumEventAgeInSeconds": OLDEST, "MaximumRetryAttempts": RETRIES}
        target = settings["Target"]
        settings["Target"] = {**target, "RetryPolicy": policy | (target.get("RetryPolicy") or {})}
        return settings

    def _check(self, settings: Settings, group: Group) -> None:
        refusals.check(settings, now=self._clock.now())
        if not self._trusted(settings["Target"]["RoleArn"], group.arn):
            raise invalid(_ROLE)

    def _group(self, parameters: Parameters, call: Call) -> Group:
        name = parameters.get("GroupName") or DEFAULT
        found = self._store.group(call.region, name)
        if found is None:
            raise absent(f"Schedule group {name} does not exist.")
        return found

    def _find(self, parameters: Parameters, call: Call) -> Schedule:
        found = self._group(parameters, call).schedules.get(parameters["Name"])
        if found is None:
            raise absent(f"Schedule {parameters['Name']} does not exist.")
        return found


def page(
    found: list[Any], parameters: Parameters, *, under: str, view: Callable[[Any], Result]
) -> Result:
    """One page by `NextToken` and `MaxResults`."""
    token = parameters.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid("Invalid NextToken.")
    begin, size = int(token), int(parameters.get("MaxResults") or _PAGE)
    answer: Result = {under: [view(each) for each in found[begin : begin + size]]}
    if begin + size < len(found):
        answer["NextToken"] = str(begin + size)
    return answer


def _view(schedule: Schedule) -> Result:
    return {
        "Arn": schedule.arn,
        "GroupName": schedule.group,
        "Name": schedule.name,
        "CreationDate": schedule.created,
        "LastModificationDate": schedule.modified,
    }


def _summary(schedule: Schedule) -> Result:
    settings = schedule.settings
    return {
        **_view(schedule),
        "State": settings["State"],
        "Target": {"Arn": settings["Target"]["Arn"]},
    }
