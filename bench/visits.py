"""Visits that are as hard for router, response function and entry as their limits allow. Pure.

The store's value is full on both sides of an open rollout, there are five hosts of the longest
names, addresses are long and escaped throughout, and a header set fills all its parts.
"""

from __future__ import annotations

import json
from typing import Any

from runner.package.header_sets import PART, PARTS, header_set
from runner.package.manifest import compact
from runner.package.patterns import BUDGET
from runner.package.routing import SEGMENTS

Event = dict[str, Any]
LIVE, CANDIDATE, OLD = "a" * 32, "b" * 32, "c" * 32
ROLLOUT = "r1"
HOSTS = tuple(letter * 60 + ".com" for letter in "vwxyz")  # 64: the most that a certificate takes
SHORT = [f"{letter}/*" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
HEADERS = tuple((f"x-header-{number}", "v" * 480) for number in range(20))


def full_store() -> dict[str, str]:
    """Every value that a visit reads, as large as packaging lets it become."""
    routing = {"s": "0" * 16, "i": fitted(SHORT, BUDGET), "spa": 1,
               "x": fitted([f"p{number}" for number in range(99)], SEGMENTS)}  # fmt: skip
    found = {"v": 1, "live": LIVE, "r": routing, "candidate": CANDIDATE, "c": routing}
    made = header_set(HEADERS)
    assert PARTS - 1 <= len(made.parts) <= PARTS
    return {
        "live": fitting({**found, "rollout": ROLLOUT}),
        f"r/{OLD}": compact(routing),
        "token": compact({"t": "t" * 64}), "bearer": compact({"t": "b" * 64}),
        **{f"h/{made.ref.partition('.')[0]}.{n}": part for n, part in enumerate(made.parts)},
    }  # fmt: skip


def fitted(texts: list[str], room: int) -> list[str]:
    """As many of them as take `room` bytes of JSON."""
    while len(compact(texts).encode()) > room:
        texts = texts[:-1]
    return texts


def fitting(value: dict[str, Any]) -> str:
    """The candidate's routing is left out where both do not fit, as a rollout does it."""
    text = compact(value)
    if len(text.encode()) > PART:
        text = compact({name: each for name, each in value.items() if name != "c"})
    assert len(text.encode()) <= PART
    return text


def requests() -> list[Event]:
    """Pages, files, functions, by short and long paths, with every pin that there can be."""
    pins = ("", f"{LIVE}.0", f"{CANDIDATE}.{ROLLOUT}-abc", f"{OLD}.0")
    escaped = "/" + "/".join(["%E2%82%AC%20x"] * 12)
    paths = ("/", "/about", "/zz/app-1.js", "/deep/" * 40 + "x", escaped + ".html", escaped * 3)
    visits = [request(path, pin) for path in paths for pin in pins]
    calls = [request("/.functions/hello" + path, pin) for path in paths for pin in pins]
    elsewhere = [request(paths[1], "", host=host) for host in HOSTS[1:]]
    return [*visits, *calls, *elsewhere]


def request(path: str, pin: str, *, host: str = HOSTS[0]) -> Event:
    fields = {
        "host": host, "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
        "accept-language": "de-CH,de;q=0.9,en;q=0.8", "authorization": "Bearer " + "t" * 800,
        "sec-fetch-mode": "cors" if "." in path else "navigate", "user-agent": "M" * 120,
        "referer": f"https://{host}/{'r' * 200}",
        **{f"x-other-{number}": "o" * 40 for number in range(10)},
    }  # fmt: skip
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request", "requestId": "request-1"},
        "viewer": {"ip": "198.51.100.1"},
        "request": {
            "method": "GET", "uri": path,
            "querystring": {f"name{n}": {"value": "v" * 60} for n in range(20)},
            "headers": {name: {"value": value} for name, value in fields.items()},
            "cookies": {
                **{f"cookie{n}": {"value": "c" * 60} for n in range(20)},
                **({"jam-pin": {"value": pin}} if pin else {}),
            },
        },
    }  # fmt: skip


def responses() -> list[Event]:
    """What the origins answered: documents, assets and fingerprinted files."""
    reference = header_set(HEADERS).ref
    found = []
    for asked in requests():
        if asked["request"]["uri"].startswith("/.functions/"):
            continue
        for kind in ("document", "asset", "immutable"):
            fields = {
                "content-type": "text/html; charset=utf-8", "x-frame-options": "SAMEORIGIN",
                "x-amz-meta-jam-release": LIVE, "x-amz-meta-jam-kind": kind,
                "x-amz-meta-jam-headers": reference, "x-amz-id-2": "i" * 60, "server": "AmazonS3",
            }  # fmt: skip
            found.append({
                **asked,
                "context": {**asked["context"], "eventType": "viewer-response"},
                "response": {
                    "statusCode": 200, "cookies": {},
                    "headers": {name: {"value": value} for name, value in fields.items()},
                },
            })  # fmt: skip
    return found


def calls(release: str, paths: list[str]) -> list[Event]:
    """Entry's events: a function URL's, as the router hands visits on."""
    return [
        {
            "version": "2.0", "rawPath": f"/releases/{release}{path}",
            "headers": {"x-jam-path": path, "x-jam-host": HOSTS[0], "x-jam-query": "a=1&b=2",
                        "accept-language": "de-CH,de;q=0.9", "cloudfront-viewer-country": "CH"},
            "requestContext": {
                "http": {"method": "GET", "path": path}, "timeEpoch": 1_800_000_000_000,
            },
        }
        for path in paths
    ]  # fmt: skip


def text_of(events: list[Event]) -> str:
    return json.dumps(events)
