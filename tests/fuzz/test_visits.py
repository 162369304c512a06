"""A sample of `make hunt`'s hostile visitors, and proof that the hunt sees what it hunts for."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.edge import response_code, router_code
from runner.entry.answer import Answer
from runner.entry.entry import Entry
from tests.fuzz.attacked import HOSTS
from tests.fuzz.edge import Edge
from tests.fuzz.promises import host_of
from tests.fuzz.target import Hunter, hunter


@settings(max_examples=2_000, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=60))
def test_no_visitor_breaks_a_promise(data: bytes) -> None:
    assert hunter().findings(data) == []


class Forgetful(Entry):
    """Keeps for all what depends on one visitor."""

    def answer(self, uri: str, headers: Mapping[str, str]) -> Answer:
        return super().answer(uri, headers)._replace(dependent=False)


class Loud(Entry):
    """Puts a visitor's path where it sends visitors to."""

    def answer(self, uri: str, headers: Mapping[str, str]) -> Answer:
        made = super().answer(uri, headers)
        return made._replace(status=302, headers=(("location", headers.get("x-jam-path", "/")),))


def _changed(code: str, before: str, after: str) -> str:
    assert before in code, "the program has changed: change what is sabotaged"
    return code.replace(before, after, 1)


PRODUCTION, PREVIEWS = router_code(HOSTS), router_code(previews=True)
RESPONSE = response_code()


@pytest.mark.parametrize(
    ("seen", "changes"),
    [
        ("reaches an origin", {"router": ("delete request.headers[name]", "0")}),
        ("query reaches an origin", {"router": ("request.querystring={}", "0")}),
        ("with a dot segment", {"router": ("if(segment==='.')", "if(1)return segment;if(0)")}),
        ("dot segment to the API", {"router": ("CLIMBS.test(request.uri)", "false")}),
        ("without its link", {"router": ("!(await openedBy(pass))", "false")}),
        ("another site", {"router": ("'https://'+host+uri", "uri")}),
        ("another release", {"router": ("(pin.release===now.live||", "(pin.release||")}),
        ("ill-formed key", {"router": ("'/assets/'+key", "'/assets'+uri")}),
        ("x-forwarded-host", {"router": ("if(host)request.headers['x-forwarded-host']", "let x")}),
        ("cookie of an opened", {"router": ("delete request.cookies['jam-open']", "0")}),
        ("locked preview", {"preview": ("lockedOut(found,request):", "null:")}),
        ("leaves its environment", {"preview": ("base:'/'+name", "base:''")}),
        ("another preview's functions", {"preview": ("routing:live?own.r||{}", "routing:live?"
                                         "{...own.r,s:'stage-8'}")}),
        ("tells visitors", {"response": ("name.startsWith('x-amz-')", "0")}),
        ("one key, two answers", {"entry": Forgetful}),
        ("another site", {"entry": Loud}),
    ],
)  # fmt: skip
def test_the_hunt_sees_each_of_these_holes(seen: str, changes: dict[str, Any]) -> None:
    sound = (PRODUCTION, PREVIEWS, RESPONSE)
    codes = {
        name: _changed(code, *changes[name]) if name in changes else code
        for name, code in zip(("router", "preview", "response"), sound, strict=True)
    }
    entry = changes.get("entry", Entry)
    hurt = Hunter(
        Edge(previews=False, router=codes["router"], response=codes["response"], entry=entry),
        Edge(previews=True, router=codes["preview"], entry=entry),
    )
    chance = random.Random(3)
    inputs = (chance.randbytes(600) for _ in range(300))
    assert any(seen in found for data in inputs for found in hurt.findings(data))


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("/a", ""),
        ("a/b", ""),
        ("?a=//b", ""),
        ("/a//b", ""),
        ("//b/c", "b"),
        ("/\\b", "b"),
        ("\\\\b", "b"),
        ("/\t/b", "b"),
        (" //b", "b"),
        ("https:/b", "b"),
        ("HTTPS:\\\\a@B:80\\c", "b:80"),
        ("https://a.example\\@b/", "a.example"),
        ("javascript:x", "javascript:"),
    ],
)
def test_a_location_is_read_as_browsers_do(location: str, host: str) -> None:
    assert host_of(location) == host
