"""Schedules and their groups as EventBridge Scheduler keeps them. State only, no rules.

Settings are dicts in botocore's shapes: they come in that way and go out unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DEFAULT = "default"
Settings = dict[str, Any]


@dataclass(kw_only=True, eq=False)
class Schedule:
    """`token` is that of the call that made it; times are cloud seconds."""

    name: str
    group: str
    region: str
    arn: str
    settings: Settings
    created: float
    modified: float
    token: str = ""


@dataclass(kw_only=True, eq=False)
class Group:
    """`DELETING` until its schedules are gone."""

    name: str
    region: str
    arn: str
    created: float
    modified: float
    state: str = "ACTIVE"
    token: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)


class Store:
    """All groups of the account by region and name; every region has the group `default`."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._groups: dict[tuple[str, str], Group] = {}

    def groups(self, region: str) -> list[Group]:
        self.group(region, DEFAULT)
        return [each for (where, _), each in sorted(self._groups.items()) if where == region]

    def all(self) -> list[Group]:
        return list(self._groups.values())

    def group(self, region: str, name: str) -> Group | None:
        if name == DEFAULT and (region, name) not in self._groups:
            self.make(region, name, at=0)
        return self._groups.get((region, name))

    def make(self, region: str, name: str, *, at: float, token: str = "") -> Group:
        made = Group(
            name=name,
            region=region,
            arn=f"arn:aws:scheduler:{region}:{self._account}:schedule-group/{name}",
            created=at,
            modified=at,
            token=token,
        )
        self._groups[region, name] = made
        return made

    def drop(self, group: Group) -> None:
        self._groups.pop((group.region, group.name), None)

    def holds(self, schedule: Schedule) -> bool:
        """Whether this very schedule is still there, not a later one of its name."""
        group = self._groups.get((schedule.region, schedule.group))
        return group is not None and group.schedules.get(schedule.name) is schedule

    def remove(self, schedule: Schedule) -> None:
        group = self._groups.get((schedule.region, schedule.group))
        if group and group.schedules.get(schedule.name) is schedule:
            del group.schedules[schedule.name]

    def clear(self) -> None:
        self._groups.clear()
