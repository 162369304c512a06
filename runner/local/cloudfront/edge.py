"""The data plane: visitors' requests to distributions, from the host to the answer."""

from __future__ import annotations

import email.utils
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from runner.local.cloudfront import admission, answers, chosen, events, ranges, response_headers
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.handlers import Handlers
from runner.local.cloudfront.log import EdgeLog
from runner.local.cloudfront.lookup import Lookup
from runner.local.cloudfront.origin import Origins
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.sites import Sites
from runner.local.cloudfront.visit import Found, Visit, begun
from runner.local.cloudwatch.traffic import EdgeRequest
from runner.local.edge_rules import EdgeFunctionError
from runner.local.wire import Request, Response

LOG = logging.getLogger("runner.local")

RULES = (
    *rule(
        guide("edge-function-restrictions-all"),
        "the viewer-response function runs on hits too, but not when the origin answered 400 or "
        "more, nor when the viewer-request function answered itself",
    ),
    *rule(
        guide("http-503-service-unavailable"),
        "a function that throws is 503 FunctionExecutionError, one that returns what CloudFront "
        "does not take is 502 FunctionValidationError",
    ),
    *rule(
        guide("DefaultRootObject"),
        "the default root object stands for / only, after the viewer-request function",
    ),
)

_POP = "LOC50-P1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What goes to the visitor, and the first word of X-Cache."""

    response: Response
    verdict: str
    age: int | None = None


class Edge:
    """Owns the distributions' hosts. `log` says what happened, `lookup.cache` what is stored;
    `counted` is told of every answer; `leads` says whether DNS leads a host here.
    """

    def __init__(
        self,
        account: Account,
        origins: Origins,
        log: EdgeLog,
        *,
        counted: Callable[[float, EdgeRequest], None] = lambda *_told: None,
        leads: Callable[[str], bool] = lambda _host: True,
    ) -> None:
        self._account = account
        self._counted = counted
        self._origins = origins
        self._sites = Sites(account, leads)
        self._handlers = Handlers(account)
        self.log = log
        self.lookup = Lookup(account, origins.fetch)

    def owns(self, host: str) -> bool:
        return self._sites.owns(host)

    def names(self) -> Iterable[str]:
        return self._sites.names()

    def handle(self, request: Request) -> Response:
        site = self._sites.find(request.host)
        behaviour = site.behaviour(request.path) if site else None
        refusal = admission.refused(request, site, behaviour)
        if refusal or site is None or behaviour is None:
            answer = _Answer(
                response=refusal or answers.page(403, answers.BAD_REQUEST), verdict="Error"
            )
            return self._sent(request, answer, site.id if site else "")
        visit = begun(request, site, behaviour, country=self._account.settings.country)
        try:
            answer = self._answered(visit)
        except EdgeFunctionError as error:
            LOG.warning("CloudFront function of %s: %s", site.id, error)
            page = answers.page(
                error.status, answers.FUNCTION, request_id=visit.id, detail=str(error)
            )
            answer = _Answer(response=page, verdict=error.code)
        return self._sent(request, answer, site.id, visit.id)

    def reset(self) -> None:
        self.lookup.cache.clear()
        self.log.clear()

    def close(self) -> None:
        self._origins.close()
        self._handlers.close()

    def _answered(self, visit: Visit) -> _Answer:
        changed = self._on_request(visit)
        if isinstance(changed, Response):
            return _Answer(response=changed, verdict="FunctionGeneratedResponse")
        return self._on_response(changed, self.lookup.find(_rooted(changed)))

    def _on_request(self, visit: Visit) -> Visit | Response:
        function = visit.behaviour.on_request
        if function is None:
            return visit
        event = events.request_event(visit.viewer, visit.context)
        outcome = self._handlers.run(function, event)
        if "statusCode" in outcome.value:
            return events.response_from(outcome.value)
        return replace(
            visit,
            request=events.request_from(event, outcome.value, visit.viewer),
            target=chosen.target_of(visit.target, outcome.origin, visit.site.origins),
        )

    def _on_response(self, visit: Visit, found: Found) -> _Answer:
        response = response_headers.applied(found.response, visit.behaviour.headers)
        response = _fitted(visit.viewer, response)
        function = visit.behaviour.on_response
        if function and found.origin_status < 400:
            event = events.response_event(visit.viewer, response, visit.context)
            value = self._handlers.run(function, event).value
            response = events.response_from(value, response)
        return _Answer(response=response, verdict=found.verdict, age=found.age)

    def _sent(
        self, request: Request, answer: _Answer, distribution: str, identity: str = ""
    ) -> Response:
        self.log.answered(distribution, answer.verdict, len(answer.response.body))
        if distribution:
            self._count(distribution, request, answer.response)
        return _signed(request, answer, identity, now=self._account.now())

    def _count(self, distribution: str, request: Request, response: Response) -> None:
        told = EdgeRequest(
            distribution=distribution,
            status=response.status,
            uploaded=len(request.body),
            downloaded=0 if request.method == "HEAD" else len(response.body),
        )
        self._counted(self._account.now(), told)


def _rooted(visit: Visit) -> Visit:
    if visit.request.path != "/" or not visit.site.root:
        return visit
    return replace(visit, request=replace(visit.request, path=f"/{visit.site.root}"))


def _fitted(viewer: Request, response: Response) -> Response:
    """304, a range, or the whole."""
    if ranges.unchanged(viewer, response):
        return ranges.not_modified(response)
    part = viewer.header("range") and response.parts is None
    return ranges.ranged(viewer, response) if part else response


_OWN = frozenset({"x-cache", "via", "x-amz-cf-pop", "x-amz-cf-id", "age"})


def _signed(request: Request, answer: _Answer, identity: str, *, now: float) -> Response:
    response = answer.response
    kept = [(name, value) for name, value in response.headers if name not in _OWN]
    names = {name for name, _ in kept}
    if "date" not in names:
        kept.append(("date", email.utils.formatdate(now, usegmt=True)))
    sized = response.parts is not None or response.status in (204, 304)
    if "content-length" not in names and not sized:
        kept.append(("content-length", str(len(response.body))))
    kept += [
        ("x-cache", f"{answer.verdict} from cloudfront"),
        ("via", "1.1 cloudfront.net (CloudFront)"),
        ("x-amz-cf-pop", _POP),
        ("x-amz-cf-id", identity),
    ]
    if answer.age is not None:
        kept.append(("age", str(answer.age)))
    body = b"" if request.method == "HEAD" or response.status in (204, 304) else response.body
    return replace(response, headers=tuple(kept), body=body)
