"""What DynamoDB does and moto does not: a transaction with a token happens once."""

from __future__ import annotations

import hashlib

from runner.local.clock import Clock
from runner.local.overlay import Forward
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, Response, Rule

# Source: DynamoDB API, TransactWriteItems, ClientRequestToken.
_REMEMBERED_FOR = 600.0


class DynamoDbLayer:
    """Remembers tokens of transactions for ten minutes of the cloud's time."""

    name = "dynamodb"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._done: dict[tuple[str, str], tuple[float, str, Response]] = {}

    def reset(self) -> None:
        self._done.clear()

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        if incoming.operation != "TransactWriteItems":
            return forward(incoming)
        token = incoming.parameters.get("ClientRequestToken", "")
        key = (incoming.caller.region, token)
        digest = hashlib.sha256(incoming.request.body).hexdigest()
        at, known, answered = self._done.get(key, (0.0, "", Response(status=0)))
        if token and self._clock.now() < at + _REMEMBERED_FOR:
            if known != digest:
                raise AwsError(
                    "IdempotentParameterMismatchException",
                    "The request uses the same client token as a previous, but non-identical "
                    "request",
                )
            return answered
        response = forward(incoming)
        if token and response.status < 400:
            self._done[key] = (self._clock.now(), digest, response)
        return response


RULES: tuple[Rule, ...] = (
    Rule(service="dynamodb", rule="a transaction with a ClientRequestToken that was seen in the "
         "last ten minutes is answered, not applied again",
         page="DynamoDB API, TransactWriteItems"),
)  # fmt: skip
