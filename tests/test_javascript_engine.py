"""The engine for CloudFront Functions: strict where AWS is strict."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.local.edge_rules import EdgeFunctionError
from runner.local.javascript import EdgeFunction
from tests.edge_events import request_event, response_event

REQUEST = request_event("/a", {"via": "1.1 x"})
RESPONSE = response_event(REQUEST, {"via": "1.1 y", "etag": '"1"'})


def _function(body: str, store: dict[str, str] | None = None) -> EdgeFunction:
    code = f"import cf from 'cloudfront';\nasync function handler(event) {{ {body} }}"
    return EdgeFunction(code, None if store is None else lambda: store)


def _run(body: str, event: dict[str, Any] = REQUEST, **store: str) -> dict[str, Any]:
    return _function(f"{body}; return event.request;", store).run(event)


def _fails(body: str, event: dict[str, Any] = REQUEST) -> EdgeFunctionError:
    with pytest.raises(EdgeFunctionError) as caught:
        _function(body, {}).run(event)
    return caught.value


def test_a_handler_gets_the_event_and_gives_a_request() -> None:
    assert _run("event.request.uri = '/b'")["uri"] == "/b"


def test_a_handler_need_not_be_async() -> None:
    code = "function handler(event) { return event.request; }"
    assert EdgeFunction(code).run(REQUEST) == REQUEST["request"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("await cf.kvs().get('a')", '{"b":1}'),
        ("await cf.kvs().get('a', {format: 'string'})", '{"b":1}'),
        ("(await cf.kvs().get('a', {format: 'json'})).b", "1"),
        ("(await cf.kvs().get('u', {format: 'bytes'})).length", "2"),
        ("await cf.kvs().exists('a')", "true"),
        ("await cf.kvs().exists('toString')", "false"),
        ("await cf.kvs().count()", "2"),
        ("(await cf.kvs().meta()).keyCount", "2"),
    ],
)
def test_the_store_is_read_as_documented(expression: str, value: str) -> None:
    found = _run(
        f"event.request.headers.found = {{value: String({expression})}}", a='{"b":1}', u="ü"
    )
    assert found["headers"]["found"] == {"value": value}


@pytest.mark.parametrize("read", ["get('b')", "get('a', {format: 'json'})", "get('toString')"])
def test_a_missing_key_and_broken_json_throw(read: str) -> None:
    body = f"try {{ await cf.kvs().{read}; }} catch (error) {{ event.request.uri = '/caught'; }}"
    assert _run(body, a="{")["uri"] == "/caught"
    assert _fails(f"await cf.kvs().{read}").status == 503


def test_a_function_without_a_store_cannot_open_one() -> None:
    with pytest.raises(EdgeFunctionError, match="No key value store"):
        _function("cf.kvs()").run(REQUEST)


def test_one_invocation_sees_one_snapshot_and_the_next_the_next() -> None:
    states = [{"a": "1"}, {"a": "2"}, {}]
    function = EdgeFunction(
        "import cf from 'cloudfront';\nasync function handler(event) {"
        "const kvs = cf.kvs(); const one = (await kvs.exists('a')) ? await kvs.get('a') : 'none';"
        "event.request.uri = '/' + one; return event.request; }",
        lambda: states.pop(0),
    )
    assert [function.run(REQUEST)["uri"] for _ in range(3)] == ["/1", "/2", "/none"]


def test_module_variables_do_not_outlive_an_invocation() -> None:
    function = EdgeFunction(
        "let n = 0;\n"
        "function handler(event) { n++; event.request.uri = '/' + n; return event.request; }"
    )
    assert [function.run(REQUEST)["uri"] for _ in range(2)] == ["/1", "/1"]


def test_what_is_logged_is_told() -> None:
    found = _function("console.log('a'); console.log(1); return event.request;").invoke(REQUEST)
    assert found.logs == ("a", "1")


def test_changed_origins_are_recorded() -> None:
    body = "cf.selectRequestOriginById('entry'); cf.createRequestOriginGroup({originIds: []});"
    found = _function(f"{body} return event.request;").invoke(REQUEST)
    assert found.origin == (
        ("selectRequestOriginById", "entry"),
        ("createRequestOriginGroup", {"originIds": []}),
    )


@pytest.mark.parametrize(
    "code",
    [
        "class A {}",
        "const {a} = {a: 1};",
        "const [a] = [1];",
        "const a = event?.b;",
        "const a = event ?? 1;",
        "for (const a of [1]) {}",
        "const a = [...[1]];",
        "function* a() {}",
        "try {} catch {}",
        "(async () => 1)();",
        "async function inner() {}",
        "await import('cloudfront');",
        "require('crypto');",
        "syntax error",
    ],
)
def test_code_that_the_runtime_does_not_know_is_refused(code: str) -> None:
    with pytest.raises(EdgeFunctionError, match="FunctionExecutionError"):
        _function(code)


def test_what_stands_in_comments_and_texts_is_no_code() -> None:
    body = "// class A {}\n/* a ?? b */ const a = 'for (const a of b) class'; const b = /\\?\\?/;"
    assert _run(f"{body} const c = `${{a}} class`")["uri"] == "/a"


@pytest.mark.parametrize("line", ["import a from 'fs';", "import a from 'buffer';", "import 'a';"])
def test_modules_that_do_not_exist_here_are_refused(line: str) -> None:
    with pytest.raises(EdgeFunctionError):
        EdgeFunction(f"{line}\nfunction handler(event) {{ return event.request; }}")


def test_code_of_more_than_ten_kilobytes_is_refused() -> None:
    with pytest.raises(EdgeFunctionError, match="10240"):
        EdgeFunction("//" + "a" * 10_239)


@pytest.mark.parametrize(
    "body",
    [
        "throw new Error('x')",
        "eval('1')",
        "new Function('return 1')()",
        "(() => 1).constructor('return 1')()",
        "(function () {}).constructor('return 1')()",
        "handler.constructor('return 1')()",
        "setTimeout(() => 1, 1)",
        "fetch('https://a.example')",
        "undeclared = 1",
        "globalThis.kept = 1",
        "event.missing.field = 1",
        "await new Promise(() => 1)",
        "while (true) {}",
        "const a = []; while (true) a.push('x'.repeat(1000) + a.length)",
    ],
)
def test_code_that_fails_is_503(body: str) -> None:
    error = _fails(f"{body}; return event.request;")
    assert (error.code, error.status) == ("FunctionExecutionError", 503)


def test_a_function_that_hung_answers_the_next_visitor() -> None:
    function = _function("while (event.request.uri === '/a') {} return event.request;")
    with pytest.raises(EdgeFunctionError, match="compute time"):
        function.run(REQUEST)
    assert function.run(request_event("/b"))["uri"] == "/b"


def test_a_function_that_ran_out_of_memory_answers_the_next_visitor() -> None:
    function = _function(
        "const a = []; while (event.request.uri === '/a') a.push(new Array(1e5).fill(a.length));"
        "return event.request;"
    )
    with pytest.raises(EdgeFunctionError, match="memory"):
        function.run(REQUEST)
    assert function.run(request_event("/b"))["uri"] == "/b"


def test_all_that_many_visitors_bring_is_more_than_memory_holds_and_harms_none_of_them() -> None:
    function = _function("return event.request;")
    event = request_event("/a")
    for number in range(300):  # together 45 MB, and V8 needs several times that
        event["context"]["requestId"] = f"{number}".ljust(150_000)
        assert function.run(event)["uri"] == "/a"


def test_a_missing_handler_is_503() -> None:
    with pytest.raises(EdgeFunctionError, match="no handler"):
        EdgeFunction("const a = 1;").run(REQUEST)


@pytest.mark.parametrize(
    "body",
    [
        "return undefined",
        "return event",
        "return 'x'",
        "event.request.uri = 'a'",
        "event.request.uri = '/a b'",
        "event.request.uri = '/' + 'a'.repeat(8192)",
        "event.request.method = 'POST'",
        "event.request.headers.host = {value: 'evil'}",
        "delete event.request.headers.host",
        "event.request.headers.via = {value: 'x'}",
        "event.request.headers['content-length'] = {value: '1'}",
        "event.request.headers['X-Upper'] = {value: '1'}",
        "event.request.headers.connection = {value: 'close'}",
        "event.request.headers['x-edge-a'] = {value: '1'}",
        "event.request.headers['x-amz-cf-id'] = {value: '1'}",
        "event.request.headers.a = 'plain text'",
        "event.request.headers.a = {value: 'a\\r\\nb: c'}",
        "event.request.querystring = {'a/b': {value: '1'}}",
        "event.request.querystring = {a: {value: '1 2'}}",
        "return {statusCode: '200'}",
        "return {statusCode: 42}",
        "return {statusCode: 200, body: {encoding: 'gzip', data: ''}}",
        "return {statusCode: 200, headers: {'X-A': {value: '1'}}}",
    ],
)
def test_what_cloudfront_does_not_take_is_502(body: str) -> None:
    error = _fails(f"{body}; return event.request;")
    assert (error.code, error.status) == ("FunctionValidationError", 502)


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ("event.response.headers.etag = {value: 'x'}", True),
        ("delete event.response.headers.etag", True),
        ("event.response.headers.via = {value: 'x'}", False),
        ("event.response.headers.warning = {value: 'x'}", False),
        ("event.response.headers['keep-alive'] = {value: 'x'}", False),
        ("event.response.cookies.a = {value: '1', attributes: 'Path=/'}", True),
        ("event.response.cookies.a = 'b'", False),
        ("event.response.statusCode = 404", True),
        ("event.response.statusCode = null", False),
    ],
)
def test_a_response_is_checked_by_its_own_rules(body: str, valid: bool) -> None:
    if valid:
        assert _function(f"{body}; return event.response;").run(RESPONSE)
    else:
        assert _fails(f"{body}; return event.response;", RESPONSE).status == 502


def test_a_request_function_may_answer_itself() -> None:
    found = _function("return {statusCode: 302, headers: {location: {value: '/b'}}};").run(REQUEST)
    assert found == {"statusCode": 302, "headers": {"location": {"value": "/b"}}}


def test_threads_share_a_function_and_each_gets_its_own_answer() -> None:
    function = _function("event.request.uri = '/got' + event.request.uri; return event.request;")
    wrong: list[str] = []

    def visit(number: int) -> None:
        for turn in range(50):
            uri = f"/{number}/{turn}"
            found = function.run(request_event(uri))["uri"]
            if found != f"/got{uri}":
                wrong.append(found)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


TEXT = st.characters(exclude_categories=["Cs"])
SIGNING = """
import crypto from 'crypto';
function handler(event) {
  const text = event.request.querystring;
  const made = crypto.createHmac('sha256', text.key.value).update(text.data.value);
  const plain = crypto.createHash('sha256').update(text.data.value);
  event.request.headers.hmac = { value: made.digest(text.as.value) };
  event.request.headers.hash = { value: plain.digest('hex') };
  event.request.querystring = {};
  return event.request;
}
"""


@settings(max_examples=60, deadline=None)
@given(key=st.text(TEXT, max_size=90), data=st.text(TEXT, max_size=150))
def test_a_function_signs_as_anybody_else_does(key: str, data: str) -> None:
    for name, encode in (
        ("base64url", lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("=")),
        ("base64", lambda digest: base64.b64encode(digest).decode()),
        ("hex", lambda digest: digest.hex()),
    ):
        query = {"key": {"value": key}, "data": {"value": data}, "as": {"value": name}}
        found = SIGNS.run(request_event("/", query=query))["headers"]
        digest = hmac.digest(key.encode(), data.encode(), "sha256")
        assert found["hmac"]["value"] == encode(digest)
        assert found["hash"]["value"] == hashlib.sha256(data.encode()).hexdigest()


SIGNS = EdgeFunction(SIGNING)


def test_a_function_has_the_clouds_time() -> None:
    body = "event.request.uri = '/' + [Date.now(), new Date().getTime(), Date.now()].join('-')"
    code = f"function handler(event) {{ {body}; return event.request; }}"
    found = EdgeFunction(code, clock=lambda: 1_800_000_000.5).run(REQUEST)
    assert found["uri"] == "/" + "-".join(["1800000000500"] * 3)
