"""How a file is told to browsers and caches: content type, kind, cache rule. Pure; by path alone.

The table of types is whitenoise's, pinned, because the standard library's differs by host and
Python version and would give equal builds different release ids; what it lacks stands below.
"""

from __future__ import annotations

from functools import cache

from whitenoise.media_types import MediaTypes

from runner.model import Kind

# A key holds the release (`releases/<id>/...`), so the edge may keep whatever lies there for a
# year; the browser asks each time, because its URL has no release in it. That goes for documents
# and for every other file alike.
REVALIDATE = "public, max-age=0, s-maxage=31536000, must-revalidate"
IMMUTABLE = "public, max-age=31536000, immutable"

# Newer than the table, or other than in it. Source: IANA, "Media Types"; WHATWG, "MIME Sniffing";
# W3C, "Web Application Manifest"; TC39, "Source map format".
_OURS = {
    ".apng": "image/apng",
    ".bmp": "image/bmp",
    ".br": "application/octet-stream",
    ".cjs": "text/javascript",
    ".csv": "text/csv",
    ".eot": "application/vnd.ms-fontobject",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".ics": "text/calendar",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".mdx": "text/markdown",
    ".oga": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pem": "application/x-pem-file",
    ".tar": "application/x-tar",
    ".toml": "application/toml",
    ".ttf": "font/ttf",
    ".vtt": "text/vtt",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".xml": "application/xml",
    ".xsl": "application/xslt+xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    # Apple wants JSON. Source: Apple, "Supporting associated domains".
    "apple-app-site-association": "application/json",
}
_TYPES = MediaTypes(extra_types=_OURS)
_TEXT = frozenset(
    {
        *("application/json", "application/manifest+json", "application/xml", "image/svg+xml"),
        *("application/xhtml+xml", "application/rss+xml", "application/atom+xml"),
        *("application/geo+json", "application/ld+json", "application/yaml", "application/toml"),
    }
)
_DOCUMENTS = ("text/html", "application/xhtml+xml")


def content_type(path: str) -> str:
    """The media type of the file at `path`, with UTF-8 as the charset of every kind of text."""
    name = path.rsplit("/", 1)[-1]
    return _with_charset(_TYPES.get_type(name))


@cache
def _with_charset(plain: str) -> str:
    """One text for all files of a type."""
    return f"{plain}; charset=utf-8" if plain.startswith("text/") or plain in _TEXT else plain


def is_document(path: str) -> bool:
    """Whether the file is a page, which follows what is live."""
    return content_type(path).startswith(_DOCUMENTS)


def cache_control(*, fingerprinted: bool) -> str:
    """The cache rule of a file that names its own content's hash, or of any other."""
    return IMMUTABLE if fingerprinted else REVALIDATE


def kind_of(path: str, *, shared: bool) -> Kind:
    """Its kind; `shared` says that the router finds it below `assets/`."""
    if shared:
        return Kind.IMMUTABLE
    return Kind.DOCUMENT if is_document(path) else Kind.ASSET
