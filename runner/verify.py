"""Fetches what changed, as a visitor would, and compares it with what was released.

Writes nothing. Functions are called with GET alone, which HTTP defines as safe.
Source: RFC 9110, section 9.2.1, "Safe Methods".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from runner.acceptor.acceptor import VERIFY
from runner.errors import JamError, aws_error, site_error
from runner.fetch import Answer, Fetch
from runner.model import OWN_REFUSAL, File, Function, Kind, Release
from runner.report.text import Check
from runner.together import at_once

AT_MOST = 400  # files fetched; of more, an even sample
WORKERS = 8
PAUSE = 1.0  # seconds between looks while the store and the distribution settle
NAVIGATION = {"sec-fetch-mode": "navigate", "accept": "text/html"}
# AWS states no time after which a new stage of an HTTP API answers everywhere.
ROUTES_SETTLE = 20.0  # seconds
PROBE = "jam-verify"  # stands for a path parameter
# The keeper does not know the key that the distribution sends, or something stands before the API.
NOT_LET_IN = "which is not the function's answer; the API does not let the distribution in"
ROUTE_MISSING = b'{"message":"Not Found"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait until everybody sees the new release: `seconds` from `clock`."""

    seconds: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]


def verify(
    release: Release,
    *,
    files: Sequence[File],
    functions: Sequence[Function],
    fetch: Fetch,
    patience: Patience,
    glance: Fetch | None = None,
) -> tuple[Check, ...]:
    """The checks, all passed; raises JAM-VERIFY with those that failed.

    `glance` fetches from functions that stream: no more than the head of their answer.
    """
    checks = looked_at(
        release, files=files, functions=functions, fetch=fetch, patience=patience, glance=glance
    )
    failed = [check for check in checks if check.outcome == "failed"]
    if failed:
        raise _not_as_released(failed)
    return checks


def looked_at(
    release: Release,
    *,
    files: Sequence[File],
    functions: Sequence[Function],
    fetch: Fetch,
    patience: Patience,
    glance: Fetch | None = None,
) -> tuple[Check, ...]:
    """The same checks, passed or failed."""
    sets = {each.ref: dict(each.headers) for each in release.header_sets}
    until = patience.clock() + patience.seconds

    def look(file: File) -> Check:
        def wrong() -> str:
            return _file_wrong(file, release, sets=sets, fetch=fetch)

        return _check(visitor_path(file), _patiently(wrong, patience, until=until))

    def call(function: Function) -> Check:
        def wrong() -> str:
            chosen = glance if glance and function.stream else fetch
            answer = chosen(_probe(function), _asking(function))
            return _function_wrong(function, answer)

        return _check(function.route, _patiently(wrong, patience, until=until))

    with at_once(WORKERS, name="verify") as pool:
        looked = tuple(pool.map(look, _sample(files)))
        return (*looked, *pool.map(call, callable_functions(functions)))


def smoke(
    functions: Sequence[Function],
    *,
    fetch: Fetch,
    explain: Callable[[Function], str],
    patience: Patience,
) -> tuple[Check, ...]:
    """Calls changed functions before any visitor can; raises JAM-FUNCTION-FAILS.

    `fetch` reaches the new api_stage directly; `explain` gives a failed function's last words. A
    route that is missing yet is waited for; a function that failed is not called again.
    """
    checks = _called(functions, fetch, patience=patience)
    for function, check in zip(callable_functions(functions), checks, strict=True):
        if check.outcome == "failed":
            raise site_error(
                "JAM-FUNCTION-FAILS",
                f"function {function.name} failed before it went live: {check.detail}",
                hint=f"Nothing was switched. {explain(function)}".strip(),
            )
    return checks


def callable_functions(functions: Iterable[Function]) -> tuple[Function, ...]:
    """Those that answer GET: the others cannot be called without changing something."""
    return tuple(each for each in functions if {"ANY", "GET"} & set(each.methods))


def visitor_path(file: File) -> str:
    """The address that a visitor uses: pretty for documents."""
    path = file.path
    if file.kind is Kind.DOCUMENT:
        path = path.removesuffix("index.html") if path.endswith("/index.html") else path
        path = "" if path == "index.html" else path
        short = path.removesuffix(".html")
        # With a dot that is left it would be another file's name (`key_of`).
        path = path if "." in short.rpartition("/")[2] else short
    return "/" + quote(path)


