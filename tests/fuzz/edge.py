"""CloudFront as a model: which behaviour, the programs at the edge, cache key, origins, answer.

Key, forwarding and failover are read from the very configuration that a deploy sends
(runner/aws/delivery.py), so that a change there is attacked as well. Nothing is ever taken from a
cache: what each visitor would be given by the origin is what the promises compare.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from runner.aws import delivery
from runner.edge import response_code, router_code
from runner.entry.counts import Counts
from runner.entry.entry import Entry
from runner.local.cloudfront.freshness import lifetime
from runner.local.cloudfront.view import CacheRules, ErrorRule, Selection, normalised
from runner.local.edge_rules import EdgeFunctionError
from runner.local.javascript import EdgeFunction, Outcome
from runner.local.wire import Response
from tests.fuzz.attacked import HOSTS, NAMES, NOW, State, attacked
from tests.fuzz.visitors import Visitor

REQUEST_ID = "R3qu-st_1d=="
_CACHE = delivery.cache_policy()
_FORWARD = delivery.forward_policy()
_KEY_HEADERS = frozenset(
    each.lower()
    for each in _CACHE["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"][
        "Items"
    ]
)
_HEADERS = _KEY_HEADERS | {each.lower() for each in _FORWARD["HeadersConfig"]["Headers"]["Items"]}
_COOKIES = frozenset(_FORWARD["CookiesConfig"]["Cookies"]["Items"])
_RULES = CacheRules(
    minimum=_CACHE["MinTTL"],
    default=_CACHE["DefaultTTL"],
    maximum=_CACHE["MaxTTL"],
    gzip=True,
    brotli=True,
    headers=Selection(names=_KEY_HEADERS),
    cookies=Selection(),
    queries=Selection(),
)
_ERRORS = {code: ErrorRule(page="", status=code, seconds=0.0) for code in delivery.UNCACHED_ERRORS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an origin gave, or a program: header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    body: bytes = b""

    @property
    def seconds(self) -> float | None:
        """How long CloudFront keeps it; None: not at all."""
        whole = Response(status=self.status, headers=tuple(self.headers.items()), body=self.body)
        return lifetime(whole, _RULES, errors=_ERRORS, now=float(NOW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One visitor's way: `routed` is what the router made, `asked` the origins in order.

    `given` is what the first origin that did not fail said, `shown` what the visitor gets; both
    are None for a call of a function, whose answer is nobody else's.
    """

    visitor: Visitor
    routed: Mapping[str, Any]
    asked: tuple[str, ...] = ()
    given: Answer | None = None
    shown: Answer | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two requests one object of the cache."""
        headers = self.routed["headers"]
        named = (headers.get(name, {}).get("value", "") for name in sorted(_KEY_HEADERS))
        tier = "previews" if self.visitor.is_preview else "production"
        return (tier, self.routed["uri"], *named)


class Edge:
    """Production's or the previews' programs, and the origins behind them."""

    def __init__(
        self, *, previews: bool, router: str = "", response: str = "", entry: type[Entry] = Entry
    ) -> None:
        self._store: Mapping[str, str] = {}
        self._previews = previews
        self._entry = entry
        code = router or router_code(() if previews else HOSTS, previews=previews)
        self._router = self._program(code)
        self._response = self._program(response or response_code(previews=previews))
        self._entries: dict[str, Entry] = {}

    def _program(self, code: str) -> EdgeFunction:
        return EdgeFunction(code, lambda: self._store, clock=lambda: float(NOW))

    def visits(self, visitors: Sequence[Visitor]) -> list[Journey | EdgeFunctionError]:
        """All at one moment of the site, in two trips to the engine."""
        self._store = visitors[0].state.store
        outcomes = self._router.invoke_all([_event(each) for each in visitors])
        begun = [
            outcome if isinstance(outcome, EdgeFunctionError) else self._routed(visitor, outcome)
            for visitor, outcome in zip(visitors, outcomes, strict=True)
        ]
        return self._shown(begun)

    def _routed(self, visitor: Visitor, outcome: Outcome) -> Journey:
        routed = outcome.value
        if "statusCode" in routed:
            return Journey(visitor=visitor, routed=routed, shown=_generated(routed))
        if is_call(visitor.uri):
            return Journey(visitor=visitor, routed=routed, asked=_chosen(["api"], outcome.origin))
        asked = _chosen([delivery.FILES, delivery.ENTRY], outcome.origin)
        given = self._fetched(asked, visitor, routed)
        return Journey(visitor=visitor, routed=routed, asked=asked, given=given, shown=given)

    def _shown(self, begun: list[Journey | EdgeFunctionError]) -> list[Journey | EdgeFunctionError]:
        """What visitors get where CloudFront asks the response function: below 400."""
        made = list(begun)
        asking = [
            (place, each, each.given)
            for place, each in enumerate(begun)
            if isinstance(each, Journey) and each.given and each.given.status < 400
        ]
        events = [_response_event(_event(each.visitor), given) for _, each, given in asking]
        outcomes = self._response.invoke_all(events) if events else []
        for (place, each, given), outcome in zip(asking, outcomes, strict=True):
            made[place] = (
                outcome
                if isinstance(outcome, EdgeFunctionError)
                else replace(each, shown=_generated(outcome.value, body=given.body))
            )
        return made

    def _fetched(
        self, asked: tuple[str, ...], visitor: Visitor, routed: Mapping[str, Any]
    ) -> Answer:
        answer = Answer(status=502)
        for origin in asked:
            if origin == delivery.FILES:
                answer = self._file(visitor, routed)
            elif origin == delivery.ENTRY:
                answer = self._page(visitor, routed)
            else:
                answer = Answer(status=401)  # the API, without the key that its own origin adds
            if answer.status not in delivery.FAILOVER:
                break
        return answer

    @property
    def _prefix(self) -> str:
        return NAMES.previews.objects if self._previews else NAMES.objects

    def _file(self, visitor: Visitor, routed: Mapping[str, Any]) -> Answer:
        """S3: the origin's path and the request's, decoded once, are the key."""
        if visitor.state.broken:
            return Answer(status=503)
        if visitor.method not in ("GET", "HEAD"):
            return Answer(status=403)
        key = unquote(f"{self._prefix}{routed['uri']}", errors="surrogateescape")
        found = attacked().objects.get(key)
        if found is None:
            return Answer(status=404, body=b"NoSuchKey")
        return Answer(status=200, headers=found.headers, body=found.body)

    def _page(self, visitor: Visitor, routed: Mapping[str, Any]) -> Answer:
        fields, cookies = routed["headers"], routed.get("cookies", {})
        event = {
            "rawPath": routed["uri"],
            "headers": {
                **{name: each["value"] for name, each in fields.items() if name in _HEADERS},
                "cloudfront-viewer-country": visitor.country.upper(),
            },
            "cookies": [
                f"{name}={each['value']}" for name, each in cookies.items() if name in _COOKIES
            ],
            "requestContext": {"http": {"method": visitor.method}, "timeEpoch": NOW * 1000},
        }
        told = self._entry_of(visitor.state)(event)
        raw = told.get("body", "")
        return Answer(
            status=told["statusCode"],
            headers=told["headers"],
            cookies=tuple(told.get("cookies", ())),
            body=base64.b64decode(raw) if told.get("isBase64Encoded") else raw.encode(),
        )

    def _entry_of(self, state: State) -> Entry:
        if state.own not in self._entries:
            self._entries[state.own] = self._entry(
                attacked().sites[state.own],
                lambda key: attacked().fetch(self._prefix, key),
                Counts("fuzz", lambda _line: None),
            )
        return self._entries[state.own]


def is_call(path: str) -> bool:
    """Whether the behaviour of functions gets it: CloudFront matches what RFC 3986 makes of it,
    and hands on what was sent.

    Source: CloudFront developer guide, "Cache behavior settings", Path normalization.
    """
    return normalised(path).startswith("/.functions/")


def _chosen(default: list[str], calls: tuple[tuple[str, Any], ...]) -> tuple[str, ...]:
    chosen = default
    for method, told in calls:
        if method == "selectRequestOriginById":
            chosen = [told]
        elif method == "createRequestOriginGroup":
            chosen = [each["originId"] for each in told["originIds"]]
        elif method == "updateRequestOrigin":  # of a group the first alone
            chosen = [told["domainName"], *chosen[1:]]
    return tuple(chosen)


def _event(visitor: Visitor) -> dict[str, Any]:
    query: dict[str, Any] = {}
    for name, value in visitor.query:
        if name in query:
            several = query[name].setdefault("multiValue", [{"value": query[name]["value"]}])
            several.append({"value": value})
        else:
            query[name] = {"value": value}
    headers = {"host": visitor.host, **dict(visitor.headers)}
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request", "requestId": REQUEST_ID},
        "viewer": {"ip": "198.51.100.1"},
        "request": {
            "method": visitor.method,
            "uri": visitor.uri,
            "querystring": query,
            "headers": {name: {"value": value} for name, value in headers.items()},
            "cookies": {name: {"value": value} for name, value in visitor.cookies},
        },
    }


def _response_event(request: dict[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        **request,
        "context": {**request["context"], "eventType": "viewer-response"},
        "response": {
            "statusCode": answer.status,
            "headers": {name: {"value": value} for name, value in answer.headers.items()},
            "cookies": {
                each.split("=", 1)[0]: {"value": each.split("=", 1)[1].split(";")[0]}
                for each in answer.cookies
            },
        },
    }


def _generated(value: Mapping[str, Any], *, body: bytes = b"") -> Answer:
    cookies = value.get("cookies") or {}
    return Answer(
        status=value["statusCode"],
        headers={name: each["value"] for name, each in (value.get("headers") or {}).items()},
        cookies=tuple(
            f"{name}={each['value']}; {each.get('attributes', '')}"
            for name, each in cookies.items()
        ),
        body=value["body"].encode() if isinstance(value.get("body"), str) else body,
    )
