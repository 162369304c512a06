"""One certificate of ACM, what proves its names, and what may be asked of one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.local.wire import AwsError

LIFE = 395 * 86_400.0  # seconds: 13 months
_MOST_NAMES = 10
_LONGEST_FIRST = 64
_MOST_TAGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """As it was last seen; `at` is when its status changed."""

    arn: str
    names: tuple[str, ...]
    created: float
    token: str
    status: str = "PENDING_VALIDATION"
    at: float = 0.0
    reason: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def proof(account: str, name: str) -> tuple[str, str]:
    """The record that proves `name`, and its value; the same in each certificate."""
    base = name.removeprefix("*.")
    made = hashlib.sha256(f"{account}:{base}".encode()).hexdigest()
    return f"_{made[:32]}.{base}", f"_{made[32:64]}.jfrzftwwjs.acm-validations.aws"


def region_of(found: Certificate) -> str:
    return found.arn.split(":")[3]


def check_names(names: tuple[str, ...]) -> None:
    if len(names[0]) > _LONGEST_FIRST:
        raise AwsError(
            "InvalidDomainValidationOptionsException",
            "The first domain name can be no longer than 64 characters.",
        )
    if len(names) > _MOST_NAMES:
        raise AwsError("LimitExceededException", "The certificate has too many domain names.")


def checked_tags(given: Sequence[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str]:
    tags = {**before, **{each["Key"]: each.get("Value", "") for each in given}}
    if len(tags) > _MOST_TAGS:
        raise AwsError("TooManyTagsException", "The certificate has too many tags.")
    return tags
