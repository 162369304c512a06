"""What a command said to AWS over a distance: its requests, and how many had to wait for another.

Read from the log of `bench.proxy`.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.servers import ROOT
from bench.storage import ended

_READS = ("Get", "List", "Describe", "BatchGet", "Query", "Simulate", "Assume")
_TARGET = re.compile(r"^x-amz-target: \S*?\.?(\w+)\s*$", re.IGNORECASE | re.MULTILINE)
_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?:[^/]+/)?([^/]+)/aws4_request")
# GetFunction, with the version that it asks for: what a command looks at until it is ready.
_LOOK = re.compile(r"^/2015-03-31/functions/[^/?]+(\?|$)")
_VERSION = re.compile(r"^/2015-03-31/functions/[^/?]+/configuration\?Qualifier=")
_FILE = re.compile(r"^(.*?/(?:releases/[^/]+|assets))/(?!~)")  # of a release, not its manifest
_BY_FORM = ("sts", "iam")  # whose operation is in the body: a deploy's own are read here as reads


@dataclass(frozen=True)
class Request:
    """`service` is empty for a visitor's."""

    service: str
    method: str
    path: str
    operation: str
    sent: float
    told: float

    @property
    def writes(self) -> bool:
        if self.operation:
            return not self.operation.startswith(_READS)
        if self.service in _BY_FORM:
            return False
        return self.method not in ("GET", "HEAD")

    @property
    def name(self) -> str:
        return f"{self.service} {self.operation or self.method + ' ' + self.path.split('?')[0]}"


@dataclass
class Distance:
    """An endpoint that is as far away as was asked for, and what passed since the last `take`."""

    endpoint: str
    log: Path
    read: int = 0

    def take(self) -> list[Request]:
        """To be asked once the command has ended, and with it its connections."""
        lines = self.log.read_text().splitlines()
        new, self.read = lines[self.read :], len(lines)
        return [_request(json.loads(line)) for line in new]


@contextlib.contextmanager
def distance(endpoint: str, seconds: float, log: Path) -> Iterator[Distance]:
    log.touch()
    port = endpoint.rpartition(":")[2]
    between = subprocess.Popen(
        [sys.executable, "-m", "bench.proxy", port, str(seconds), str(log)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with ended(between):
        assert between.stdout
        yield Distance(f"http://127.0.0.1:{between.stdout.readline().strip()}", log)


def depth(requests: Sequence[Request]) -> int:
    """The longest chain in which each link was sent after the answer to the one before.

    A link is a request, or a series that `linked` finds. More than what truly waits for another:
    threads that were late are counted as well.
    """
    return chain(linked(requests))


def chain(requests: Sequence[Request]) -> int:
    """As `depth`, each request a link of its own."""
    over: list[float] = []  # [n]: the earliest end of a chain of n + 1
    for each in sorted(requests, key=lambda it: it.sent):
        length = bisect_right(over, each.sent)
        if length == len(over):
            over.append(each.told)
        else:
            over[length] = min(over[length], each.told)
    return len(over)


def linked(requests: Sequence[Request]) -> list[Request]:
    """The same, but each series is one that lasts from its first request to its last answer.

    Looks at one version of a function until it is ready: how many there are says how long Lambda
    takes, and a wait counts as time. What was written to that function begins another series. And
    the files of a release, without its manifest, and one look at each version of a release: each
    waits for a connection or the processor, none for another.
    """
    found: list[Request] = []
    series: dict[str, int] = {}  # where each that may go on stands in `found`
    for each in sorted(requests, key=lambda it: it.sent):
        if each.service == "lambda" and each.writes:
            function = "/".join(each.path.partition("?")[0].split("/")[:4])
            series = {key: at for key, at in series.items() if key.partition("?")[0] != function}
        key = _series(each)
        at = series.get(key) if key else None
        if at is not None:
            found[at] = replace(found[at], told=max(found[at].told, each.told))
            continue
        if key:
            series[key] = len(found)
        found.append(each)
    return found


def _series(each: Request) -> str:
    """What is the same for all of its series; empty for a request that is of none."""
    if each.service == "lambda" and not each.writes and _LOOK.match(each.path):
        return each.path
    if _VERSION.match(each.path):
        return "versions"
    file = _FILE.match(each.path) if each.service == "s3" and each.method == "PUT" else None
    return file[1] if file else ""


def counted(requests: Sequence[Request]) -> dict[str, int]:
    """How often which operation, for the notes."""
    kinds = (f"{each.service} {each.operation or each.method}" for each in requests)
    return dict(sorted(Counter(kinds).items()))


def _request(line: dict[str, object]) -> Request:
    head = str(line["head"])
    method, path, *_ = head.partition("\r\n")[0].split(" ")
    scope = _SCOPE.search(head)
    target = _TARGET.search(head)
    return Request(
        service=scope[1] if scope else "",
        method=method,
        path=path,
        operation=target[1] if target else "",
        sent=float(str(line["sent"])),
        told=float(str(line["told"])),
    )
