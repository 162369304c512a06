"""Responses as HTTP/1.1 writes them. Pure."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from runner.execution.http_messages import Request, Response

_REASONS = {status.value: status.phrase for status in HTTPStatus}


def refusal(status: int, text: str) -> bytes:
    """A response of our own, after which the connection ends."""
    start = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: text/plain\r\nconnection: close"
    return f"{start}\r\n\r\n{text}\n".encode()


def whole(request: Request, response: Response, *, stays: bool, now: float) -> bytes:
    """A response with its whole body; `now` in epoch seconds."""
    has_body = response.status not in (204, 304)
    body = response.body if has_body else b""
    length = f"content-length: {len(body)}" if has_body else ""
    sent = opening(response, stays=stays, now=now, body=length)
    return sent if request.method == "HEAD" else sent + body


def opening(response: Response, *, stays: bool, now: float, body: str) -> bytes:
    """`body` is the header that says how long the body is, if one is needed."""
    lines = [
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}",
        *(f"{name}: {value}" for name, value in response.headers if name != "content-length"),
        f"date: {_date(int(now))}",
        f"connection: {'keep-alive' if stays else 'close'}",
        *([body] if body else []),
    ]
    text = "\r\n".join(lines)
    if text.count("\r") + text.count("\n") != 2 * (len(lines) - 1):
        # A header with a line break in it would be two: refused by whoever reads it, not by us.
        text = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
    return text.encode("latin-1", "replace") + b"\r\n\r\n"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
