"""What a visitor gets, and how a function URL says it. Pure; runs inside entry's zip."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

from runner.entry.release import Content, Listed, Site

Pairs = tuple[tuple[str, str], ...]

_PIN_ATTRIBUTES = "Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax"  # as in response.js
PRIVATE = "private, no-store"
# The edge keeps a missing page for a minute, browsers do not.
MISSING = "public, max-age=0, s-maxage=60, must-revalidate"
# A function URL's answer has at most 6 MB, and base64 takes a third.
# Source: Lambda developer guide, "Lambda quotas", Invocation payload.
LARGEST = 4 * 1024 * 1024


class Answer(NamedTuple):
    """One response. `dependent`: more than release and path decided, so that nobody may keep it."""

    status: int
    headers: Pairs = ()
    body: bytes = b""
    release: str = ""
    dependent: bool = True

    @property
    def is_page(self) -> bool:
        """Whether a visitor who gets it sees the release: a document, or the site's 404 page."""
        return self.status in (404, 410) or dict(self.headers).get("x-jam-kind") == "document"


def moved(site: Site, status: int, where: str) -> Answer:
    """A redirect: it may carry one visitor's query, so it is nobody else's."""
    return Answer(status=status, headers=(("location", where),), release=site.release)


def plain(site: Site, status: int, text: str, *, dependent: bool = True) -> Answer:
    """A page of our own, for want of one of the site's."""
    page = f"<!doctype html><meta charset=utf-8><title>{text}</title><h1>{text}</h1>\n"
    return Answer(
        status=status,
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=page.encode(),
        release=site.release,
        dependent=dependent,
    )


def unavailable(site: Site) -> Answer:
    """The file exists but cannot be read just now; CloudFront keeps no 503 (error caching is 0)."""
    answer = plain(site, 503, "Temporarily unavailable")
    return Answer(
        status=answer.status,
        headers=(*answer.headers, ("retry-after", "2")),
        body=answer.body,
        release=answer.release,
    )


def served(site: Site, file: Listed, content: Content, *, status: int, dependent: bool) -> Answer:
    """A file of the site with its header rules."""
    rules = [(name.lower(), value) for name, value in site.headers_of(file)]
    own = [("content-type", file.content_type), ("etag", content.etag)]
    if status == 200:
        own += [("cache-control", file.cache_control), ("x-jam-kind", file.kind)]
    named = {name for name, _ in rules}
    return Answer(
        status=status,
        headers=(*(pair for pair in own if pair[0] not in named), *rules),
        body=content.body,
        release=site.release,
        dependent=dependent,
    )


def pinned(answer: Answer, rollout: str) -> Answer:
    """The answer to a draw with what pins its visitor: document and pin are one decision.

    The response function sets the cookie; CloudFront does not ask it for 400 and above.
    """
    told: Pairs = (("x-jam-rollout", rollout),)
    if answer.status >= 400:
        told = (("set-cookie", f"jam-pin={answer.release}.{rollout}; {_PIN_ATTRIBUTES}"),)
    return answer._replace(headers=(*answer.headers, *told))


def unchanged(answer: Answer, if_none_match: str) -> bool:
    """Whether the visitor has it already. Weakly compared: CloudFront's compression makes W/"…"."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    own = dict(answer.headers).get("etag", "")
    return answer.status == 200 and bool(own) and ("*" in tags or own in tags)


def payload(answer: Answer, method: str, if_none_match: str = "") -> dict[str, Any]:
    """The answer as a function URL wants it, payload format 2.0.

    Source: Lambda developer guide, "Invoking Lambda function URLs", Response payload format.
    """
    found = dict(_kept(answer))
    status, body = answer.status, answer.body
    if unchanged(answer, if_none_match):
        status, body = 304, b""
        found.pop("content-type", None)
    result: dict[str, Any] = {"statusCode": status, "headers": found, "isBase64Encoded": False}
    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    if cookies and status != 304:
        result["cookies"] = cookies
    if method == "HEAD" or not body:
        return result | {"body": ""}
    return result | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _kept(answer: Answer) -> Pairs:
    """The headers that are sent; of two with one name the last holds.

    The site's own cache rules are for its own files: they would keep an error as well.
    """
    headers = [pair for pair in answer.headers if pair[0] != "set-cookie"]
    if answer.dependent or answer.status != 200:
        headers.append(("cache-control", PRIVATE if answer.dependent else MISSING))
    if answer.release:
        headers.append(("x-jam-release", answer.release))
    return tuple(headers)
