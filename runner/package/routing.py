"""What the router must know of a release, within the few bytes that it has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from runner.model import File, Redirect, Routing
from runner.package.content import is_document
from runner.package.manifest import compact, routing_text
from runner.paths import INDEX, key_of

SEGMENTS = 200  # bytes of JSON for the first segments that an SPA does not answer
# Twice ROUTING (live's and a candidate's) and the rollout's own members are one value of 1,024
# bytes. Source: CloudFront developer guide, "Quotas", Quotas on CloudFront Functions.
WHOLE = 500
SPA_RULE = Redirect(source="/*", target="/index.html", status=200)


def with_spa_rule(redirects: tuple[Redirect, ...], spa: bool | None) -> tuple[Redirect, ...]:
    """The rules, and the fallback last if it is wished for and not written."""
    if spa and not any(is_spa_rule(it) for it in redirects):
        return (*redirects, SPA_RULE)
    return redirects


def is_spa_rule(rule: Redirect) -> bool:
    """Whether the rule sends all paths without a file to the start document."""
    everything = rule.source == "/*" and rule.status == 200 and key_of(rule.target) == INDEX
    return everything and not (rule.force or is_conditional(rule))


def is_conditional(rule: Redirect) -> bool:
    """Whether the rule holds for some visitors only."""
    return bool(rule.query or rule.countries or rule.languages)


def routing(
    files: Iterable[File],
    *,
    redirects: tuple[Redirect, ...],
    api_stage: str,
    patterns: tuple[str, ...],
    headers: str,
    spa: bool | None,
) -> Routing:
    """ROUTING of a release; an SPA whose exceptions do not fit is left to entry.

    Entry answers by the rules themselves, so nothing but speed is lost.
    """
    plain = Routing(api_stage=api_stage, immutable=patterns, headers=headers)
    start = any(it.key == INDEX for it in files)
    if spa is False or not start or not any(is_spa_rule(it) for it in redirects):
        return plain
    segments = _exceptions(files, redirects)
    if segments is None or len(compact(list(segments)).encode()) > SEGMENTS:
        return plain
    whole = Routing(
        api_stage=api_stage,
        immutable=patterns,
        headers=headers,
        spa=True,
        except_below=segments,
    )
    return whole if len(routing_text(whole).encode()) <= WHOLE else plain


def _exceptions(files: Iterable[File], redirects: tuple[Redirect, ...]) -> tuple[str, ...] | None:
    """First segments, as in keys, of all other pages and rules; None if a rule may match any."""
    bare = (it for it in files if is_document(it.path) or "." not in it.path.rsplit("/", 1)[-1])
    segments = {it.key.split("/")[0] for it in bare if it.key != INDEX}
    for rule in redirects:
        if is_spa_rule(rule):
            break  # what stands below is never reached
        first = rule.source.removeprefix("/").split("/")[0]
        if first.startswith(":") or "*" in first or not rule.source.startswith("/"):
            return None
        if first:
            segments.add(key_of(unquote(first)).split("/")[0])
    return tuple(sorted(segments))
