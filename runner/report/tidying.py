"""What audit, destroy and gc tell: as text for people, as a document for programs. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from runner.audit import Audit
from runner.aws.bootstrap import STACK
from runner.clearing import Cleared
from runner.collect import Collected
from runner.destroy import Doomed
from runner.plan.inventory import Thing


def audit_document(found: Audit) -> dict[str, Any]:
    return {
        "site": found.site,
        "account": found.account,
        "region": found.region,
        "resources": [
            {**_thing(each.thing), "explained_by": each.by or None} for each in found.found
        ],
        "unexplained": len(found.unexplained),
    }


def audit_text(found: Audit) -> str:
    """Grouped by what explains; what nothing explains comes last."""
    ordered = sorted(found.found, key=lambda each: (not each.by, each.by))
    lines: list[str] = []
    for by, some in groupby(ordered, key=lambda each: each.by):
        lines.append(by or "UNEXPLAINED")
        lines += [f"  {_named(each.thing)}" for each in some]
    count = len(found.unexplained)
    told = f"{count} of them unexplained" if count else "every one explained"
    return "\n".join([*lines, f"{found.site}: {len(found.found)} resources, {told}"])


def unexplained_hint() -> str:
    return (
        "`jam-deploy gc` collects what killed runs left; what no command of ours made has to be "
        "deleted by hand, or renamed."
    )


def removed_document(
    site: str, environment: str, removed: tuple[str, ...], left: tuple[Thing, ...]
) -> dict[str, Any]:
    return {
        "site": site,
        "environment": environment or None,
        "outcome": "removed" if removed else "unchanged",
        "removed": list(removed),
        "left": [_thing(each) for each in left],
    }


def removed_text(site: str, removed: tuple[str, ...], left: tuple[Thing, ...]) -> str:
    lines = [f"removed {each}" for each in removed]
    lines += [f"left {_named(each)}" for each in left]
    count = len(removed)
    return "\n".join([*lines, f"{site}: {count} removed" if count else f"{site}: nothing to do"])


def stack_hint(site: str, doomed: Doomed, *, region: str) -> str:
    """After the last of a site: what `bootstrap` made is of the account, and removed by hand, once
    no other site needs it. Empty where it is gone."""
    if not doomed.bootstrapped:
        return ""
    if standing := ", ".join(sorted(doomed.ledger.sites - {site})):
        return f"The stack {STACK} and what sites share stay, for {standing}."
    remove = f"aws cloudformation delete-stack --stack-name {STACK} --region {region}"
    return f"The stack {STACK} stays for the next site. To remove it, too: {remove}"


def collected_document(
    site: str, collected: Collected, previews: Cleared | None = None
) -> dict[str, Any]:
    more = previews or Cleared()
    removed = [*(each.environment for each, _ in more.gone), *more.removed, *collected.removed]
    return {
        "site": site,
        "outcome": "removed" if removed or collected.expired else "unchanged",
        "previews": [{"environment": each.environment, "why": why} for each, why in more.gone],
        "busy": list(more.busy),
        "removed": removed,
        "expired": list(collected.expired),
        "why_not": collected.why_not or None,
    }


def collected_text(site: str, collected: Collected, previews: Cleared | None = None) -> str:
    more = previews or Cleared()
    lines = [f"removed preview {each.environment}: {why}" for each, why in more.gone]
    lines += [f"left preview {each}: a run is at it" for each in more.busy]
    lines += [f"removed {each}" for each in (*more.removed, *collected.removed)]
    lines += [
        f"expired release {each[:8]}: its files go once no visitor can be pinned to it"
        for each in collected.expired
    ]
    if collected.why_not:
        lines.append(collected.why_not)
    count = len(more.gone) + len(more.removed) + len(collected.removed)
    return "\n".join([*lines, f"{site}: {count} removed"])


def _thing(thing: Thing) -> dict[str, Any]:
    return {
        "kind": str(thing.kind),
        "name": thing.name,
        "of": thing.of or None,
        "site": thing.site or None,
        "environment": thing.environment or None,
    }


def _named(thing: Thing) -> str:
    return f"{thing.kind} {thing.name}"
