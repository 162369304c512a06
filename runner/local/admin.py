"""`/_jam/...`: faults, denials, journal and clock for tests in other processes. JSON both ways."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from runner.local.faults import Fault
from runner.local.wire import Request, Response

if TYPE_CHECKING:
    from runner.local.cloud import Cloud

PREFIX = "/_jam/"
_SETTLING = 30.0  # real seconds that a leap waits for what is under way


def answer(cloud: Cloud, request: Request) -> Response:
    """404 for what is not in the table below, 400 for a body that does not fit."""
    found = _ROUTES.get((request.method, request.path.removeprefix(PREFIX).strip("/")))
    if found is None:
        known = sorted(f"{method} {PREFIX}{path}" for method, path in _ROUTES)
        return _json({"error": "unknown address", "known": known}, status=404)
    try:
        return _json(found(cloud, request))
    except (ValueError, TypeError, KeyError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, status=400)


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(
        status=status,
        headers=(("content-type", "application/json"),),
        body=json.dumps(value).encode(),
    )


def _health(cloud: Cloud, _request: Request) -> Any:
    hosts = sorted(name for host in cloud.hosts for name in host.names())
    return {"status": "ready", "endpoint": cloud.endpoint, "hosts": hosts}


def _clock(cloud: Cloud, _request: Request) -> Any:
    return {"now": cloud.clock.now(), "speed": cloud.clock.speed}


def _advance(cloud: Cloud, request: Request) -> Any:
    """`{"advance": seconds}`: what falls due meanwhile has happened when this answers, each at its
    moment.

    `{"speed": factor}`: goes on so many times faster than our time.
    """
    wanted = json.loads(request.body)
    seconds, speed = float(wanted.get("advance", 0)), float(wanted.get("speed", cloud.clock.speed))
    if not 0 <= seconds < math.inf or not 0 < speed < math.inf:
        raise ValueError("the clock goes forward only")
    _settle(cloud)
    cloud.clock.run(cloud.clock.now() + seconds)
    _settle(cloud)
    cloud.clock.hasten(speed)
    return _clock(cloud, request)


def _settle(cloud: Cloud) -> None:
    """What is under way is of the time before the leap: a line is read when it was said."""
    cloud.clock.timers.settle(_SETTLING)
    cloud.compute.settle(_SETTLING)


def _journal(cloud: Cloud, request: Request) -> Any:
    since = int(parse_qs(request.query).get("since", ["0"])[0])
    return {"last": cloud.journal.last, "calls": [
        dataclasses.asdict(entry) | {"write": entry.write}
        for entry in cloud.journal.entries(since=since)
    ]}  # fmt: skip


def _clear_journal(cloud: Cloud, _request: Request) -> Any:
    cloud.journal.clear()
    return {}


def _faults(cloud: Cloud, _request: Request) -> Any:
    return {"faults": cloud.faults.listed()}


def _add_faults(cloud: Cloud, request: Request) -> Any:
    """One fault, or a list of them, with the fields of `Fault`."""
    asked = json.loads(request.body)
    made = [Fault(**each) for each in (asked if isinstance(asked, list) else [asked])]
    for fault in made:
        cloud.faults.add(fault)
    return _faults(cloud, request)


def _clear_faults(cloud: Cloud, request: Request) -> Any:
    cloud.faults.clear()
    return _faults(cloud, request)


def _deny(cloud: Cloud, request: Request) -> Any:
    asked = json.loads(request.body)
    cloud.deny(asked["action"], principal=asked.get("principal", "*"))
    return {}


def _allow_again(cloud: Cloud, _request: Request) -> Any:
    cloud.permissions.clear()
    return {}


def _cloudfront(cloud: Cloud, _request: Request) -> Any:
    return cloud.cloudfront.inspect()


def _set_cloudfront(cloud: Cloud, request: Request) -> Any:
    return cloud.cloudfront.configure(json.loads(request.body))


def _cloudwatch(cloud: Cloud, _request: Request) -> Any:
    return cloud.cloudwatch.inspect()


def _set_cloudwatch(cloud: Cloud, request: Request) -> Any:
    return cloud.cloudwatch.configure(json.loads(request.body))


def _dns(cloud: Cloud, _request: Request) -> Any:
    return cloud.domains.inspect()


def _set_dns(cloud: Cloud, request: Request) -> Any:
    return cloud.domains.configure(json.loads(request.body))


def _reset(cloud: Cloud, _request: Request) -> Any:
    cloud.reset()
    return {}


_ROUTES: dict[tuple[str, str], Callable[[Cloud, Request], Any]] = {
    ("GET", "health"): _health,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _advance,
    ("GET", "journal"): _journal,
    ("DELETE", "journal"): _clear_journal,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "deny"): _deny,
    ("DELETE", "deny"): _allow_again,
    ("GET", "cloudfront"): _cloudfront,
    ("POST", "cloudfront"): _set_cloudfront,
    ("GET", "cloudwatch"): _cloudwatch,
    ("POST", "cloudwatch"): _set_cloudwatch,
    ("GET", "dns"): _dns,
    ("POST", "dns"): _set_dns,
    ("POST", "reset"): _reset,
}
