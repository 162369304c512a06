"""Which few patterns tell the router where the fingerprinted files are. Pure.

A pattern has exactly one `*`, which stands for any text, slashes included, and is matched against
storage keys. One is chosen only if no other file of the release matches it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

BUDGET = 250  # bytes of JSON: half of what a release may take in the KeyValueStore's value
_CONSIDERED = 256  # patterns: more than fit by far, and few enough to weigh against each other
_STEMS = 64  # patterns by a name's beginning are compared with every other key


def matches(pattern: str, key: str) -> bool:
    """Whether `key` begins and ends as `pattern` does, without the two ends sharing a character."""
    head, _, tail = pattern.partition("*")
    return len(key) >= len(head) + len(tail) and key.startswith(head) and key.endswith(tail)


def cover(keys: Iterable[str], others: Iterable[str], *, budget: int = BUDGET) -> tuple[str, ...]:
    """Patterns that match as many of `keys` as fit into `budget` bytes of JSON, and no other key.

    The same for any order of both; those with the most files first.
    """
    candidates = _candidates(frozenset(keys), frozenset(others))
    chosen: list[str] = []
    missing = set(keys)
    while candidates:
        best = min(candidates, key=lambda it: (-len(candidates[it] & missing), *_preference(it)))
        gained = candidates.pop(best) & missing
        if not gained:
            break
        if _bytes([*chosen, best]) <= budget:
            chosen.append(best)
            missing -= gained
    return tuple(sorted(chosen))


def _preference(pattern: str) -> tuple[bool, int, str]:
    """A folder's own pattern before one that holds for the whole site; then the shorter one."""
    return (pattern.startswith("*"), len(pattern), pattern)


def _bytes(patterns: list[str]) -> int:
    return len(json.dumps(patterns, separators=(",", ":")).encode())


def _candidates(keys: frozenset[str], others: frozenset[str]) -> dict[str, set[str]]:
    """By pattern, which of `keys` it matches; only patterns that match none of `others`."""
    found: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        for pattern in _by_folder(key):
            found[pattern].add(key)
    for key in others:
        for pattern in _by_folder(key):
            found.pop(pattern, None)
    covered = set().union(*found.values()) if found else set()
    largest = sorted(found, key=lambda it: (-len(found[it]), it))[:_CONSIDERED]
    return {it: found[it] for it in largest} | _by_stem(keys - covered, others)


def _by_folder(key: str) -> Iterator[str]:
    """`a/b/*`, `a/b/*.js`, `a/*`, `a/*.js`, `*.js`: all patterns of this form that match."""
    folders = key.split("/")[:-1]
    _, dot, extension = key.rsplit("/", 1)[-1].rpartition(".")
    for depth in range(len(folders) + 1):
        head = "".join(f"{folder}/" for folder in folders[:depth])
        if head:
            yield f"{head}*"
        if dot:
            yield f"{head}*.{extension}"


def _by_stem(keys: frozenset[str], others: frozenset[str]) -> dict[str, set[str]]:
    """`chunk-*.js`: for hashed files that share their folder with others of the same extension."""
    stems: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        folder, slash, name = key.rpartition("/")
        stem, dash, rest = name.rpartition("-")
        extension = rest.rpartition(".")[2]
        if dash and "." in rest:
            stems[f"{folder}{slash}{stem}-*.{extension}"].add(key)
    most = sorted(stems, key=lambda it: (-len(stems[it]), it))[:_STEMS]
    return {it: stems[it] for it in most if not any(matches(it, other) for other in others)}
