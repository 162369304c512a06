"""CORS as HTTP APIs do it: they answer preflights themselves and overrule the function's headers.

Pure. Source: API Gateway developer guide, "Configure CORS for HTTP APIs in API Gateway".
"""

from __future__ import annotations

from runner.local.compute.http_api.refusals import bad
from runner.local.compute.http_api.store import Api, Settings
from runner.local.wire import Request, Response

_NAMES = ("access-control-allow-", "access-control-expose-", "access-control-max-age")


def preflight(api: Api, request: Request) -> Response | None:
    """The answer to a preflight, also where no OPTIONS route exists: it has both headers."""
    settings = api.settings.get("CorsConfiguration")
    asked = request.header("origin") and request.header("access-control-request-method")
    if not settings or request.method != "OPTIONS" or not asked:
        return None
    return Response(status=204, headers=_headers(settings, request))


def with_headers(api: Api, request: Request, response: Response) -> Response:
    """With CORS configured, only the configuration's headers count."""
    settings = api.settings.get("CorsConfiguration")
    if not settings:
        return response
    kept = tuple(pair for pair in response.headers if not pair[0].startswith(_NAMES))
    return Response(
        status=response.status, headers=kept + _headers(settings, request), body=response.body
    )


def check_cors(settings: Settings | None) -> None:
    """Raises what API Gateway would for a CORS configuration."""
    if (
        settings
        and settings.get("AllowCredentials")
        and "*" in (settings.get("AllowOrigins") or ())
    ):
        raise bad("Unable to enable AllowCredentials when AllowOrigins contains *")


def _headers(settings: Settings, request: Request) -> tuple[tuple[str, str], ...]:
    origin = request.header("origin")
    allowed = settings.get("AllowOrigins") or []
    every = "*" in allowed or any(each in ("http://*", "https://*") and
                                  origin.startswith(each[:-1]) for each in allowed)  # fmt: skip
    if not origin or not (every or origin in allowed):
        return ()
    told = {
        "access-control-allow-origin": "*" if "*" in allowed else origin,
        "access-control-allow-credentials": "true" if settings.get("AllowCredentials") else "",
        "access-control-expose-headers": ",".join(settings.get("ExposeHeaders") or ()),
        "vary": "" if "*" in allowed else "Origin",
    }
    if request.method == "OPTIONS":
        told |= {
            "access-control-allow-methods": ",".join(settings.get("AllowMethods") or ()),
            "access-control-allow-headers": ",".join(settings.get("AllowHeaders") or ()),
            "access-control-max-age": str(settings.get("MaxAge") or ""),
        }
    return tuple((name, value) for name, value in told.items() if value)
