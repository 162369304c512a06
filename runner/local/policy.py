"""Evaluates IAM's JSON policy documents: may this principal do this action on this resource?

Pure. Enough of the language for resource, trust and identity policies; no policy variables.
Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fnmatch import translate
from functools import lru_cache
from typing import Any

from runner.local.wire import Rule

Document = Mapping[str, Any]
Context = Mapping[str, str | Sequence[str]]

ANONYMOUS = "*"
"""The principal of an unsigned request."""

VERSIONS = ("2012-10-17", "2008-10-17")


class Decision(Enum):
    ALLOW = "allow"
    DENY = "deny"  # an explicit Deny: nothing overrules it
    NEITHER = "neither"  # an implicit deny, unless another policy allows


def allows(
    document: Document | str | bytes,
    *,
    principal: str = ANONYMOUS,
    action: str,
    resource: str,
    context: Context | None = None,
) -> bool:
    """Whether the document alone allows the request: some Allow matches and no Deny does.

    `principal` is an ARN, an account id or a service (`cloudfront.amazonaws.com`); `context` has
    condition keys as AWS writes them (`AWS:SourceArn`), in any case.
    """
    decided = decide(
        document, principal=principal, action=action, resource=resource, context=context
    )
    return decided is Decision.ALLOW


def decide(
    document: Document | str | bytes,
    *,
    principal: str = ANONYMOUS,
    action: str,
    resource: str,
    context: Context | None = None,
) -> Decision:
    """Like `allows`, but tells an explicit Deny from silence. Statements of identity policies
    name no principal: they match every one.
    """
    parsed = json.loads(document) if isinstance(document, str | bytes) else document
    lowered = {key.lower(): value for key, value in (context or {}).items()}
    effects = {
        statement.get("Effect")
        for statement in _listed(parsed.get("Statement", []))
        if _principal_matches(statement, principal)
        and _matches(statement, "Action", action, fold=True)
        and _matches(statement, "Resource", resource, fold=False)
        and conditions_hold(statement.get("Condition", {}), lowered)
    }
    if "Deny" in effects:
        return Decision.DENY
    return Decision.ALLOW if "Allow" in effects else Decision.NEITHER


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(statement: Document, element: str, value: str, *, fold: bool) -> bool:
    """`Action`, or its opposite `NotAction`; a trust policy has no `Resource` at all."""
    negated = f"Not{element}"
    if negated in statement:
        return not any(like(value, p, fold=fold) for p in _listed(statement[negated]))
    if element not in statement:
        return element == "Resource"
    return any(like(value, pattern, fold=fold) for pattern in _listed(statement[element]))


def _principal_matches(statement: Document, principal: str) -> bool:
    if "NotPrincipal" in statement:
        return not _named(statement["NotPrincipal"], principal)
    return "Principal" not in statement or _named(statement["Principal"], principal)


def _named(wanted: Any, principal: str) -> bool:
    if wanted == "*":
        return True
    return any(
        _is_principal(name, principal) for names in wanted.values() for name in _listed(names)
    )


def _is_principal(name: str, principal: str) -> bool:
    """An account's root, or its bare id, stands for every principal of the account."""
    if name in ("*", principal):
        return True
    account = re.fullmatch(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?", name)
    theirs = re.match(r"arn:[^:]+:(?:iam|sts)::(\d{12}):", principal)
    return bool(account and theirs and account[1] == theirs[1])


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    # Only `*` and `?` are wild in policies; fnmatch also knows `[...]`.
    return re.compile(translate(pattern.replace("[", "[[]")), re.DOTALL)


def like(value: str, pattern: str, *, fold: bool = False) -> bool:
    """Wildcards `*` and `?`, as in actions, resources and `StringLike`."""
    if fold:
        value, pattern = value.lower(), pattern.lower()
    return value == pattern or bool(_pattern(pattern).match(value))


def _arn_like(value: str, pattern: str) -> bool:
    """Each of an ARN's six parts is compared on its own: a `*` does not cross a colon."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) == 6 and all(map(like, values, patterns))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda value, wanted: compare(float(value), float(wanted))


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda value, wanted: compare(_moment(value), _moment(wanted))


def _moment(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    return datetime.datetime.fromisoformat(text).timestamp()


def _in_network(value: str, network: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)


def _bool(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,  # the same as ArnLike, says the reference
    "ArnLike": _arn_like,
    "Bool": _bool,
    "BinaryEquals": operator.eq,
    "NumericEquals": _number(operator.eq),
    "NumericLessThan": _number(operator.lt),
    "NumericLessThanEquals": _number(operator.le),
    "NumericGreaterThan": _number(operator.gt),
    "NumericGreaterThanEquals": _number(operator.ge),
    "DateEquals": _date(operator.eq),
    "DateLessThan": _date(operator.lt),
    "DateLessThanEquals": _date(operator.le),
    "DateGreaterThan": _date(operator.gt),
    "DateGreaterThanEquals": _date(operator.ge),
    "IpAddress": _in_network,
}

# Source: IAM user guide, "IAM JSON policy elements: Condition operators", negated matching.
NEGATED: dict[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


def conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Every operator and every key must match; several wanted values are alternatives."""
    return all(
        _holds(name, context.get(key.lower()), [str(value) for value in _texts(wanted)])
        for name, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _texts(wanted: Any) -> list[str]:
    return ["true" if v is True else "false" if v is False else str(v) for v in _listed(wanted)]


def _holds(name: str, found: str | Sequence[str] | None, wanted: list[str]) -> bool:
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    if base == "Null":
        return (found is None) == (wanted == ["true"])
    if found is None:
        return rest.endswith("IfExists") or base in NEGATED or quantifier == "ForAllValues"
    values = [found] if isinstance(found, str) else list(found)
    every = all if quantifier == "ForAllValues" or base in NEGATED else any
    return every(_one_holds(base, value, wanted) for value in values)


def _one_holds(base: str, value: str, wanted: list[str]) -> bool:
    compare = OPERATORS.get(NEGATED.get(base, base))
    if compare is None:
        return False
    try:
        matched = any(compare(value, each) for each in wanted)
    except ValueError:  # a value that is no number, date or address matches nothing
        matched = False
    return matched != (base in NEGATED)


RULES: tuple[Rule, ...] = (
    Rule(
        service="iam",
        rule="policies: an explicit Deny wins, else some Allow must match principal, action, "
        "resource and every condition; nothing else is allowed",
        page='IAM user guide, "Policy evaluation logic"',
    ),
)
