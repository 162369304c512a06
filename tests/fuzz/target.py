"""One input of the hunt: two visitors made of bytes, and every promise asked of both."""

from __future__ import annotations

from functools import cache

from runner.local.edge_rules import EdgeFunctionError
from tests.fuzz.edge import Edge, Journey
from tests.fuzz.promises import Kept, broken
from tests.fuzz.visitors import Visitor, visitors


class Hunter:
    """`production` and `previews` are the edges under attack; what they keep is remembered."""

    def __init__(self, production: Edge, previews: Edge) -> None:
        self._edges = {False: production, True: previews}
        self._kept = Kept()
        self.visits = 0

    def findings(self, data: bytes) -> list[str]:
        """What the visitors of these bytes break, each with its visitor."""
        asking = visitors(data)
        self.visits += len(asking)
        journeys = self._edges[asking[0].is_preview].visits(asking)
        return [
            f"{what}\n  by {_told(visitor)}"
            for visitor, journey in zip(asking, journeys, strict=True)
            for what in self._broken(journey)
        ]

    def _broken(self, journey: Journey | EdgeFunctionError) -> list[str]:
        if isinstance(journey, EdgeFunctionError):
            return [f"CloudFront answers {journey.status}: {journey}"]
        return [*broken(journey), *self._kept.broken(journey)]


@cache
def hunter() -> Hunter:
    """Of the product as it is; one a process, because its programs take a while to start."""
    return Hunter(Edge(previews=False), Edge(previews=True))


def _told(visitor: Visitor) -> str:
    said = {
        "state": visitor.state.name,
        "method": visitor.method,
        "host": visitor.host,
        "uri": visitor.uri,
        "query": visitor.query,
        "headers": visitor.headers,
        "cookies": visitor.cookies,
        "country": visitor.country,
    }
    return ", ".join(f"{name}={value!r}" for name, value in said.items() if value)
