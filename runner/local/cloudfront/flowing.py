"""Bodies still on their way from an origin: passed on in parts, or collected to be kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from queue import Empty, SimpleQueue

from runner.execution.streaming import CutError
from runner.local.cloudfront import answers
from runner.local.cloudfront.pages import guide, rule
from runner.local.wire import Response

RULES = (
    *rule(
        guide("DownloadDistValuesOrigin"),
        "a response that comes in parts is passed on in parts; each may take as long as the "
        "origin's response timeout, then the connection ends",
    ),
    *rule(
        guide("ServingCompressedFiles"),
        "a response of the origin without Content-Length is not compressed",
    ),
)


def paced(response: Response, seconds: float) -> Response:
    """The same, cut off where a part takes longer than `seconds`."""
    if response.parts is None:
        return response
    return replace(response, parts=_paced(response.parts, seconds))


def collected(response: Response) -> Response:
    """The same in one piece: what is to be stored is read to its end; cut off, it is 502."""
    if response.parts is None:
        return response
    try:
        body = b"".join(response.parts)
    except CutError as error:
        return answers.page(502, answers.UNREACHABLE, detail=str(error))
    headers = (*response.headers, ("content-length", str(len(body))))
    return replace(response, headers=headers, body=body, parts=None)


def _paced(parts: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    arrived: SimpleQueue[bytes | CutError | None] = SimpleQueue()

    def carry() -> None:
        try:
            for part in parts:
                arrived.put(part)
            arrived.put(None)
        except CutError as error:
            arrived.put(error)

    threading.Thread(target=carry, daemon=True, name="origin-stream").start()
    while (part := _next(arrived, seconds)) is not None:
        yield part


def _next(arrived: SimpleQueue[bytes | CutError | None], seconds: float) -> bytes | None:
    try:
        part = arrived.get(timeout=seconds)
    except Empty:
        raise CutError("the origin was silent for too long") from None
    if isinstance(part, CutError):
        raise part
    return part
