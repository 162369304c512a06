"""Conditional and range requests, as S3 and CloudFront both answer them. Pure."""

from __future__ import annotations

import email.utils
import re

from runner.local.cloudfront.pages import guide, rule
from runner.local.wire import Request, Response

RULES = (
    *rule(
        guide("RangeGETs"),
        "a range of an object in the cache is served from it; ranges that overlap, fall or make "
        "no sense get the whole object",
    ),
    *rule(
        guide("RequestAndResponseBehaviorCustomOrigin"),
        "If-None-Match (compared weakly) and If-Modified-Since are answered with 304",
    ),
)

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# Headers that a 304 keeps. Source: RFC 9110, section 15.4.5; metadata is ours to check live.
_BODY_HEADERS = frozenset({"content-length", "content-type", "content-encoding", "content-range"})


def unchanged(request: Request, response: Response) -> bool:
    """Whether the visitor's copy is still good."""
    if response.status != 200 or request.method not in ("GET", "HEAD"):
        return False
    wanted = request.header("if-none-match")
    if wanted:
        tag = response.header("etag")
        offered = {strong(each.strip()) for each in wanted.split(",")}
        return wanted.strip() == "*" or (bool(tag) and strong(tag) in offered)
    since, modified = request.header("if-modified-since"), response.header("last-modified")
    return bool(since and modified) and _seconds(modified) <= _seconds(since, -1.0)


def strong(tag: str) -> str:
    return tag.removeprefix("W/")


def _seconds(date: str, wrong: float = float("inf")) -> float:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return wrong


def not_modified(response: Response) -> Response:
    kept = tuple((k, v) for k, v in response.headers if k not in _BODY_HEADERS)
    return Response(status=304, headers=kept)


def ranged(request: Request, response: Response) -> Response:
    """The part that `Range` asks for: 206, 416, or the whole response."""
    if response.status != 200 or request.method != "GET" or not _applies(request, response):
        return response
    found = _RANGE.fullmatch(request.header("range").strip())
    if found is None or not (found[1] or found[2]):
        return response
    size = len(response.body)
    first, last = _bounds(found[1], found[2], size)
    if first > last and found[1] and found[2] and int(found[1]) > int(found[2]):
        return response
    if first >= size or first > last:
        return _unsatisfiable(response, size)
    return _part(response, first, last)


def _applies(request: Request, response: Response) -> bool:
    condition = request.header("if-range")
    if not condition:
        return True
    return condition in (response.header("etag"), response.header("last-modified"))


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(size - int(last), 0), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1


def _part(response: Response, first: int, last: int) -> Response:
    size = len(response.body)
    kept = tuple(
        (k, v) for k, v in response.headers if k not in ("content-length", "content-range")
    )
    return Response(
        status=206,
        headers=(
            *kept,
            ("content-range", f"bytes {first}-{last}/{size}"),
            ("content-length", str(last - first + 1)),
        ),
        body=response.body[first : last + 1],
    )


def _unsatisfiable(response: Response, size: int) -> Response:
    kept = tuple((k, v) for k, v in response.headers if k not in _BODY_HEADERS)
    return Response(status=416, headers=(*kept, ("content-range", f"bytes */{size}")))
