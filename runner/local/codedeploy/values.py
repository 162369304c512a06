"""CodeDeploy's nouns: what is deployed, how traffic shifts, what stops and what takes back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["Created", "Queued", "InProgress", "Succeeded", "Failed", "Stopped"]
ACTIVE: tuple[Status, ...] = ("Created", "Queued", "InProgress")
# Source: API reference, GetDeployment, `status`. Baking and Ready are not Lambda's.
STATUSES = ("Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready")

FAILURE = "DEPLOYMENT_FAILURE"
STOP_ON_ALARM = "DEPLOYMENT_STOP_ON_ALARM"
STOP_ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"
ROLLBACK_EVENTS = (FAILURE, STOP_ON_ALARM, STOP_ON_REQUEST)

BEFORE, ALLOW, AFTER = "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"
LIFECYCLE = (BEFORE, ALLOW, AFTER)
HOOKS = (BEFORE, AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`after` seconds from the first shift the target gets `weight`, 0.0 to 1.0."""

    after: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """`percentage` of the traffic a step, `interval` in minutes; both 0 for AllAtOnce."""

    kind: str
    percentage: int = 0
    interval: int = 0

    def shifts(self) -> tuple[Shift, ...]:
        """Source: CodeDeploy user guide, "Deployment configurations on an AWS Lambda compute
        platform".
        """
        if self.kind == "AllAtOnce":
            return (Shift(after=0, weight=1),)
        steps = 2 if self.kind == "TimeBasedCanary" else math.ceil(100 / self.percentage)
        grown = [self.percentage * number for number in range(1, steps)] + [100]
        return tuple(
            Shift(after=60.0 * self.interval * index, weight=share / 100)
            for index, share in enumerate(grown)
        )

    @property
    def minutes(self) -> float:
        """From the first shift to the last."""
        return self.shifts()[-1].after / 60


ALL_AT_ONCE = Routing(kind="AllAtOnce")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A deployment configuration; without `routing` it is one for servers."""

    name: str
    identity: str
    created: float
    platform: str = "Lambda"
    routing: Routing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Stop while one of `names` is in ALARM, or, unless `ignored`, cannot be asked."""

    enabled: bool = False
    ignored: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What makes CodeDeploy deploy the last good revision again, of ROLLBACK_EVENTS."""

    enabled: bool = False
    events: tuple[str, ...] = ()

    def on(self, event: str) -> bool:
        return self.enabled and event in self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A topic that is told of deployments."""

    name: str
    topic: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """What to shift, from which version to which; `hooks` has functions by lifecycle event."""

    function: str
    alias: str
    current: str
    target: str
    hooks: tuple[tuple[str, str], ...] = ()

    def hook(self, event: str) -> str:
        return dict(self.hooks).get(event, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An AppSpec as it came; `kind` is AppSpecContent or String."""

    kind: str
    content: str
    sha256: str
    spec: AppSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    name: str
    identity: str
    created: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    application: str
    name: str
    identity: str
    role: str
    config: str
    alarms: Alarms = Alarms()
    rollback: Rollback = Rollback()
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a deployment ended: a code of ErrorInformation, and words."""

    code: str
    message: str


class Trouble(Exception):  # noqa: N818 -- it fails a deployment, not the program
    """The deployment under way cannot go on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message)


class Busy(Exception):  # noqa: N818 -- as above
    """AWS did not answer or throttled: to be tried again, then it is Trouble."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message)


@dataclass(slots=True, kw_only=True)
class Event:
    """One lifecycle event of the target."""

    name: str
    status: str = "Pending"
    started: float | None = None
    ended: float | None = None
    execution: str = ""  # the hook that is asked, by its execution id
    message: str = ""


@dataclass(kw_only=True)
class Deployment:
    """One deployment. `group` and `alarms` are as they were when it was made; `last` is the alias's
    weight for the target as CodeDeploy set it."""

    identity: str
    region: str
    group: Group
    config: Config
    revision: Revision
    created: float
    creator: str = "user"
    description: str = ""
    alarms: Alarms = Alarms()
    override: Alarms | None = None
    rollback: Rollback = Rollback()
    previous: Revision | None = None
    triggering: str = ""  # the deployment that this one takes back
    status: Status = "Created"
    started: float | None = None
    completed: float | None = None
    updated: float | None = None
    problem: Problem | None = None
    stopping: bool = False
    weight: float = 0.0
    begun: float | None = None  # when the first shift was
    unheard: int = 0  # polls of the alarms in a row that failed
    attempts: int = 0  # of the present step
    rolled_back_by: str = ""
    rollback_message: str = ""
    events: list[Event] = field(default_factory=lambda: [Event(name=each) for each in LIFECYCLE])

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def takes_back(self) -> bool:
        return bool(self.triggering)

    def event(self, name: str) -> Event:
        return next(each for each in self.events if each.name == name)
