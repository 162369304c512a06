"""Where a request goes after its function changed the origin. Pure.

Raises EdgeFunctionError for a choice that CloudFront refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from runner.local.cloudfront.origin_checks import S3_DOMAIN
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Group, Origin, Signing, Target
from runner.local.edge_rules import EdgeFunctionError

RULES = rule(
    guide("helper-functions-origin-modification"),
    "selectRequestOriginById and createRequestOriginGroup name origins of the distribution; a "
    "group has two members and replaces the behaviour's own, status codes included",
    "updateRequestOrigin inherits what it leaves out, custom headers included, and changes the "
    "primary origin only where the behaviour has a group",
)

_HOST = re.compile(r"[A-Za-z0-9.-]+")


def target_of(
    target: Target, choices: Iterable[tuple[str, Any]], origins: Mapping[str, Origin]
) -> Target:
    """`target` is the behaviour's; each choice is `(method, argument)`, applied in order."""
    for method, argument in choices:
        if method == "selectRequestOriginById":
            target = _named(argument, origins)
        elif method == "createRequestOriginGroup":
            target = _group(argument, origins)
        else:
            target = _updated(target, argument)
    return target


def _named(argument: Any, origins: Mapping[str, Origin]) -> Origin:
    name = argument.get("originId") if isinstance(argument, dict) else argument
    if not isinstance(name, str) or name not in origins:
        raise EdgeFunctionError.validation(f"there is no origin {name!r}")
    return origins[name]


def _group(argument: Any, origins: Mapping[str, Origin]) -> Group:
    try:
        members = tuple(_named(each, origins) for each in argument["originIds"])
        statuses = frozenset(int(code) for code in argument["failoverCriteria"]["statusCodes"])
    except (KeyError, TypeError, ValueError) as error:
        raise EdgeFunctionError.validation(f"the origin group is not valid: {error}") from error
    if len(members) != 2 or not statuses:
        raise EdgeFunctionError.validation("an origin group has two origins and status codes")
    if any(
        isinstance(each, dict) and each.get("originOverrides") for each in argument["originIds"]
    ):
        raise EdgeFunctionError.validation("originOverrides are not emulated")
    return Group(members=members, statuses=statuses)


def _updated(target: Target, argument: Any) -> Target:
    if not isinstance(argument, dict):
        raise EdgeFunctionError.validation("updateRequestOrigin takes an object")
    if isinstance(target, Group):
        primary, *others = target.members
        return replace(target, members=(_changed(primary, argument), *others))
    return _changed(target, argument)


def _changed(origin: Origin, argument: dict[str, Any]) -> Origin:
    domain = argument.get("domainName", origin.domain)
    if not isinstance(domain, str) or not _HOST.fullmatch(domain):
        raise EdgeFunctionError.validation("domainName is not valid")
    signing = _signing(origin.signing, argument.get("originAccessControlConfig"))
    if argument.get("hostHeader") and signing:
        raise EdgeFunctionError.validation("hostHeader cannot go with an origin access control")
    timeouts = argument.get("timeouts") or {}
    headers = argument.get("customHeaders")
    found = S3_DOMAIN.fullmatch(domain)
    return replace(
        origin,
        domain=domain,
        bucket=found["bucket"] if found else "",
        path=argument.get("originPath", origin.path),
        headers=origin.headers if headers is None else tuple(headers.items()),
        signing=signing,
        attempts=argument.get("connectionAttempts", origin.attempts),
        connect_seconds=timeouts.get("connectionTimeout", origin.connect_seconds),
        read_seconds=timeouts.get("readTimeout", origin.read_seconds),
    )


def _signing(inherited: Signing | None, given: dict[str, Any] | None) -> Signing | None:
    if given is None:
        return inherited
    if not given.get("enabled"):
        return None
    return Signing(
        behaviour=given.get("signingBehavior", "always"), kind=given.get("originType", "s3")
    )
