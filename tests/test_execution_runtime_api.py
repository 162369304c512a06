"""What a runtime says over the Runtime API, however its bytes arrive and over whichever socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.execution.interpreters import Interpreter, Interpreters
from runner.execution.pool import Pool
from runner.execution.program import Event
from runner.execution.runtime_api import RuntimeApi, Said
from tests.compute_site import NODE, Bench

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: here\r\n\r\n"
BODY = '{"body":"\u00fc\\r\\n\\r\\nGET / HTTP/1.1"}'.encode()


def answer(*headers: bytes, request_id: bytes = b"r-1", kind: bytes = b"response") -> bytes:
    lines = b"".join(each + b"\r\n" for each in headers)
    target = b"POST /2018-06-01/runtime/invocation/%b/%b HTTP/1.1\r\n" % (request_id, kind)
    return target + lines + b"content-length: %d\r\n\r\n" % len(BODY) + BODY


OURS = answer(b"host: here", b"content-type: application/json")  # as client.mjs writes it
OTHERS = answer(b"Content-Type: application/json", b"Accept: */*", b"Host: here")


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    made = RuntimeApi(time.time)
    yield made
    made.close()


def heard(api: RuntimeApi) -> list[Said]:
    return list(iter(lambda: api.hear(0), None))


@pytest.mark.parametrize("sent", [OURS, OTHERS])
@pytest.mark.parametrize("cut", [0, 1, 60, len(OURS) - 3, len(OURS), len(OURS) + 5])
def test_an_answer_and_the_next_question_are_heard_wherever_they_are_cut(
    api: RuntimeApi, sent: bytes, cut: int
) -> None:
    with api.near() as runtime:
        found = []
        for _ in range(2):
            for part in ((sent + NEXT)[:cut], (sent + NEXT)[cut:]):
                runtime.sendall(part)
                found += heard(api)
    whole = Said(kind="response", body=BODY, request_id="r-1")
    assert found == [whole, Said(kind="ready")] * 2


def test_a_body_that_reads_like_an_answer_is_a_body(api: RuntimeApi) -> None:
    inner = OURS + NEXT
    target = b"POST /2018-06-01/runtime/invocation/r-2/response HTTP/1.1\r\n"
    with api.near() as runtime:
        runtime.sendall(target + b"content-length: %d\r\n\r\n" % len(inner))
        assert heard(api) == []
        runtime.sendall(inner)
        assert heard(api) == [Said(kind="response", body=inner, request_id="r-2")]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (answer(b"content-type: text/plain"),
         Said(kind="response", body=BODY, request_id="r-1", content_type="text/plain")),
        (answer(b"host: here", b"content-type: application/json", kind=b"error"),
         Said(kind="error", body=BODY, request_id="r-1")),
        (answer(b"lambda-runtime-function-error-type: Bad", kind=b"error"),
         Said(kind="error", body=BODY, request_id="r-1", error_type="Bad")),
        (OURS + OTHERS, Said(kind="response", body=BODY, request_id="r-1")),
    ],
)  # fmt: skip
def test_what_is_no_plain_answer_is_heard_as_it_is(
    api: RuntimeApi, sent: bytes, said: Said
) -> None:
    with api.near() as runtime:
        runtime.sendall(sent + NEXT)
        found = heard(api)
    assert found[0] == said
    assert found[-1] == Said(kind="ready")


@pytest.mark.parametrize("near", [True, False])
def test_a_runtime_gets_the_acceptance_of_its_answer_before_the_next_event(
    api: RuntimeApi, near: bool
) -> None:
    host, _, port = api.address.partition(":")
    with api.near() if near else socket.create_connection((host, int(port))) as runtime:
        runtime.sendall(OURS + NEXT)
        assert [api.hear(5), api.hear(5)] == [
            Said(kind="response", body=BODY, request_id="r-1"),
            Said(kind="ready"),
        ]
        api.offer(Event(payload=b"{}", request_id="r-2", arn="arn"), 10**13)
        told = runtime.recv(65_536)
    assert told.startswith(b"HTTP/1.1 202 Accepted\r\n")
    assert b"\r\n\r\n" in told
    event = told[told.index(b"HTTP/1.1 200 OK\r\n") :]
    assert b"Lambda-Runtime-Aws-Request-Id: r-2\r\n" in event
    assert event.endswith(b"\r\n\r\n{}")


class Far(Interpreters):
    """Whose clients know the Runtime API's address alone."""

    def choose(self, runtime: str, memory: int) -> Interpreter:
        return replace(super().choose(runtime, memory), inherits="")


@pytest.mark.parametrize("kind", [Interpreters, Far])
def test_events_and_answers_of_every_size_pass_in_both_ways(
    tmp_path: Path, kind: type[Interpreters]
) -> None:
    place = Bench(tmp_path, Pool(kind(NODE, tmp_path / "runtime"), now=time.time))
    program = place.program({
        "index.js": "exports.handler = async (e) => ({ got: e.x.length, back: 'é'.repeat(e.n),"
        " told: Object.keys(process.env).filter((name) => name.startsWith('JAM_')) })"
    }, timeout=20.0)  # fmt: skip
    try:
        for come, go in ((0, 0), (1_500_000, 10), (10, 1_500_000), (70_000, 40_000), (1, 1)):
            outcome = place.run(program, {"x": "é" * come, "n": go})
            assert json.loads(outcome.payload) == {"got": come, "back": "é" * go, "told": []}
    finally:
        place.pool.close()
