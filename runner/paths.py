"""From a path to its one storage key. Pure; the router does the same in JavaScript.

Every byte outside `A-Za-z0-9/._-` is written `~XX`, so that a key needs no percent-encoding: one
spelling, one cache key, and the signature of an origin access control holds at the function URL.
Source: Lambda developer guide, "Signing requests"; SigV4 leaves `A-Za-z0-9-_.~` alone.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_USUAL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")  # almost every name
_DOTS = frozenset({".", ".."})
INDEX = "index.html"


def encode(segment: str) -> str:
    """One path segment in the alphabet of storage keys."""
    if _USUAL.fullmatch(segment):
        return segment
    if segment in _DOTS:  # never a folder reference, whoever resolves the path later
        return segment.replace(".", "~2E")
    raw = segment.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _PLAIN else f"~{byte:02X}" for byte in raw)


def decode(key: str) -> str:
    """The path that `encode` was given, segment by segment."""
    raw = re.sub(rb"~([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), key.encode())
    return raw.decode("utf-8", "surrogateescape")


def key_of(path: str) -> str:
    """The storage key of a file or of a visitor's decoded path, without a leading slash.

    `about.html`, `about/index.html`, `about/` and `about` are one key: `about/index.html`. A name
    without an extension is a pretty path; so is a file without one (`LICENSE`).
    """
    return _joined(path.removeprefix("/").split("/"))


def key_of_uri(uri: str) -> str:
    """The storage key of a visitor's raw path, percent-encoded as it was sent.

    Segments are split first and decoded after: `%2F` is a byte of a name, never a separator. An
    escape that is none stays as it stands; bytes need not be UTF-8. So `%2e%2e` is the name `..`.
    """
    segments = uri.removeprefix("/").split("/")
    return _joined([unquote_to_bytes(raw).decode("utf-8", "surrogateescape") for raw in segments])


def _joined(segments: list[str]) -> str:
    *folders, name = segments
    keyed = [encode(folder) or "~" for folder in folders]
    return "/".join([*keyed, *_name_of(name)])


def _name_of(name: str) -> list[str]:
    if name in ("", INDEX):
        return [INDEX]
    if name.endswith(".html") and name != ".html":
        return [encode(name.removesuffix(".html")), INDEX]
    if "." not in name:
        return [encode(name), INDEX]
    return [encode(name)]
