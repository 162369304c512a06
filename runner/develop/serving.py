"""From a request to a function and back, as an HTTP API would; what goes wrong is told at once.

Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from random import getrandbits
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec

from runner.develop import background
from runner.develop.admission import Gate
from runner.develop.functions import Functions, Routes
from runner.errors import JamError
from runner.execution import payload
from runner.execution.http_messages import Request, Response
from runner.execution.matching import Match
from runner.execution.pool import PoolClosedError
from runner.execution.program import Event, Listener, Outcome, Program
from runner.execution.streaming import Begun, CutError, begin
from runner.model import Background
from runner.package.functions.discover import Source

ACCOUNT = "000000000000"  # nobody's
_API, _STAGE = "local", "dev"
# Source: "Quotas for configuring and running an HTTP API", payload size; "Lambda quotas",
# invocation payload, request and response.
_LARGEST_BODY = 10 * 1024 * 1024
_LARGEST_EVENT = 6 * 1024 * 1024
_DEFAULT_TYPE = "text/plain; charset=utf-8"
# Lambda API reference, Invoke: where a function's own AWS client calls another function.
INVOKE = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class Run(Protocol):
    """Runs one event; a streamed answer goes to a listener as it is made."""

    def __call__(
        self, program: Program, event: Event, listener: Listener | None = None, /
    ) -> Outcome: ...


Say = Callable[[str, str], None]
"""Told the name of a function and a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """`now` gives epoch seconds; `say` prints."""

    functions: Functions
    run: Run
    now: Callable[[], float]
    say: Say
    gate: Gate

    def answer(self, request: Request) -> Response:
        """The function's response, or the refusal that API Gateway would give."""
        invoked = INVOKE.fullmatch(request.path) if request.method == "POST" else None
        if invoked:
            return self._invoked(invoked["name"], request)
        routes = self.functions.routes()
        if routes.error:
            return self._refused("functions", routes.error)
        if by_hand := background.BY_HAND.fullmatch(request.path):
            return self._by_hand(routes, by_hand["name"])
        if len(request.body) > _LARGEST_BODY:
            return payload.message(413, "Request Entity Too Large")
        chosen = routes.table.match(request.method, request.path)
        if chosen is None:
            return payload.message(404, "Not Found")
        source = routes.sources[chosen.index]
        judged = self.gate(
            routes.admissions[chosen.index], request, lambda text: self.say(source.name, text)
        )
        if isinstance(judged, Response):
            return judged
        asked = self._asked(request, chosen, authorizer=judged)
        if source.name in routes.streams:  # it has a function URL, and that no routes
            region = self.functions.place.names.region
            host = f"{_API}.lambda-url.{region}.on.aws"
            asked = replace(asked, route="$default", path_parameters=None, host=host)
        event = msgspec.json.encode(payload.event(request, asked))
        if len(event) > _LARGEST_EVENT:
            return payload.message(413, "Request Entity Too Large")
        running = routes.running.get(source.name)
        if running and running.requests:
            return self._accepted(source, event, running, trace=asked.trace)
        return self._called(source, event, asked)

    def _accepted(
        self, source: Source, event: bytes, running: Background, *, trace: str
    ) -> Response:
        """Answered at once; what the function says goes to the terminal, its answer nowhere."""
        if len(event) > background.LARGEST_EVENT:
            return payload.message(413, "Request Entity Too Large")
        try:
            program = self.functions.program(source)
        except JamError as error:
            return self._refused(source.name, error)
        told = _event(program, event, trace=trace)

        def run() -> None:
            with suppress(PoolClosedError):
                if self.run(program, told).error:
                    self.say(source.name, background.fate(running))

        threading.Thread(target=run, daemon=True).start()
        return background.accepted(told.request_id)

    def _by_hand(self, routes: Routes, name: str) -> Response:
        """Runs a scheduled function now, and shows what it answers."""
        source = routes.named(name)
        if source is None or name not in background.by_schedule(routes.running):
            return payload.message(404, f"no schedule runs a function {name}")
        try:
            program = self.functions.program(source)
        except JamError as error:
            return self._refused(name, error)
        event = background.scheduled(self.functions.place.names, name, now=self.now())
        outcome = self.run(program, _event(program, event, trace=""))
        headers = (("content-type", "application/json"),)
        return Response(status=500 if outcome.error else 200, headers=headers, body=outcome.payload)

    def _called(self, source: Source, event: bytes, asked: payload.Asked) -> Response:
        try:
            program = self.functions.program(source)
        except JamError as error:
            return self._refused(source.name, error)
        told = _event(program, event, trace=asked.trace)
        try:
            if program.stream:
                return _response(begin(lambda listener: self.run(program, told, listener)))
            return _response(self.run(program, told))
        except PoolClosedError:  # Ctrl-C while it was being called
            return payload.message(503, "Service Unavailable")
        except CutError:
            return payload.message(500, "Internal Server Error")
        except payload.BadResultError as error:
            self.say(source.name, f"the result is no response: {error}")
            return payload.message(500, "Internal Server Error")

    def _asked(
        self, request: Request, chosen: Match, *, authorizer: dict[str, Any] | None
    ) -> payload.Asked:
        """As behind a distribution: the stage is in the context's path alone. Only the headers that
        tell of the visitor say how dev is reached; a deploy's are https and port 443."""
        now, path = self.now(), unquote(request.path)
        port, drawn = request.host.rpartition(":")[2], f"{getrandbits(160):040x}"
        return payload.Asked(
            api=_API,
            account=ACCOUNT,
            stage=_STAGE,
            route=chosen.key,
            path=path,
            context_path=f"/{_STAGE}{path}",
            port=port if port.isdigit() else "",
            request_id=f"{drawn[:15]}=",
            at=now,
            trace=f"Root=1-{int(now):08x}-{drawn[15:39]}",
            # Deployed, a route that is open to all still has the API's own authorizer.
            authorizer=authorizer or {"lambda": None},
            path_parameters=chosen.parameters,
            # CloudFront asks an API by the API's own name; the visitor's is in `x-forwarded-host`.
            host=f"{_API}.execute-api.{self.functions.place.names.region}.amazonaws.com",
        )

    def _refused(self, name: str, error: JamError) -> Response:
        """The site's own mistake, told where it was made and where it is seen."""
        text = f"{error}\n{error.hint}"
        self.say(name, f"error[{error.code}]: {text}")
        return payload.message(500, text, error=error.code)

    def _invoked(self, name: str, request: Request) -> Response:
        """Lambda's own call of one of the site's functions."""
        routes = self.functions.routes()
        source = self._of_lambda_name(routes, name)
        if source is None:
            text = f"Function not found: {name}"
            return payload.message(404, text, key="Message", error="ResourceNotFoundException")
        try:
            program = self.functions.program(source)
        except JamError as error:
            return self._refused(source.name, error)
        if request.header("x-amz-invocation-type") == "DryRun":
            return Response(status=204)
        event = _event(program, request.body or b"{}", trace="")
        if request.header("x-amz-invocation-type") == "Event":
            threading.Thread(target=self.run, args=(program, event), daemon=True).start()
            return Response(status=202)
        outcome = self.run(program, event)
        failed = (("x-amz-function-error", "Unhandled"),) if outcome.error else ()
        return Response(
            status=200,
            headers=(("x-amz-executed-version", "$LATEST"), *failed),
            body=outcome.payload,
        )

    def _of_lambda_name(self, routes: Routes, name: str) -> Source | None:
        lambda_name = self.functions.place.names.function
        plain = name.partition(":")[0]
        return next((each for each in routes.every if lambda_name(each.name) == plain), None)


def _response(answer: Begun | Outcome) -> Response:
    if isinstance(answer, Begun):
        return payload.streamed(answer.content_type, answer.parts)
    if answer.error:
        return payload.message(500, "Internal Server Error")
    if len(answer.payload) > _LARGEST_EVENT:
        raise payload.BadResultError(f"{len(answer.payload):,} bytes, 6 MB at most")
    return payload.response(answer.payload, default_type=_DEFAULT_TYPE)


def _event(program: Program, body: bytes, *, trace: str) -> Event:
    return Event(
        payload=body,
        request_id=_request_id(getrandbits(128)),
        arn=f"arn:aws:lambda:{program.region}:{ACCOUNT}:function:{program.name}",
        trace_id=trace,
    )


def _request_id(drawn: int) -> str:
    """A UUID of version 4, as Lambda's are; the library's costs more than the event's encoding."""
    text = f"{drawn & ~(0xF << 76 | 3 << 62) | 4 << 76 | 2 << 62:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
