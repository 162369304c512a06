"""Runs the functions of behaviours: one engine a published function, fed by what an edge sees."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.events import Event
from runner.local.cloudfront.values import Edges
from runner.local.cloudfront.view import FunctionRef
from runner.local.javascript import EdgeFunction, Outcome

_NOTHING: Mapping[str, str] = {}


class Handlers:
    """Safe from several threads; the engines live until the code changes or `close`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._edges = Edges()
        self._engines: dict[str, tuple[str, EdgeFunction]] = {}
        self._lock = threading.Lock()

    def run(self, function: FunctionRef, event: Event) -> Outcome:
        """Raises EdgeFunctionError as the function fails."""
        return self._engine(function).invoke(event)

    def _engine(self, function: FunctionRef) -> EdgeFunction:
        etag, engine = self._engines.get(function.name, ("", None))
        if engine is not None and etag == function.etag:
            return engine
        with self._lock:
            etag, engine = self._engines.get(function.name, ("", None))
            if engine is None or etag != function.etag:
                engine = self._made(function)
                # The former engine is not closed: a call may still be in it. Python frees it.
                self._engines[function.name] = (function.etag, engine)
        return engine

    def _made(self, function: FunctionRef) -> EdgeFunction:
        if not function.store:
            return EdgeFunction(function.code, clock=self._account.now)
        return EdgeFunction(
            function.code,
            lambda: self._seen(function.store),
            store_id=function.store.rpartition("/")[2],
            clock=self._account.now,
        )

    def _seen(self, arn: str) -> Mapping[str, str]:
        store = self._account.store_by_arn(arn)
        if store is None:
            return _NOTHING
        return self._edges.snapshot(
            store, self._account.settings.propagation, now=self._account.now()
        )

    def close(self) -> None:
        with self._lock:
            for _etag, engine in self._engines.values():
                engine.close()
            self._engines.clear()
