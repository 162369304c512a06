"""Token buckets of routes, on the cloud's clock.

AWS's limits are targets; these are exact. Source: API Gateway developer guide, "Throttle requests
to your HTTP APIs for better throughput in API Gateway".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from runner.local.compute.http_api.refusals import bad
from runner.local.compute.http_api.store import Settings
from runner.local.quotas import API_BURST, API_RATE

_EXECUTION_LOGS = ("DataTraceEnabled", "LoggingLevel")


class Buckets:
    """Of each key: the requests that may still come, and when that was counted."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._left: dict[tuple[str, ...], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: tuple[str, ...], settings: Settings) -> bool:
        """Whether one more request is let through; always without limits."""
        rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
        if rate is None and burst is None:
            return True
        most = float(API_BURST.limit if burst is None else burst)
        refill = float(API_RATE.limit if rate is None else rate)
        with self._lock:
            now = self._now()
            left, at = self._left.get(key, (most, now))
            left = min(most, left + (now - at) * refill)
            self._left[key] = (left - 1 if left >= 1 else left, now)
        return left >= 1


def limits_of(settings: Settings, key: str) -> Settings:
    """A route's own settings over the stage's."""
    found: Settings = {
        **(settings.get("DefaultRouteSettings") or {}),
        **((settings.get("RouteSettings") or {}).get(key) or {}),
    }
    return found


def check_route_settings(given: dict[str, Any], routes: frozenset[str]) -> None:
    """Raises what API Gateway would for a stage's settings of routes."""
    named = given.get("RouteSettings") or {}
    for key in named:
        if key not in routes:
            raise bad(f"Unable to find Route by key {key} within the provided RouteSettings")
    for one in (given.get("DefaultRouteSettings") or {}, *named.values()):
        if any(one.get(name) for name in _EXECUTION_LOGS):
            raise bad("Execution logs are not supported on protocolType HTTP")
        for name, most in (("ThrottlingRateLimit", API_RATE), ("ThrottlingBurstLimit", API_BURST)):
            if not 0 <= one.get(name, 0) <= most.limit:
                raise bad(f"{name} must lie between 0 and the account's {most.limit}")
