"""Node functions in real processes, through our own runtime client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.compute_site import Bench, bench, eventually, texts

ECHO = "exports.handler = async (event, context) => ({ event, context });"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = bench(tmp_path_factory.mktemp("node"))
    yield made
    made.pool.close()


@pytest.mark.parametrize(
    ("sources", "handler"),
    [
        ({"index.js": "exports.handler = async () => 1"}, "index.handler"),
        ({"index.cjs": "exports.handler = async () => 1"}, "index.handler"),
        ({"index.mjs": "export const handler = async () => 1"}, "index.handler"),
        ({"index.mjs": "await null; export const handler = () => Promise.resolve(1)"},
         "index.handler"),
        ({"index.js": "export const handler = async () => 1", "package.json": '{"type":"module"}'},
         "index.handler"),
        ({"deep/er/app.js": "exports.run = async () => 1"}, "deep/er/app.run"),
        ({"index.js": "exports.a = { b: async () => 1 }"}, "index.a.b"),
        ({"index.js": "exports.handler = (event, context, callback) => callback(null, 1)"},
         "index.handler"),
        ({"index.js": "exports.handler = (e, c, back) => setTimeout(() => back(null, 1), 5)"},
         "index.handler"),
        ({"index.js": "exports.handler = (event, context) => context.succeed(1)"},
         "index.handler"),
        ({"index.js": "exports.handler = (event, context) => context.done(null, 1)"},
         "index.handler"),
    ],
)  # fmt: skip
def test_every_kind_of_handler_answers(
    place: Bench, sources: Mapping[str, str], handler: str
) -> None:
    outcome = place.run(place.program(sources, handler=handler))
    assert (outcome.payload, outcome.error) == (b"1", "")


@pytest.mark.parametrize(
    ("source", "handler", "error", "message"),
    [
        ("exports.handler = async () => { throw new TypeError('bad') }", "index.handler",
         "TypeError", "bad"),
        ("exports.handler = async () => { throw 'text' }", "index.handler", "string", "text"),
        ("exports.handler = (e, c, callback) => callback(new RangeError('far'))", "index.handler",
         "RangeError", "far"),
        ("exports.handler = (event, context) => context.fail(new Error('no'))", "index.handler",
         "Error", "no"),
        ("throw new Error('on import')", "index.handler", "Error", "on import"),
        ("exports.other = 1", "index.handler", "Runtime.HandlerNotFound",
         "index.handler is undefined or not exported"),
        ("exports.handler = 1", "index.handler", "Runtime.HandlerNotFound",
         "index.handler is not a function"),
        ("", "missing.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'missing'"),
        ("require('nothing')", "index.handler", "Runtime.ImportModuleError",
         "Error: Cannot find module 'nothing'"),
        ("const = 1", "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError"),
        ("", "nodot", "Runtime.MalformedHandlerName", "Bad handler"),
        ("exports.handler = async () => { Promise.reject(new Error('lost')); "
         "await new Promise((done) => setTimeout(done, 500)) }", "index.handler",
         "Runtime.UnhandledPromiseRejection", "Error: lost"),
        ("exports.handler = async () => { setTimeout(() => { throw new Error('later') }, 1); "
         "await new Promise((done) => setTimeout(done, 500)) }", "index.handler",
         "Error", "later"),
        ("exports.handler = () => new Promise(() => {})", "index.handler", "Runtime.NodeJsExit",
         "never"),
        ("exports.handler = async () => process.exit(3)", "index.handler", "Runtime.ExitError",
         "exit status 3"),
        ("exports.handler = async () => { const a = {}; a.a = a; return a }", "index.handler",
         "Runtime.MarshalError", "Unable to stringify"),
    ],
)  # fmt: skip
def test_an_error_has_type_and_message(
    place: Bench, source: str, handler: str, error: str, message: str
) -> None:
    outcome = place.run(place.program({"index.js": source}, handler=handler))
    told = json.loads(outcome.payload)
    assert outcome.error == told["errorType"] == error
    assert message in told["errorMessage"]


def test_after_an_error_the_next_event_is_answered(place: Bench) -> None:
    source = """exports.handler = async (event) => {
      if (event.crash) Promise.reject(new Error("x"));
      if (event.crash) await new Promise((done) => setTimeout(done, 99));
      return "well";
    }"""
    program = place.program({"index.js": source})
    assert place.run(program, {"crash": True}).error
    assert place.run(program).payload == b'"well"'


def test_a_callback_is_refused_on_node_24_and_taken_on_22(place: Bench) -> None:
    sources = {"index.js": "exports.handler = (event, context, callback) => callback(null, 1)"}
    assert place.run(place.program(sources, runtime="nodejs22.x")).payload == b"1"
    refused = place.run(place.program(sources, runtime="nodejs24.x"))
    assert refused.error == "Runtime.CallbackHandlerDeprecated"


def test_the_context_is_complete(place: Bench) -> None:
    source = """exports.handler = async (event, context) => ({
      ...context, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID,
    })"""
    told = json.loads(place.run(place.program({"index.js": source})).payload)
    assert told.pop("logStreamName").startswith("20")
    assert 2000 < told.pop("left") <= 3000
    assert told == {
        "callbackWaitsForEmptyEventLoop": True,
        "functionVersion": "7",
        "functionName": "notes",
        "memoryLimitInMB": "128",
        "logGroupName": "/aws/lambda/notes",
        "invokedFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:notes:live",
        "awsRequestId": "r-1",
        "trace": "Root=1-5759e988-bd862e3fe1be46a994272793",
    }


def test_the_environment_is_lambdas_and_nothing_of_ours(
    place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    source = "exports.handler = async () => process.env"
    program = place.program({"index.js": source}, environment=(("NAME", "väl ue"),))
    told: dict[str, Any] = json.loads(place.run(program).payload)
    assert "GITHUB_TOKEN" not in told
    assert "HOME" not in told
    expected = {
        "NAME": "väl ue",
        "AWS_REGION": "eu-west-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x",
        "AWS_LAMBDA_FUNCTION_NAME": "notes",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/notes",
        "LAMBDA_TASK_ROOT": str(program.folder),
        "_HANDLER": "index.handler",
        "TZ": ":UTC",
    }
    assert expected.items() <= told.items()


def test_logs_are_in_lambdas_format_between_start_and_report(place: Bench) -> None:
    source = """exports.handler = async () => {
      console.log("one\\ntwo", { a: 1 }); console.error("bad"); process.stdout.write("raw\\n");
    }"""
    program = place.program({"index.js": source})
    first = texts(place.run(program))
    assert first[0].startswith("INIT_START Runtime Version: nodejs22.x")
    lines = texts(place.run(program))
    assert lines[0] == "START RequestId: r-1 Version: 7"
    assert lines[1].split("\t")[1:] == ["r-1", "INFO", "one\ntwo { a: 1 }"]
    assert lines[2].split("\t")[1:] == ["r-1", "ERROR", "bad"]
    assert lines[3] == "raw"
    assert lines[4] == "END RequestId: r-1"
    report = dict(part.split(": ") for part in lines[5].split("\t")[1:] if part)
    assert report["Memory Size"] == "128 MB"
    assert "Init Duration" not in report


def test_an_over_long_run_is_ended_and_said(place: Bench) -> None:
    source = "exports.handler = async () => { for (;;); }"
    program = place.program({"index.js": source}, timeout=0.3)
    outcome = place.run(program)
    assert outcome.error == "Sandbox.Timedout"
    assert b"Task timed out after 0.30 seconds" in outcome.payload
    assert any("r-1 Task timed out after 0.30 seconds" in line for line in texts(outcome))
    assert "Status: timeout" in texts(outcome)[-1]
    assert place.pool.count(program.identity) == 0


def test_more_memory_than_allowed_ends_the_run(place: Bench) -> None:
    source = """exports.handler = async () => {
      const kept = []; for (;;) { kept.push(Buffer.alloc(2e7, 1)); await new Promise(setImmediate) }
    }"""
    outcome = place.run(place.program({"index.js": source}, timeout=30))
    assert outcome.error == "Runtime.OutOfMemory"
    assert b"Runtime.ExitError" in outcome.payload
    assert "Max Memory Used: 128 MB" in texts(outcome)[-1]


def test_what_a_function_leaves_running_ends_with_it(tmp_path: Path) -> None:
    place = bench(tmp_path)
    source = """const { spawn } = require("node:child_process");
    exports.handler = async () => spawn("/bin/sleep", ["1000"]).pid"""
    pid = int(place.run(place.program({"index.js": source})).payload)
    assert Path(f"/proc/{pid}").exists()
    place.pool.close()
    eventually(lambda: _ended(pid))


def _ended(pid: int) -> bool:
    """Gone, or a zombie that waits for whoever runs as process 1 here."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_streaming_handler_answers_with_its_prelude(place: Bench) -> None:
    source = """exports.handler = awslambda.streamifyResponse(async (event, stream) => {
      const out = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
      out.write("a"); out.write("b"); out.end();
    })"""
    outcome = place.run(place.program({"index.js": source}, runtime="nodejs24.x"))
    assert outcome.payload == b'{"statusCode":201}' + bytes(8) + b"ab"
    assert outcome.content_type == "application/vnd.awslambda.http-integration-response"


def test_five_megabytes_go_in_and_out(place: Bench) -> None:
    event = {"text": "ä" * 2_500_000}
    outcome = place.run(place.program({"index.js": ECHO}), event)
    assert json.loads(outcome.payload)["event"] == event
