"""Compresses what comes from an origin, before it is stored. Pure."""

from __future__ import annotations

import gzip

import brotli

from runner.local.cloudfront.pages import guide, rule
from runner.local.wire import Response

RULES = rule(
    guide("ServingCompressedFiles"),
    "objects of 1,000 to 10,000,000 bytes, of a type on AWS's list and without Content-Encoding "
    "are compressed if the behaviour says so; Brotli goes before gzip",
    "a strong ETag becomes weak on compression; an ETag that is none is removed",
)

_SMALLEST = 1_000
_LARGEST = 10_000_000
_TYPES = frozenset(
    # Source: the page above, "File types that CloudFront compresses".
    {
        "application/dash+xml", "application/eot", "application/font", "application/font-sfnt",
        "application/javascript", "application/json", "application/opentype", "application/otf",
        "application/pdf", "application/pkcs7-mime", "application/protobuf",
        "application/rss+xml", "application/truetype", "application/ttf",
        "application/vnd.apple.mpegurl", "application/vnd.mapbox-vector-tile",
        "application/vnd.ms-fontobject", "application/wasm", "application/xhtml+xml",
        "application/xml", "application/x-font-opentype", "application/x-font-truetype",
        "application/x-font-ttf", "application/x-httpd-cgi", "application/x-javascript",
        "application/x-mpegurl", "application/x-opentype", "application/x-otf",
        "application/x-perl", "application/x-ttf", "font/eot", "font/opentype", "font/otf",
        "font/ttf", "image/svg+xml", "text/css", "text/csv", "text/html", "text/javascript",
        "text/js", "text/plain", "text/richtext", "text/tab-separated-values", "text/xml",
        "text/x-component", "text/x-java-source", "text/x-script", "vnd.apple.mpegurl",
    }
)  # fmt: skip
# Low levels: the bytes differ from CloudFront's anyway, and tests wait for them.
_BROTLI_QUALITY = 4
_GZIP_LEVEL = 6


def compressed(response: Response, encodings: str) -> Response:
    """`encodings` is the normalised Accept-Encoding: `br,gzip`, `br`, `gzip` or nothing."""
    kind = response.header("content-type").split(";")[0].strip().lower()
    if (
        not encodings
        or kind not in _TYPES
        or response.status not in (200, 403, 404)
        or response.header("content-encoding")
        or not _SMALLEST <= len(response.body) <= _LARGEST
    ):
        return response
    chosen = encodings.partition(",")[0]
    body = (
        brotli.compress(response.body, quality=_BROTLI_QUALITY)
        if chosen == "br"
        else gzip.compress(response.body, _GZIP_LEVEL, mtime=0)
    )
    headers = tuple(
        (name, value)
        for name, value in response.headers
        if name not in ("content-length", "etag", "vary")
    )
    tag = _weak(response.header("etag"))
    added = (
        *((("etag", tag),) if tag else ()),
        ("content-encoding", chosen),
        ("content-length", str(len(body))),
        ("vary", "Accept-Encoding"),
    )
    return Response(status=response.status, headers=(*headers, *added), body=body)


def _weak(tag: str) -> str:
    if tag.startswith('"'):
        return f"W/{tag}"
    return tag if tag.startswith("W/") else ""