def _patiently(wrong: Callable[[], str], patience: Patience, *, until: float) -> str:
    """What is still wrong at `until`: edges hear of a release one after another.

    A host that cannot be reached yet is waited for too: a new distribution's name takes a while.
    """
    while True:
        try:
            found = wrong()
        except JamError as error:
            if patience.clock() >= until:
                raise
            found = error.message
        if not found or patience.clock() >= until:
            return found
        patience.sleep(PAUSE)


def _called(
    functions: Sequence[Function], fetch: Fetch, *, patience: Patience
) -> tuple[Check, ...]:
    until = patience.clock() + patience.seconds

    def call(function: Function) -> Check:
        answer = fetch(_probe(function), _asking(function))
        while _no_route(answer) and patience.clock() < until:
            patience.sleep(PAUSE)
            answer = fetch(_probe(function), _asking(function))
        return _check(function.route, _function_wrong(function, answer))

    with at_once(WORKERS, name="smoke") as pool:
        return tuple(pool.map(call, callable_functions(functions)))


def _no_route(answer: Answer) -> bool:
    return answer.status == 404 and answer.body.strip() == ROUTE_MISSING


def _probe(function: Function) -> str:
    segments = function.route.split("/")
    return "/".join(PROBE if segment.startswith("{") else segment for segment in segments)


def _asking(function: Function) -> dict[str, str]:
    """What runs in the background would really run: there the acceptor is asked if it could."""
    return {VERIFY: "1"} if function.background.requests else {}


def _function_wrong(function: Function, answer: Answer) -> str:
    if answer.status >= 500:
        return f"answers {answer.status}"
    if _no_route(answer):
        return "has no route"
    if answer.status not in (401, 403):
        return ""
    if function.stream:
        return "is refused to the distribution by Lambda" if _is_lambdas(answer) else ""
    # By the site's own authorizer it is API Gateway that refuses who has no token, and rightly.
    is_own = function.admission.authorizer or OWN_REFUSAL in answer.headers
    return "" if is_own else f"is not reached: {answer.status}, {NOT_LET_IN}"


def _is_lambdas(answer: Answer) -> bool:
    """Lambda's own refusal of CloudFront, which is none of the function's."""
    return answer.status == 403 and "x-amzn-errortype" in answer.headers


def _file_wrong(
    file: File, release: Release, *, sets: Mapping[str, Mapping[str, str]], fetch: Fetch
) -> str:
    """What differs from the release, or nothing."""
    navigates = NAVIGATION if file.kind is Kind.DOCUMENT else {}
    answer = fetch(visitor_path(file), {**navigates, "x-jam-release": release.id})
    if answer.status != 200:
        return f"answers {answer.status}"
    ref = release.routing.headers if file.kind is Kind.IMMUTABLE else file.headers
    wanted = {
        "content-type": file.content_type,
        "cache-control": file.cache_control,
        **{name.lower(): value for name, value in sets.get(ref, {}).items()},
    }
    if file.kind is not Kind.IMMUTABLE:
        wanted["x-jam-release"] = release.id
    for name, value in wanted.items():
        if answer.headers.get(name) != value:
            return f"{name} is {answer.headers.get(name)!r}, not {value!r}"
    if hashlib.sha256(answer.body).hexdigest() != file.digest:
        return f"has {len(answer.body)} other bytes than the {file.size} released"
    return ""


def _sample(files: Sequence[File]) -> Sequence[File]:
    if len(files) <= AT_MOST:
        return files
    return [files[index * len(files) // AT_MOST] for index in range(AT_MOST)]


def _check(name: str, wrong: str) -> Check:
    return Check(name=name, outcome="failed" if wrong else "passed", detail=wrong)


def _not_as_released(failed: Sequence[Check]) -> JamError:
    shown = "\n".join(f"  {check.name} {check.detail}" for check in failed[:20])
    return aws_error(
        "JAM-VERIFY",
        f"{len(failed)} of what changed is not served as released:\n{shown}",
        hint="The release is live. Deploy again to put it right, or deploy the earlier commit.",
    )
