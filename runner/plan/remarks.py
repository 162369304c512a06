"""What `doctor` finds, one remark a thing that it looked at. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Topic(StrEnum):
    """What the remarks are about, in the order in which they are told."""

    CREDENTIALS = "credentials"
    ACCOUNT = "account"
    PERMISSIONS = "permissions"
    QUOTAS = "quotas"
    DRIFT = "drift"
    DOMAIN = "domain"
    OPEN = "open"
    RUNTIMES = "runtimes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing; if it `is_wrong`, the `hint` says how to put it right."""

    topic: Topic
    message: str
    is_wrong: bool = False
    hint: str = ""


def fine(topic: Topic, message: str) -> Remark:
    """Worth saying, and as it should be."""
    return Remark(topic=topic, message=message)


def wrong(topic: Topic, message: str, *, hint: str) -> Remark:
    """Somebody has to do something about it."""
    return Remark(topic=topic, message=message, is_wrong=True, hint=hint)
