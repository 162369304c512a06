"""What was written for another platform and means nothing here: told, never passed over in silence.

Pure: looks at names and texts. Every remark says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from runner.package.functions.discover import ROUTES, Source
from runner.package.functions.settings import Configuration

NETLIFY = re.compile(r"@netlify/functions|\bNetlify\.")
_OTHERS = {
    ".tsx": "a function ends in .ts; what it imports begins with `_`",
    ".jsx": "a function ends in .js; what it imports begins with `_`",
    ".go": "functions are JavaScript, TypeScript or Python",
    ".rs": "functions are JavaScript, TypeScript or Python",
    ".rb": "functions are JavaScript, TypeScript or Python",
    ".zip": "functions are source files",
}
# Members of payload 1.0. Source: API Gateway developer guide, "Create AWS Lambda proxy
# integrations for HTTP APIs in API Gateway", payload format version.
_OLD_EVENT = {
    "httpMethod": "requestContext.http.method",
    "multiValueQueryStringParameters": "rawQueryString",
    "multiValueHeaders": "headers",
    "rawUrl": "rawPath",
}
_OLD = re.compile(rf"""\bevent(?:\.|\[["']|\.get\(["'])({"|".join(_OLD_EVENT)})\b""")
# Absent where a request has no query: read as if it were always there.
_QUERY = re.compile(r"""\bevent(?:\.queryStringParameters(?:\.|\s*[;\n])|\[["']queryString)""")
_GUARDED = re.compile(r"""queryStringParameters["')\]]*\s*(?:\?|&&|\|\||,|or\b|:)|in event\b""")
_HELPERS = {
    "builder": "keeps nothing: answer with a `cache-control` header",
    "stream": "answers all at once: set `stream = true`",
}


def remarks(source: Source, found: Configuration, text: str) -> Iterator[str]:
    """What in the function `source` has no effect; `text` is its code."""
    stem = PurePosixPath(source.path).stem
    if stem == PurePosixPath(source.path).parent.name:
        folder = source.name.rpartition("/")[0]
        yield f"answers at {source.route}; named index it would at {ROUTES}/{folder}"
    if NETLIFY.search(text):
        yield from _helpers(found, text)
    else:
        for old in sorted(set(_OLD.findall(text))):
            yield f"event.{old} is not sent by HTTP APIs: use event.{_OLD_EVENT[old]}"
        if _QUERY.search(text) and not _GUARDED.search(text):
            yield "event.queryStringParameters is absent where nothing is asked: allow for that"


def _helpers(found: Configuration, text: str) -> Iterator[str]:
    for name, told in _HELPERS.items():
        if re.search(rf"\b{name}\s*\(", text) and not (name == "stream" and found.stream):
            yield f"Netlify's {name}() {told}"
    if "clientContext" in text:
        yield "context.clientContext is empty: there is no Netlify Identity; see `authorizer`"


def passed_over(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Files that elsewhere would be functions, and why they are none here."""
    for file in files:
        *folders, name = PurePosixPath(file).parts
        private = any(part == "lib" or part.startswith("_") for part in (*folders, name))
        if not private and (told := _OTHERS.get(PurePosixPath(name).suffix)):
            yield file, f"is not deployed: {told}"
