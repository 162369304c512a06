"""EventBridge's event patterns: are they well formed, and does an event match? Pure.

Source: EventBridge user guide, "Creating Amazon EventBridge event patterns", "Comparison operators
for use in event patterns".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

_LONGEST = 2048  # characters of a pattern: EventBridge user guide, "Amazon EventBridge quotas"
_COMPARED = {
    "=": lambda value, wanted: value == wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
}
_ABSENT = object()
_OR = "$or"
_BOUNDS = 5_000_000_000  # "numeric": from -5.0e9 to 5.0e9

Matcher = Callable[[Any], bool]
"""Whether one value of an event, or `_ABSENT`, is matched."""


def parse(text: str) -> dict[str, Any]:
    """Raises ValueError with what is wrong."""
    if len(text) > _LONGEST:
        raise ValueError("the pattern is too long")
    pattern = json.loads(text)
    if not isinstance(pattern, dict) or not pattern:
        raise ValueError("the pattern must be an object that is not empty")
    _check(pattern)
    return pattern


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Every field of the pattern must match; of a field's values one has to."""
    for name, wanted in pattern.items():
        if name == _OR and isinstance(wanted, list):
            if not any(matches(each, event) for each in wanted):
                return False
        elif not _field(wanted, event.get(name, _ABSENT) if isinstance(event, dict) else _ABSENT):
            return False
    return True


def _field(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        within = value if isinstance(value, list) else [value]
        return any(matches(wanted, each if isinstance(each, dict) else {}) for each in within)
    values = value if isinstance(value, list) else [value]
    return any(_matcher(each)(found) for each in wanted for found in values or [_ABSENT])


def _check(pattern: Mapping[str, Any]) -> None:
    for name, wanted in pattern.items():
        if name == _OR and isinstance(wanted, list):
            _check_or(wanted)
        elif isinstance(wanted, dict):
            if not wanted:
                raise ValueError(f"{name} must not be an empty object")
            _check(wanted)
        elif isinstance(wanted, list):
            if not wanted:
                raise ValueError(f"{name} must not be an empty array")
            for each in wanted:
                _matcher(each)
        else:
            raise ValueError(f'"{name}" must be an object or an array')


def _check_or(wanted: list[Any]) -> None:
    if len(wanted) < 2 or not all(isinstance(each, dict) and each for each in wanted):
        raise ValueError("$or takes two or more objects")
    for each in wanted:
        _check(each)


def _matcher(wanted: Any) -> Matcher:
    """Raises ValueError for an operator that EventBridge does not have."""
    if isinstance(wanted, str | int | float | None):
        return partial(_same, wanted)
    if not isinstance(wanted, dict) or len(wanted) != 1:
        raise ValueError("an operator stands alone in its object")
    ((operator, argument),) = wanted.items()
    made = _OPERATORS.get(operator)
    if made is None:
        raise ValueError(f"Unrecognized match type {operator}")
    return made(argument)


def _same(wanted: Any, value: Any) -> bool:
    """JSON's values: true is not 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _text(argument: Any, operator: str) -> str:
    if not isinstance(argument, str) or not argument:
        raise ValueError(f"{operator} takes a text that is not empty")
    return argument


def _prefix(argument: Any) -> Matcher:
    folded = _folding(argument)
    start = _text(argument if folded is None else folded, "prefix")
    if folded is None:
        return lambda value: isinstance(value, str) and value.startswith(start)
    return lambda value: isinstance(value, str) and value.lower().startswith(start.lower())


def _suffix(argument: Any) -> Matcher:
    folded = _folding(argument)
    end = _text(argument if folded is None else folded, "suffix")
    if folded is None:
        return lambda value: isinstance(value, str) and value.endswith(end)
    return lambda value: isinstance(value, str) and value.lower().endswith(end.lower())


def _folding(argument: Any) -> Any:
    if isinstance(argument, dict) and list(argument) == ["equals-ignore-case"]:
        return argument["equals-ignore-case"]
    return None


def _ignoring_case(argument: Any) -> Matcher:
    wanted = _text(argument, "equals-ignore-case").lower()
    return lambda value: isinstance(value, str) and value.lower() == wanted


def _wildcard(argument: Any) -> Matcher:
    pattern = _text(argument, "wildcard")
    if "**" in pattern:
        raise ValueError("Consecutive wildcard characters are not allowed")
    parts = re.split(r"(?<!\\)\*", pattern)
    plain = (re.escape(re.sub(r"\\(.)", r"\1", part)) for part in parts)
    compiled = re.compile(".*".join(plain), re.DOTALL)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _exists(argument: Any) -> Matcher:
    if argument is True or argument is False:
        return lambda value: (value is not _ABSENT) == argument
    raise ValueError("exists takes true or false")


def _numeric(argument: Any) -> Matcher:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise ValueError("numeric takes one or two comparisons")
    pairs = list(zip(argument[::2], argument[1::2], strict=True))
    for sign, bound in pairs:
        if sign not in _COMPARED or not _is_number(bound) or abs(bound) > _BOUNDS:
            raise ValueError("numeric takes =, <, <=, > or >= and a number")
    return lambda value: (
        _is_number(value) and all(_COMPARED[sign](value, bound) for sign, bound in pairs)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cidr(argument: Any) -> Matcher:
    network = ipaddress.ip_network(_text(argument, "cidr"), strict=False)

    def within(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return within


def _anything_but(argument: Any) -> Matcher:
    if isinstance(argument, dict):
        if len(argument) != 1 or next(iter(argument)) not in _NEGATABLE:
            raise ValueError("anything-but takes values, prefix, suffix, wildcard or ignore-case")
        ((operator, inner),) = argument.items()
        wanted = [{operator: each} for each in (inner if isinstance(inner, list) else [inner])]
    else:
        wanted = argument if isinstance(argument, list) else [argument]
    if not wanted:
        raise ValueError("anything-but takes at least one value")
    matchers = list(map(_matcher, wanted))
    return lambda value: value is not _ABSENT and not any(each(value) for each in matchers)


_NEGATABLE = ("prefix", "suffix", "wildcard", "equals-ignore-case")
_OPERATORS: dict[str, Callable[[Any], Matcher]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "exists": _exists,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
