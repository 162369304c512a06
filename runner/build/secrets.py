"""What must never be published: files by their names, credentials by their contents.

Pure: judges names and bytes that it is given. The detectors are detect-secrets' own, only those
that go by an issuer's fixed mark: entropy and keyword guesses fire on every minified bundle.
A search for all marks at once comes first, so that a large site costs no regular expressions.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import hyperscan

SCANNED = 5 << 20  # bytes: larger text is data, and slow to search
_SNIFFED = 8192  # bytes: where git, too, looks for a NUL to tell binary from text

FORBIDDEN = (
    *(".git", ".env*", ".npmrc", ".netrc", "_netrc", ".pypirc", ".yarnrc.yml", ".dockercfg"),
    *(".git-credentials", ".htpasswd", ".pgpass", ".my.cnf", ".ssh", ".aws", ".gnupg", ".kube"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("*.kdbx", "*.ppk", "*.tfstate", "*.tfstate.backup"),
)
_ANY_FORBIDDEN = re.compile("|".join(map(fnmatch.translate, FORBIDDEN)))
# AWS prints these in its own documentation; they open nothing.
# Source: IAM user guide, "Manage access keys for IAM users".
_EXAMPLES = ("AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE")
# Cryptographic libraries carry the header alone, in their parsers: a key has material behind it.
_KEY_MATERIAL = re.compile(
    r"PRIVATE KEY(?: BLOCK)?-----"
    r"(?:\\[nr]|\s|[A-Za-z-]+: [^\n\\]*(?:\n|\\n))*"
    r"[A-Za-z0-9+/=]{32}"
    r"|PuTTY-User-Key-File-2: "
)
_KEY_HEAD = (
    2048  # characters from the header to its first line of material, PGP's comments included
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Detector:
    """One of detect-secrets' detectors; it finds nothing where none of the `marks` is."""

    module: str
    name: str
    marks: tuple[bytes, ...]


DETECTORS = (
    Detector("aws", "AWSKeyDetector", (b"AKIA", b"ASIA")),
    Detector("private_key", "PrivateKeyDetector", (b"PRIVATE KEY", b"PuTTY-User")),
    Detector("github_token", "GitHubTokenDetector", tuple(b"gh%c_" % it for it in b"pousr")),
    Detector("gitlab_token", "GitLabTokenDetector", (b"glpat-", b"glrt-", b"gldt-")),
    Detector("slack", "SlackDetector", (b"xoxb-", b"xoxp-", b"hooks.slack.com/")),
    Detector("stripe", "StripeDetector", (b"k_live_",)),
    Detector("npm", "NpmDetector", (b":_authToken=",)),
    Detector("sendgrid", "SendGridDetector", (b"SG.",)),
    Detector("openai", "OpenAIDetector", (b"T3BlbkFJ",)),
    Detector("pypi_token", "PypiTokenDetector", (b"pypi-AgE",)),
    Detector("azure_storage_key", "AzureStorageKeyDetector", (b"AccountKey=",)),
    Detector("square_oauth", "SquareOAuthDetector", (b"sq0csp-",)),
)
_MARKS = tuple(mark for detector in DETECTORS for mark in detector.marks)


def forbidden_name(name: str) -> str:
    """The pattern that forbids a file or folder of this name, or nothing."""
    lower = name.lower()
    if not _ANY_FORBIDDEN.match(lower):
        return ""
    return next(it for it in FORBIDDEN if fnmatch.fnmatchcase(lower, it))


def is_text(data: bytes) -> bool:
    """Whether `data` is worth searching: text of a moderate size."""
    return len(data) <= SCANNED and b"\0" not in data[:_SNIFFED]


def credentials(data: bytes) -> tuple[str, ...]:
    """The kinds of credentials that `data` contains, with the line of each first one."""
    if not is_text(data):
        return ()
    seen = marks(data)
    if not seen:
        return ()
    suspects = [it for it in DETECTORS if not seen.isdisjoint(it.marks)]
    text = data.decode("utf-8", "replace")
    plugins = map(_plugin, suspects)
    lines = ((plugin.secret_type, _first_line(plugin, text)) for plugin in plugins)
    return tuple(f"{kind} in line {line}" for kind, line in lines if line)


def marks(data: bytes) -> frozenset[bytes]:
    """Which of all detectors' marks are in `data`."""
    seen: list[int] = []
    _search().scan(data, match_event_handler=lambda number, *_: seen.append(number))
    return frozenset(_MARKS[number] for number in seen)


@cache
def _search() -> hyperscan.Database:
    """One database for the process, which goes through files one after the other."""
    import hyperscan  # takes 30 ms, and most commands publish nothing

    database = hyperscan.Database()
    database.compile(
        expressions=_MARKS,
        ids=range(len(_MARKS)),
        elements=len(_MARKS),
        flags=hyperscan.HS_FLAG_SINGLEMATCH,
        literal=True,
    )
    return database


@cache
def _plugin(detector: Detector) -> Any:
    """The library's own; imported when a mark was seen: that alone takes 150 ms."""
    module = import_module(f"detect_secrets.plugins.{detector.module}")
    return getattr(module, detector.name)()


def _first_line(plugin: Any, text: str) -> int:
    """The line of the first find that is one, from 1; 0 if there is none."""
    for secret in plugin.analyze_string(text):
        place = next((it for it in _places(secret, text) if _is_real(secret, text, it)), -1)
        if place >= 0:
            return text.count("\n", 0, place) + 1
    return 0


def _places(secret: str, text: str) -> Iterator[int]:
    place = text.find(secret)
    while place >= 0:
        yield place
        place = text.find(secret, place + 1)


def _is_real(secret: str, text: str, place: int) -> bool:
    """Whether a find is no example, no bare header and no piece of some base64 (WebAssembly)."""
    if "PRIVATE KEY" in secret or "PuTTY" in secret:
        return bool(_KEY_MATERIAL.search(text, place, place + _KEY_HEAD))
    before, behind = text[max(place - 1, 0) : place], text[place + len(secret) :][:1]
    if secret.startswith(("AKIA", "ASIA")):
        inside = _BASE64.match(before) or (behind != "/" and _BASE64.match(behind))
        return not inside and not secret.startswith(_EXAMPLES)
    return not _BASE64.match(before) or before == "/"
