"""What must never be published: files by their names, credentials by their contents.

Pure: judges names and bytes that it is given. The detectors are detect-secrets' own, only those
that go by an issuer's fixed mark: entropy and keyword guesses fire on every minified bundle.
A plain search for the mark comes first, so that a large site costs no regular expressions.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cache

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


@dataclass(frozen=True, slots=True)
class Detector:
    """`find` yields the credentials of one kind; none is there without one of the `marks`."""

    kind: str
    marks: tuple[bytes, ...]
    find: Callable[[str], Iterator[str]]


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
    suspects = [it for it in detectors() if any(mark in data for mark in it.marks)]
    if not suspects:
        return ()
    text = data.decode("utf-8", "replace")
    found = ((it.kind, _first(it, text)) for it in suspects)
    return tuple(f"{kind} in line {line}" for kind, line in found if line)


def _first(detector: Detector, text: str) -> int:
    """The line of the detector's first real find, from 1; 0 if there is none."""
    for secret in detector.find(text):
        if not secret.startswith(_EXAMPLES):
            return text.count("\n", 0, text.find(secret)) + 1
    return 0


@cache
def detectors() -> tuple[Detector, ...]:
    """The library's detectors that go by a mark; imported late, because the library is slow."""
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        github_token,
        gitlab_token,
        npm,
        openai,
        private_key,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
    )

    class _WithMaterial(private_key.PrivateKeyDetector):
        def analyze_string(self, string: str) -> Generator[str, None, None]:
            if _KEY_MATERIAL.search(string):
                yield from super().analyze_string(string)

    listed = (
        (aws.AWSKeyDetector(), (b"AKIA", b"ASIA")),
        (_WithMaterial(), (b"PRIVATE KEY", b"PuTTY-User")),
        (github_token.GitHubTokenDetector(), (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_")),
        (gitlab_token.GitLabTokenDetector(), (b"glpat-", b"glrt-", b"gldt-")),
        (slack.SlackDetector(), (b"xoxb-", b"xoxp-", b"hooks.slack.com/")),
        (stripe.StripeDetector(), (b"k_live_",)),
        (npm.NpmDetector(), (b":_authToken=",)),
        (sendgrid.SendGridDetector(), (b"SG.",)),
        (openai.OpenAIDetector(), (b"T3BlbkFJ",)),
        (pypi_token.PypiTokenDetector(), (b"pypi-AgE",)),
        (azure_storage_key.AzureStorageKeyDetector(), (b"AccountKey=",)),
        (square_oauth.SquareOAuthDetector(), (b"sq0csp-",)),
    )
    return tuple(Detector(it.secret_type, marks, it.analyze_string) for it, marks in listed)
