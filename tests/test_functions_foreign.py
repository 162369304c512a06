"""Functions as Netlify's and AWS's documentation write them: they run, or what is lost is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import EVENT, call, package, site

VISITED = {
    **EVENT,
    "headers": {
        "host": "api.example",
        "x-forwarded-host": "www.example",
        "x-forwarded-for": "203.0.113.9, 198.51.100.7, 192.0.2.1",
        "cloudfront-viewer-country": "DE",
        "cloudfront-viewer-country-name": "Germany",
        "cloudfront-viewer-latitude": "52.5",
    },
}
WEB = "export default async (req: Request, context: any) => "
TYPED = 'import type { Handler } from "@netlify/functions";\nexport const handler: Handler = '
# The function, and what is in its answer.
DOCUMENTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a Response of text": ("a.mts", f"{WEB} new Response('Hello');", {"body": "Hello"}),
    "Netlify.env, at the top too": (
        "a.mts",
        "const mode = Netlify.env.get('TZ') ?? 'none'; Netlify.env.set('MODE', mode);\n"
        f"{WEB} Response.json(Netlify.env.toObject().MODE);",
        {"body": '"none"'},
    ),
    "where the visitor is": (
        "a.mts",
        f"{WEB} Response.json([context.ip, context.geo.country, context.geo.latitude]);",
        {"body": '["198.51.100.7",{"code":"DE","name":"Germany"},52.5]'},
    ),
    "parameters and the request's id": (
        "a.mts",
        f"{WEB} Response.json([context.params.id, context.requestId]);",
        {"body": '["7","r-1"]'},
    ),
    "cookies by the context": (
        "a.mts",
        f"{WEB} {{\n  context.cookies.set({{ name: 'seen', value: context.cookies.get('b'), "
        "secure: true });\n  context.cookies.delete('a');\n  return new Response();\n}",
        {"cookies": ["seen=2; Secure", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]},
    ),
    "work after the answer": (
        "a.mts",
        f"{WEB} {{\n  const done: string[] = [];\n  context.waitUntil(Promise.resolve("
        "done.push('x')));\n  return new Response(String(done));\n}",
        {"body": "x"},
    ),
    "a stream as the body": (
        "a.mjs",
        "export default async () => new Response(new ReadableStream({ start(out) {\n"
        "  out.enqueue(new TextEncoder().encode('part ')); out.enqueue(Buffer.from('by part'));\n"
        "  out.close();\n} }), { headers: { 'content-type': 'text/event-stream' } });",
        {"body": "part by part"},
    ),
    "Netlify's Handler with its event": (
        "a.ts",
        f"{TYPED} async (event) => ({{ statusCode: 200, body: JSON.stringify([\n"
        "  event.httpMethod, event.path, event.rawUrl, event.queryStringParameters,\n"
        "  event.multiValueQueryStringParameters, event.headers.cookie]) });",
        {
            "body": '["POST","/.functions/hello","https://www.example/.functions/hello?a=1&b=2",'
            '{},{"a":["1"],"b":["2"]},"a=1; b=2"]'
        },
    ),
    "several cookies in Netlify's way": (
        "a.ts",
        f"{TYPED} async () => ({{ statusCode: 200, multiValueHeaders: {{\n"
        "  'Set-Cookie': ['a=1', 'b=2'], 'x-many': ['1', '2'] }} });".replace("}} }", "} }"),
        {"cookies": ["a=1", "b=2"], "headers": {"x-many": "1, 2"}},
    ),
    "AWS's async handler with its types": (
        "a.ts",
        "import type { APIGatewayProxyHandlerV2 } from 'aws-lambda';\n"
        "export const handler: APIGatewayProxyHandlerV2 = async (event, context) => (\n"
        "  { statusCode: 200, body: event.requestContext.http.method });",
        {"body": "POST"},
    ),
    "AWS's handler that is a declared function": (
        "a.mjs",
        "export async function handler(event, context) { return { body: context.awsRequestId }; }",
        {"body": "r-1"},
    ),
    "AWS's exports of a Python function": (
        "a.py",
        "import json\n\ndef lambda_handler(event, context):\n"
        "    return {'statusCode': 200, 'body': json.dumps(event['pathParameters'])}\n",
        {"body": '{"id": "7"}'},
    ),
}


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_a_function_of_the_documentation_answers(kind: str, tmp_path: Path) -> None:
    name, code, wanted = DOCUMENTED[kind]
    (function,) = package(site(tmp_path / "site", {name: code})).values()
    answer = call(function, tmp_path / "run", VISITED)
    assert {key: answer[key] for key in wanted} == wanted


def test_who_calls_the_api_itself_is_its_caller(tmp_path: Path) -> None:
    code = f"{WEB} Response.json([context.ip, context.geo]);"
    (function,) = package(site(tmp_path / "site", {"a.ts": code})).values()
    assert call(function, tmp_path / "run", EVENT)["body"] == '["192.0.2.1",{}]'


H = "exports.handler = async (event) => "
BUILT = "const { builder } = require('@netlify/functions');\n"
WARNED = {
    "a cache around a handler": (
        {"a.js": f"{BUILT}exports.handler = builder(async () => 1);"},
        "builder() keeps nothing",
    ),
    "identity": (
        {"a.js": f"{BUILT}exports.handler = async (_, context) => context.clientContext;"},
        "no Netlify Identity",
    ),
    "the event of REST APIs": (
        {"a.js": f"{H} event.httpMethod;"},
        "use event.requestContext.http.method",
    ),
    "a query as if there were always one": (
        {"a.js": f"{H} {{ const {{ name }} = event.queryStringParameters;\nreturn name; }};"},
        "absent where nothing is asked",
    ),
    "the event of REST APIs in Python": (
        {"a.py": "def handler(event, context):\n    return event['httpMethod']\n"},
        "use event.requestContext.http.method",
    ),
    "a folder's own name": ({"a/a.js": H + "1;"}, "named index it would at /.functions/a"),
    "a component": ({"a.js": H + "1;", "page.tsx": ""}, "page.tsx: is not deployed"),
    "another language": ({"go/main.go": ""}, "functions/go/main.go: is not deployed"),
}  # fmt: skip
NETLIFY = {
    "../node_modules/@netlify/functions/package.json": '{"name": "@netlify/functions"}',
    "../node_modules/@netlify/functions/index.js": "exports.builder = (one) => one;",
}


@pytest.mark.parametrize("kind", WARNED)
def test_what_has_no_effect_here_is_said(kind: str, tmp_path: Path) -> None:
    files, told = WARNED[kind]
    said: list[str] = []
    package(site(tmp_path, {**NETLIFY, **files}), echo=said)
    (warning,) = said
    assert warning.startswith("warning: functions/")
    assert told in warning


def test_what_streams_by_its_setting_is_not_warned_of(tmp_path: Path) -> None:
    settings = FunctionsSettings(common=FunctionSettings(stream=True))
    code = BUILT.replace("builder", "stream") + "exports.handler = stream(async () => 1);"
    said: list[str] = []
    package(site(tmp_path, {**NETLIFY, "a.js": code}), settings, said)
    assert said == []
