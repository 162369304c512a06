"""Operations on schedule groups and their tags. Source: EventBridge Scheduler API reference."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from runner.local.clock import Clock
from runner.local.constraints import check as check_limits
from runner.local.scheduler.refusals import absent, conflict, invalid
from runner.local.scheduler.schedules import page
from runner.local.scheduler.store import DEFAULT, Group, Store
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

# Source: EventBridge Scheduler user guide, "Quotas for EventBridge Scheduler".
GROUPS = 500
_TAGS = 50
# Cloud seconds that a group is DELETING; AWS promises none: "Deleting a schedule group".
_DELETING = 5.0


class Groups:
    """Operations by name."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._lock = lock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateScheduleGroup": self.create,
            "GetScheduleGroup": self.get,
            "DeleteScheduleGroup": self.delete,
            "ListScheduleGroups": self.list,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        name, token = parameters["Name"], parameters.get("ClientToken") or ""
        tags = _tags(parameters)
        there = self._store.group(call.region, name)
        if there:
            if token and there.token == token and there.tags == tags:
                return {"ScheduleGroupArn": there.arn}
            raise conflict(f"Schedule group {name} already exists.")
        if len(self._store.groups(call.region)) >= GROUPS:
            raise AwsError(
                "ServiceQuotaExceededException", f"There are {GROUPS} schedule groups.", status=402
            )
        _check_tags(tags)
        made = self._store.make(call.region, name, at=self._clock.now(), token=token)
        made.tags = tags
        return {"ScheduleGroupArn": made.arn}

    def get(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        return _view(self._find(parameters["Name"], call.region))

    def delete(self, parameters: Parameters, call: Call) -> Result:
        """Its schedules go with it. Source: user guide, "Deleting a schedule group"."""
        check_limits(call.service, call.operation, parameters)
        if parameters["Name"] == DEFAULT:
            raise invalid("The default schedule group cannot be deleted.")
        group = self._find(parameters["Name"], call.region)
        group.state = "DELETING"
        group.modified = self._clock.now()
        group.schedules.clear()
        self._clock.later(_DELETING, lambda: self._gone(group))
        return {}

    def _gone(self, group: Group) -> None:
        with self._lock():
            self._store.drop(group)

    def list(self, parameters: Parameters, call: Call) -> Result:
        check_limits(call.service, call.operation, parameters)
        prefix = parameters.get("NamePrefix") or ""
        found = [g for g in self._store.groups(call.region) if g.name.startswith(prefix)]
        return page(found, parameters, under="ScheduleGroups", view=_view)

    def tag(self, parameters: Parameters, call: Call) -> Result:
        group = self._tagged(parameters, call)
        merged = {**group.tags, **_tags(parameters)}
        _check_tags(merged)
        group.tags = merged
        return {}

    def untag(self, parameters: Parameters, call: Call) -> Result:
        group = self._tagged(parameters, call)
        for key in parameters["TagKeys"]:
            group.tags.pop(key, None)
        return {}

    def tags(self, parameters: Parameters, call: Call) -> Result:
        group = self._tagged(parameters, call)
        return {"Tags": [{"Key": key, "Value": value} for key, value in group.tags.items()]}

    def _tagged(self, parameters: Parameters, call: Call) -> Group:
        check_limits(call.service, call.operation, parameters)
        return self._find(parameters["ResourceArn"].rpartition("/")[2], call.region)

    def _find(self, name: str, region: str) -> Group:
        found = self._store.group(region, name)
        if found is None:
            raise absent(f"Schedule group {name} does not exist.")
        return found


def _tags(parameters: Parameters) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in parameters.get("Tags") or ()}


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _TAGS:
        raise invalid(f"A schedule group has at most {_TAGS} tags.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys must not begin with aws:.")


def _view(group: Group) -> Result:
    shown: Result = {"Arn": group.arn, "Name": group.name, "State": group.state}
    if group.created:
        shown |= {"CreationDate": group.created, "LastModificationDate": group.modified}
    return shown
