"""How late data shows: what AWS leaves open, chosen near what is seen, changed by tests."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True, kw_only=True)
class Settings:
    """All in cloud seconds.

    `delay` passes from PutMetricData, or from a log line, until a data point can be read;
    `service_delay` from the end of the minute that a service of AWS's counted;
    `listed_after` from a metric's first data point until ListMetrics has it.
    Source: CloudWatch API reference, PutMetricData, ListMetrics ("up to 15 minutes"); Lambda
    developer guide, "Types of metrics for Lambda functions" (one-minute intervals).
    """

    delay: float = 5.0
    service_delay: float = 15.0
    listed_after: float = 900.0

    def change(self, wanted: dict[str, Any]) -> dict[str, float]:
        """The admin API's body: some of the fields. Raises KeyError and ValueError."""
        known = {field.name for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise KeyError(name)
            if not 0 <= float(value) < float("inf"):
                raise ValueError(f"{name} is a number of seconds")
        for name, value in wanted.items():
            setattr(self, name, float(value))
        return self.shown()

    def shown(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
