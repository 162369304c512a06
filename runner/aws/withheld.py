"""An account that can be read and not written: what would be written is heard instead.

So the steps of a deploy, which put right what differs, tell what differs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.model import OperationModel

from runner.aws.session import Aws

# Every operation of ours that only reads begins like this; `BatchGetItem` is one of DynamoDB's.
READS = ("Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Simulate")


class Withheld(Exception):  # noqa: N818 -- not an error: the end of a step that would write
    """A write whose answer the step needs: the look ends there."""


class Reader:
    """A second way into an account, for any number of threads; each hears its own writes."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws.beside(self._ask)
        self._mine = threading.local()

    @contextmanager
    def hearing(self) -> Iterator[list[str]]:
        """The operations that would have written, by AWS's names, in their order."""
        heard: list[str] = []
        self._mine.heard = heard
        with suppress(Withheld):
            yield heard

    def _ask(self, model: OperationModel, _: Any) -> Any:
        """Passes over a write that answers nothing; what follows it is looked at as well."""
        if model.name.startswith(READS):
            return None
        self._mine.heard.append(model.name)
        if model.output_shape is None or not model.output_shape.members:
            answer: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": 200}}
            return AWSResponse("", 200, HTTPHeaders(), None), answer
        raise Withheld(model.name)
