"""Which visitors' requests CloudFront answers by itself, before any function runs. Pure."""

from __future__ import annotations

import ipaddress

from runner.local.cloudfront import answers
from runner.local.cloudfront.pages import guide, rule
from runner.local.cloudfront.view import Behaviour, Distribution
from runner.local.wire import Request, Response

RULES = (
    *rule(
        guide("RequestAndResponseBehaviorCustomOrigin"),
        "a GET with a body is 403; a request above 20,480 bytes or an address above 8,192 is 413",
    ),
    *rule(
        guide("DownloadDistValuesCacheBehavior"),
        "a method that the behaviour does not allow is 403; http is redirected (301) or refused "
        "(403) as the behaviour says; on the loopback interface http counts as https",
    ),
)

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_LONGEST_ADDRESS = 8_192
_LONGEST_REQUEST = 20_480


def refused(
    request: Request, site: Distribution | None, behaviour: Behaviour | None
) -> Response | None:
    """CloudFront's answer, if the request goes no further."""
    if site is None or not site.enabled or behaviour is None:
        return answers.page(403, answers.NOT_DEPLOYED)
    if request.method not in _METHODS:
        return answers.page(405, answers.BAD_REQUEST)
    if not encrypted(request):
        if behaviour.protocol == "redirect-to-https":
            return answers.redirect_to_https(request)
        if behaviour.protocol == "https-only":
            return answers.page(403, answers.BAD_REQUEST)
    if request.method not in behaviour.methods:
        return answers.page(403, answers.NOT_ALLOWED)
    if request.method == "GET" and request.body:
        return answers.page(403, answers.BAD_REQUEST)
    if _too_long(request):
        return answers.page(413, answers.BAD_REQUEST)
    return None


def encrypted(request: Request) -> bool:
    if request.scheme == "https":
        return True
    try:
        return ipaddress.ip_address(request.client).is_loopback
    except ValueError:
        return False


def _too_long(request: Request) -> bool:
    address = len(request.host) + len(request.path) + len(request.query) + len("https://?")
    headers = sum(len(name) + len(value) + 4 for name, value in request.headers)
    return address > _LONGEST_ADDRESS or address + headers > _LONGEST_REQUEST
