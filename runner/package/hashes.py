"""Whether a file's name carries a hash of its contents, as bundlers write it. Pure; by name alone.

Only ever asked about files that a bundler's manifest names: `logo-original.png` beside hashed
chunks looks much like one of them, and browsers would keep it for a year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEX = re.compile(r"[0-9a-f]{8,64}")
_DATE = re.compile(r"(?:19|20)\d{6}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,32}")
_LENGTH = 8  # characters: the default of Rollup, esbuild and Parcel; webpack writes 8 to 20 of hex
_MOSTLY = 0.9


def looks_hashed(path: str) -> bool:
    """Whether some part of the file's name, behind its beginning, is random by its letters."""
    first, *rest = path.rsplit("/", 1)[-1].split(".")[:-1] or [""]
    tails = [tail for part in (first, *rest) for tail in _tails(part)]
    return any(is_random(token) for token in [*rest, *tails])


def is_random(token: str) -> bool:
    """Whether no person would write this: hex with letters and digits, or mixed letters."""
    if _HEX.fullmatch(token):
        return not (token.isalpha() or _DATE.fullmatch(token))
    mixed = any(letter.isdigit() or letter.isupper() for letter in token[1:])
    return bool(_TOKEN.fullmatch(token)) and mixed


def named_with_hash(named: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Of `(path, base)` pairs, the paths whose name is the base and then a hash.

    The base is the name that the bundler itself calls the file by, so `[name].js` shows for what
    it is. A hash of eight letters may happen to have neither digit nor capital: it counts if the
    other names of the same build are random.
    """
    tokens = {path: _behind(path, base) for path, base in named}
    hashed = {path: token for path, token in tokens.items() if token}
    random = {path for path, token in hashed.items() if is_random(token)}
    distinct = len(set(hashed.values())) == len(hashed)
    if distinct and len(random) >= _MOSTLY * len(hashed):
        return frozenset(hashed)
    return frozenset(random)


def _tails(part: str) -> list[str]:
    """What may be the hash in `index-C4_x-9aB`: it may hold the separators itself."""
    fixed = [part[-_LENGTH:]] if part[-_LENGTH - 1 : -_LENGTH] in ("-", "_") else []
    return fixed + [tail for tail in re.split(r"[-_]", part)[1:] if _HEX.fullmatch(tail)]


def _behind(path: str, base: str) -> str:
    """The part of the file's name between its base and its extension, if it can be a hash."""
    stem = path.rsplit("/", 1)[-1].rpartition(".")[0]
    rest = stem.removeprefix(base) if base else ""
    if rest == stem or rest[:1] not in ("-", ".", "_"):
        return ""
    return rest[1:] if _TOKEN.fullmatch(rest[1:]) else ""
