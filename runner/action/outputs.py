"""The action's outputs, from what a command ended with. Pure; `action.yml` lists the same."""

from __future__ import annotations

from collections.abc import Mapping

from runner.report.text import Outcome

NAMES = (
    "url",
    "api-url",
    "release",
    "previous-release",
    "environment",
    "outcome",
    "deployment-id",
)


def outputs_of(outcome: Outcome) -> Mapping[str, str]:
    """All but `deployment-id`, which is GitHub's."""
    return {
        "url": outcome.url,
        "api-url": outcome.api_url,
        "release": outcome.release,
        "previous-release": outcome.previous,
        "environment": outcome.environment,
        "outcome": outcome.outcome,
    }
