"""Calls a deployed function with an event from a file, and tells what it answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from runner.aws.calling import LARGEST, Answer, call
from runner.aws.session import Aws
from runner.errors import JamError, site_error
from runner.operate.choose import Target

# Source: Lambda developer guide, "Writing response streaming-enabled Lambda functions".
_PRELUDE_END = "\0" * 8
_SHOWN = 500  # characters of an error's text


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """`failure` is set if the function failed: then the payload is its error."""

    target: Target
    answer: Answer
    seconds: float
    failure: JamError | None


def event_of(text: bytes, where: str) -> bytes:
    """The event as Lambda takes it. Raises JAM-EVENT with the place of what is wrong."""
    try:
        event = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _wrong(f"{where}:{error.lineno}:{error.colno}: {error.msg}") from error
    except ValueError as error:  # not UTF-8, or a number that JSON does not have
        raise _wrong(f"{where}: {error}") from error
    payload = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    encoded = payload.encode("utf-8", "surrogatepass")
    if len(encoded) > LARGEST:
        raise _wrong(f"{where} has {len(encoded)} bytes; Lambda takes {LARGEST}")
    return encoded


def invoke(aws: Aws, target: Target, event: bytes) -> Called:
    """Runs the function once and waits for it."""
    begun = aws.clock()
    answer = call(aws, target.function, version=target.version, payload=event)
    return Called(
        target=target,
        answer=answer,
        seconds=aws.clock() - begun,
        failure=_failure(target, answer) if answer.failed else None,
    )


def payload_of(answer: Answer) -> Any:
    """The payload as JSON; what is none stays text, and what is empty is null.

    What a streaming handler wrote is its prelude, and its body as the member of that name.
    """
    text = answer.payload.decode("utf-8", "replace")
    prelude, streamed, body = text.partition(_PRELUDE_END)
    try:
        if streamed:
            return {**json.loads(prelude), "body": body}
        return json.loads(text) if text else None
    except ValueError:
        return text


def document(called: Called) -> dict[str, Any]:
    """For `--json`; with `error`, as of any command, if the function failed."""
    answer, failure = called.answer, called.failure
    found: dict[str, Any] = {
        "name": called.target.shown,
        "function": called.target.function,
        "version": answer.version,
        "seconds": round(called.seconds, 3),
        "payload": payload_of(answer),
        "log": answer.log.splitlines(),
    }
    if failure:
        found["error"] = {"code": failure.code, "message": str(failure), "hint": failure.hint}
    return found


def _failure(target: Target, answer: Answer) -> JamError:
    """Whose turn it is: the site's, because its function failed (interface: status 2)."""
    found = payload_of(answer)
    kind, message = "", str(found)
    if isinstance(found, dict):
        kind, message = str(found.get("errorType", "")), str(found.get("errorMessage", found))
    told = f"{kind}: {message}" if kind else message
    return site_error(
        "JAM-FUNCTION-FAILED",
        f"{target.shown} (version {answer.version}) failed: {told[:_SHOWN]}",
        hint=f"`jam-deploy logs '{target.shown}'` has all its lines; the last ones stand above.",
    )


def _no_number(name: str) -> None:
    """Python would read and write NaN and Infinity; Lambda refuses them."""
    raise ValueError(f"{name} is no number in JSON")


def _wrong(what: str) -> JamError:
    return site_error(
        "JAM-EVENT",
        f"The event cannot be sent: {what}.",
        hint='Give a file with one JSON value, such as {"rawPath": "/"}, or - for standard input.',
    )
