"""One request on its way through an edge: what is known of it at each stage. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from runner.local.cloudfront.admission import encrypted
from runner.local.cloudfront.events import Context
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Behaviour, Distribution, Pairs, Target
from runner.local.wire import Request, Response

RULES = rule(
    guide("adding-cloudfront-headers"),
    "CloudFront-* headers are CloudFront's: a visitor's are dropped; CloudFront-Viewer-Country, "
    "-Viewer-Address, -Forwarded-Proto, -Is-Mobile-Viewer and -Is-Desktop-Viewer are added where a "
    "policy names them",
)

COUNTRY_HEADER = "x-jam-test-country"
"""A test's way to come from somewhere; it goes no further than the edge."""

_PREFIX = "cloudfront-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`request` is what goes on: the visitor's, later what the function made of it."""

    id: str
    site: Distribution
    behaviour: Behaviour
    viewer: Request  # as the visitor sent it, with CloudFront's own headers
    request: Request
    target: Target

    @property
    def context(self) -> Context:
        return Context(
            distribution=self.site.id,
            domain=self.site.domain,
            request_id=self.id,
            client=self.viewer.client,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A response and where it came from. `origin_status` is the origin's own."""

    response: Response
    verdict: str  # Hit | Miss | RefreshHit | Error
    origin_status: int
    age: int | None = None


def begun(request: Request, site: Distribution, behaviour: Behaviour, *, country: str) -> Visit:
    viewer = replace(request, headers=_with_own(request, behaviour, country=country))
    return Visit(
        id=f"{secrets.token_urlsafe(40)}==", site=site, behaviour=behaviour,
        viewer=viewer, request=viewer, target=behaviour.target,
    )  # fmt: skip


def _with_own(request: Request, behaviour: Behaviour, *, country: str) -> Pairs:
    kept = tuple(
        (name, value)
        for name, value in request.headers
        if not name.startswith(_PREFIX) and name != COUNTRY_HEADER
    )
    named = behaviour.cache.headers.own | behaviour.forward.headers.own
    if not named:
        return kept
    mobile = "Mobi" in request.header("user-agent")
    own = {
        "cloudfront-viewer-country": request.header(COUNTRY_HEADER, country),
        "cloudfront-viewer-address": f"{request.client}:443",
        "cloudfront-forwarded-proto": "https" if encrypted(request) else "http",
        "cloudfront-is-mobile-viewer": str(mobile).lower(),
        "cloudfront-is-desktop-viewer": str(not mobile).lower(),
    }
    return (*kept, *((name, value) for name, value in own.items() if name in named))
