"""Answers that are sent while they are made, from real Node processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.execution import payload
from runner.execution.program import Event, Listener, Outcome, Program
from runner.execution.streaming import Begun, CutError, begin
from tests.compute_site import Bench, bench, texts

WAITING = """
const { existsSync } = require("node:fs");
const pause = (ms) => new Promise((on) => setTimeout(on, ms));
const seen = async (path) => { while (!existsSync(path)) await pause(5); };
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("text/event-stream");
  stream.write("data: one\\n\\n");
  await seen(event.path);
  stream.write("data: two\\n\\n");
  stream.end();
});
"""


def streams(body: str) -> dict[str, str]:
    return {
        "index.js": f"""const {{ Readable }} = require("node:stream");
        const {{ pipeline }} = require("node:stream/promises");
        const pause = (ms) => new Promise((on) => setTimeout(on, ms));
        const {{ from }} = awslambda.HttpResponseStream;
        exports.handler = awslambda.streamifyResponse(async (event, stream) => {{ {body} }});"""
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = bench(tmp_path_factory.mktemp("streaming"))
    yield made
    made.pool.close()


def begun(place: Bench, program: Program, event: Any = None) -> Begun | Outcome:
    told = Event(payload=json.dumps(event or {}).encode(), request_id="r-1", arn="arn:f")

    def run(listener: Listener) -> Outcome:
        return place.pool.invoke(program, told, listener)

    return begin(run)


def stream(place: Bench, body: str, **more: Any) -> Begun:
    found = begun(place, place.program(streams(body), **more))
    assert isinstance(found, Begun), found
    return found


def test_a_part_is_there_before_the_next_is_made(place: Bench, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    program = place.program({"index.js": WAITING})
    answer = begun(place, program, {"path": str(go_on)})
    assert isinstance(answer, Begun)
    assert answer.content_type == "text/event-stream"
    assert next(answer.parts) == b"data: one\n\n"
    go_on.touch()
    assert list(answer.parts) == [b"data: two\n\n"]


def test_without_a_listener_the_answer_comes_in_one_piece(place: Bench) -> None:
    outcome = place.run(
        place.program(streams("stream.write('a'); stream.write('b'); stream.end()"))
    )
    assert (outcome.payload, outcome.content_type) == (b"ab", "application/octet-stream")


def test_the_prelude_goes_out_with_the_first_write_and_is_a_status_with_headers(
    place: Bench,
) -> None:
    answer = stream(
        place,
        """const out = from(stream, { statusCode: 201, headers: { "X-A": 1 }, cookies: ["a=1"] });
        await pipeline(Readable.from(["one ", "two"]), out);""",
    )
    response = payload.streamed(answer.content_type, answer.parts)
    assert (response.status, response.header("x-a"), response.header("set-cookie")) == (
        201, "1", "a=1",
    )  # fmt: skip
    assert response.parts is not None
    assert b"".join(response.parts) == b"one two"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("throw new RangeError('at once')", "RangeError"),
        ("from(stream, { statusCode: 200 }); throw new TypeError('unwritten')", "TypeError"),
        ("Promise.reject(new Error('lost')); await pause(500);",
         "Runtime.UnhandledPromiseRejection"),
        ("process.exit(3)", "Runtime.ExitError"),
        ("await pause(5000)", "Sandbox.Timedout"),
    ],
)  # fmt: skip
def test_a_failure_before_the_first_word_is_an_outcome(place: Bench, body: str, error: str) -> None:
    found = begun(place, place.program(streams(body), timeout=1.0))
    assert isinstance(found, Outcome)
    assert found.error == error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("stream.write('a'); await pause(20); throw new TypeError('b')",
         "TypeError"),
        ("stream.write('a'); setTimeout(() => { throw new RangeError('later') }, 50); "
         "await pause(5000)", "RangeError"),
        ("stream.write('a'); setTimeout(() => process.exit(1), 50); "
         "await pause(5000)", "Runtime.ExitError"),
        ("stream.write('a')", "Sandbox.Timedout"),  # never ended
        ("await pipeline(Readable.from((function* () { yield 'a'; throw new URIError('c') })()), "
         "stream)", "URIError"),
    ],
)  # fmt: skip
def test_a_failure_in_the_middle_cuts_the_stream(place: Bench, body: str, error: str) -> None:
    answer = stream(place, body, timeout=1.0)
    assert next(answer.parts) == b"a"
    with pytest.raises(CutError, match=error):
        list(answer.parts)


def test_what_failed_in_the_middle_is_told_to_a_caller_who_waits_for_the_whole(
    place: Bench,
) -> None:
    outcome = place.run(place.program(streams("stream.write('a'); throw new TypeError('b')")))
    told = json.loads(outcome.payload)
    assert (outcome.error, told["errorMessage"]) == ("TypeError", "b")
    assert any("TypeError" in line for line in texts(outcome))


def test_the_function_runs_to_its_end_when_nobody_listens_any_more(
    place: Bench, tmp_path: Path
) -> None:
    go_on = tmp_path / "go-on"
    program = place.program({"index.js": WAITING})
    told = Event(payload=json.dumps({"path": str(go_on)}).encode(), request_id="r-2", arn="arn:f")
    ended = threading.Event()

    def run(listener: Listener) -> Outcome:
        outcome = place.pool.invoke(program, told, listener)
        assert outcome.error == ""
        ended.set()
        return outcome

    answer = begin(run)
    assert isinstance(answer, Begun)
    next(answer.parts)
    del answer
    go_on.touch()
    assert ended.wait(5)


def test_more_than_200_mb_are_cut(place: Bench) -> None:
    body = """const part = Buffer.alloc(8 * 1024 * 1024);
    for (let n = 0; n < 26; n++) await new Promise((on) => stream.write(part, on));
    stream.end();"""
    answer = stream(place, body, timeout=30.0, memory=1024)
    sizes: list[int] = []
    with pytest.raises(CutError, match=r"Function\.ResponseSizeTooLarge"):
        sizes.extend(len(part) for part in answer.parts)
    assert 190 * 1024 * 1024 < sum(sizes) <= 200 * 1024 * 1024


def test_the_same_process_answers_again_after_a_stream(place: Bench) -> None:
    program = place.program(streams("stream.write(String(process.pid)); stream.end()"))
    first = begun(place, program)
    assert isinstance(first, Begun)
    pid = b"".join(first.parts)
    second = begun(place, program)
    assert isinstance(second, Begun)
    assert b"".join(second.parts) == pid


@pytest.mark.parametrize(
    ("content_type", "parts"),
    [(payload.STREAMED, [b"{}"]), (payload.STREAMED, [b"{", bytes(8)])],
)
def test_a_prelude_that_is_none_is_no_response(content_type: str, parts: list[bytes]) -> None:
    with pytest.raises(payload.BadResultError):
        payload.streamed(content_type, iter(parts))
