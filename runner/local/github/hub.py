"""GitHub's REST API for the operations that we use, in this process: stateful, strict, with faults.

Each request and each answer is judged by GitHub's own description of its API; an answer that it
would not give is a defect of this stand-in and raises. Touches no network but its own port.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qsl

from runner.local.faults import ConnectionLost
from runner.local.github import checks, comments, deployments, pulls, rights, sources
from runner.local.github.asked import Answer, Asked, Handler, Listed
from runner.local.github.description import Operation, description
from runner.local.github.faults import Faults
from runner.local.github.limits import Limits
from runner.local.github.replies import (
    DefectError,
    broken,
    check_request,
    json_of,
    paged,
    refusal,
    whole,
)
from runner.local.github.shapes import Shapes
from runner.local.github.state import RefusedError, Repository, State, Token
from runner.local.server import Server
from runner.local.wire import Request, Response

_HANDLERS: dict[str, Handler] = {
    **checks.HANDLERS,
    **comments.HANDLERS,
    **deployments.HANDLERS,
    **pulls.HANDLERS,
    **sources.HANDLERS,
}
_NOWHERE = Repository(id=0, owner="", name="", private=False, default_branch="")
_NO_AGENT = (
    "Request forbidden by administrative rules. Please make sure your request has a User-Agent "
    "header."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that came in, and how it ended; status 0 is a connection that was reset."""

    operation: str
    method: str
    path: str
    query: str
    body: Mapping[str, Any]
    status: int


class Hub:
    """`now` gives seconds of the epoch; `sleep` is how slow answers pass their time."""

    def __init__(
        self, *, now: Callable[[], float], sleep: Callable[[float], None], port: int = 0
    ) -> None:
        self.reset()
        self.now = now
        self.sleep = sleep
        self._lock = threading.RLock()
        self._server = Server(self.handle, port)
        self.url = ""

    def reset(self) -> None:
        """Nobody and nothing is here. `defects` are answers that GitHub would not give."""
        self.state = State()
        self.faults = Faults()
        self.limits = Limits()
        self.seen: list[Seen] = []
        self.defects: list[str] = []

    def start(self) -> Self:
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.port}"
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def lock(self) -> threading.RLock:
        """Whoever changes the state beside the API holds it."""
        return self._lock

    @property
    def shapes(self) -> Shapes:
        return Shapes(self.state, self.url)

    def handle(self, request: Request) -> Response:
        """Answers one request. Raises ConnectionLost where a fault wants no answer."""
        found = description().find(request.method, request.path)
        operation = found[0].id if found else ""
        fault = self.faults.met(operation)
        if fault and fault.seconds:
            self.sleep(fault.seconds)
        if fault and fault.status and not fault.after:
            response = broken(fault)
        elif fault and not fault.status and not fault.after:
            response = None
        else:
            response = self._judged(request, found)
            if fault and fault.after:
                response = broken(fault) if fault.status else None
        self._remember(request, operation, response.status if response else 0)
        if response is None:
            raise ConnectionLost
        return response

    def _judged(self, request: Request, found: tuple[Operation, dict[str, str]] | None) -> Response:
        try:
            with self._lock:
                return self._answered(request, found)
        except DefectError as error:
            self.defects.append(str(error))
            raise

    def _remember(self, request: Request, operation: str, status: int) -> None:
        body = json_of(request.body)
        self.seen.append(
            Seen(
                operation=operation,
                method=request.method,
                path=request.path,
                query=request.query,
                body=body if isinstance(body, dict) else {},
                status=status,
            )
        )

    def _answered(
        self, request: Request, found: tuple[Operation, dict[str, str]] | None
    ) -> Response:
        if not request.header("user-agent"):
            return refusal(RefusedError(403, _NO_AGENT), ())
        try:
            token = rights.token_of(self.state, request.header("authorization"))
        except RefusedError as error:
            return refusal(error, ())
        now = self.now()
        try:
            if not found or found[0].id != "rate-limit/get":
                self.limits.check(token, writes=request.method != "GET", now=now)
            if found:
                operation, path = found
                return self._performed(request, token, operation=operation, path=path, now=now)
        except RefusedError as error:
            return refusal(error, self.limits.headers(token, now))
        return refusal(RefusedError(404, "Not Found"), self.limits.headers(token, now))

    def _performed(
        self,
        request: Request,
        token: Token,
        *,
        operation: Operation,
        path: Mapping[str, str],
        now: float,
    ) -> Response:
        repository = self._repository(path)
        rights.check(token, operation.id, repository)
        query, body = dict(parse_qsl(request.query)), json_of(request.body)
        check_request(operation, query, body)
        asked = Asked(
            state=self.state,
            shapes=self.shapes,
            token=token,
            repository=repository,
            path=path,
            query=query,
            body=body if isinstance(body, dict) else {},
            now=now,
        )
        answer = self._handler(operation)(asked)
        links: tuple[tuple[str, str], ...] = ()
        if isinstance(answer, Listed):
            answer, links = paged(answer, query, f"{self.url}{request.path}")
        return self._told(request, token, operation=operation, answer=answer, links=links)

    def _handler(self, operation: Operation) -> Handler:
        if operation.id == "rate-limit/get":
            return self._rate_limit
        return _HANDLERS[operation.id]

    def _rate_limit(self, asked: Asked) -> Answer:
        told = self.limits.overview(asked.token, asked.now)
        return Answer(status=200, value={"resources": {"core": told, "search": told}, "rate": told})

    def _repository(self, path: Mapping[str, str]) -> Repository:
        if "owner" not in path:
            return _NOWHERE
        found = self.state.find(path["owner"], path["repo"])
        if found is None:
            raise RefusedError(404, "Not Found")
        return found

    def _told(
        self,
        request: Request,
        token: Token,
        *,
        operation: Operation,
        answer: Answer,
        links: tuple[tuple[str, str], ...],
    ) -> Response:
        value = whole(operation, answer)
        if answer.status == HTTPStatus.NO_CONTENT:
            return Response(status=204, headers=self.limits.headers(token, self.now()))
        body = json.dumps(value, separators=(",", ":")).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if request.method == "GET" and etag in request.header("if-none-match").split(", "):
            self.limits.give_back(token)
            head = (("etag", etag), *self.limits.headers(token, self.now()))
            return Response(status=304, headers=head)
        headers = (
            ("content-type", "application/json; charset=utf-8"),
            ("etag", etag),
            *links,
            *self.limits.headers(token, self.now()),
        )
        return Response(status=answer.status, headers=headers, body=body)
