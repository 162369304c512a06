"""Traffic routing: CodeDeploy's own configurations, and the check of one's own. Pure.

Source: CodeDeploy user guide, "Working with deployment configurations"; "CodeDeploy limits",
"Deployment configurations".
"""

from __future__ import annotations

from runner.local.codedeploy.values import ALL_AT_ONCE, Config, Routing
from runner.local.wire import AwsError, Parameters, Result

PREDEFINED_PREFIX = "CodeDeployDefault."
LONGEST = 2880  # minutes from the first shift to the last
LARGEST = 99  # per cent in one increment
# What a deployment gets when neither it nor its group names one. Source: API reference,
# CreateDeployment, `deploymentConfigName`.
DEFAULT = "CodeDeployDefault.OneAtATime"

_CANARY, _LINEAR = "TimeBasedCanary", "TimeBasedLinear"
_MEMBERS = {
    _CANARY: ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
    _LINEAR: ("timeBasedLinear", "linearPercentage", "linearInterval"),
}
_SERVERS = ("AllAtOnce", "HalfAtATime", "OneAtATime")


def predefined() -> dict[str, Config]:
    """All of Lambda's, and those for servers, which a Lambda deployment is refused with."""
    lambdas = {
        "AllAtOnce": ALL_AT_ONCE,
        **{
            f"Canary10Percent{minutes}Minutes": Routing(
                kind=_CANARY, percentage=10, interval=minutes
            )
            for minutes in (5, 10, 15, 30)
        },
        **{
            f"Linear10PercentEvery{minutes}Minute{'s' if minutes > 1 else ''}": Routing(
                kind=_LINEAR, percentage=10, interval=minutes
            )
            for minutes in (1, 2, 3, 10)
        },
    }
    made = [_config(f"Lambda{name}", routing=routing) for name, routing in lambdas.items()]
    made += [_config(name, platform="Server") for name in _SERVERS]
    return {each.name: each for each in made}


def _config(name: str, *, platform: str = "Lambda", routing: Routing | None = None) -> Config:
    whole = PREDEFINED_PREFIX + name
    return Config(name=whole, identity=whole, created=0, platform=platform, routing=routing)


def checked(given: Parameters | None) -> Routing:
    """Raises InvalidTrafficRoutingConfigurationException."""
    kind = (given or {}).get("type")
    if given is None or kind not in (*_MEMBERS, "AllAtOnce"):
        raise _invalid("The traffic routing type must be TimeBasedCanary, TimeBasedLinear or "
                       "AllAtOnce")  # fmt: skip
    wanted = _MEMBERS.get(kind, ("",))[0]
    others = {member for member, *_ in _MEMBERS.values() if given.get(member)} - {wanted}
    if others:
        raise _invalid(f"{' and '.join(sorted(others))} cannot be specified for {kind}")
    if kind == "AllAtOnce":
        return ALL_AT_ONCE
    member, percentage, interval = _MEMBERS[kind]
    body = given.get(member) or {}
    return _timed(kind, body.get(percentage), body.get(interval))


def _timed(kind: str, percentage: int | None, interval: int | None) -> Routing:
    if percentage is None or not 1 <= percentage <= LARGEST:
        raise _invalid(f"The percentage must be between 1 and {LARGEST}")
    if interval is None or interval < 1:
        raise _invalid("The interval must be at least one minute")
    routing = Routing(kind=kind, percentage=percentage, interval=interval)
    if routing.minutes > LONGEST:
        raise _invalid(f"Traffic must be shifted within {LONGEST} minutes")
    return routing


def shown(routing: Routing) -> Result:
    """In the shape of TrafficRoutingConfig."""
    if routing.kind not in _MEMBERS:
        return {"type": routing.kind}
    member, percentage, interval = _MEMBERS[routing.kind]
    return {
        "type": routing.kind,
        member: {percentage: routing.percentage, interval: routing.interval},
    }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidTrafficRoutingConfigurationException", message)
