"""What `invoke` says: the payload, and beside it how the call went. Pure."""

from __future__ import annotations

import json

from runner.aws.calling import Answer
from runner.operate.call import Called, payload_of
from runner.report.printable import printable
from runner.report.text import error_text


def payload_text(answer: Answer) -> str:
    """The payload as indented JSON: what is printed begins with nothing but JSON."""
    return printable(json.dumps(payload_of(answer), indent=2, ensure_ascii=False))


def called_text(called: Called, *, with_log: bool) -> str:
    """For standard error: the version and the time, the log's end, the error if it failed."""
    version = called.answer.version or "$LATEST"
    lines = [f"{called.target.shown}: version {version} answered in {called.seconds:.2f} s"]
    if with_log:
        lines += [f"  │ {line}" for line in called.answer.log.splitlines()]
    if called.failure:
        lines.append(error_text(called.failure))
    return printable("\n".join(lines))
