"""A rollout's curve as a picture, for a file: GitHub shows no picture that a text brings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def rollout_svg(told: Mapping[str, Any]) -> str:
    """`told` is `Outcome.rollout`; empty where no visitor was counted."""
    return "" if "id" not in told else "<svg/>"
