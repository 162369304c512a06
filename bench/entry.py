"""One row of bench/results.json: what we and our peers need for one thing, and the aim. Pure.

An aim that names a peer is not met where that peer is absent: nobody has been compared.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Spread:
    """Of several readings of one thing, in the entry's unit."""

    median: float
    min: float
    max: float


def spread(values: Iterable[float]) -> Spread:
    """Four digits count, no more than the machine has. Raises where there is no reading."""
    kept = [float(f"{value:.4g}") for value in values]
    return Spread(median=float(f"{statistics.median(kept):.4g}"), min=min(kept), max=max(kept))


@dataclass(frozen=True, kw_only=True)
class Aim:
    """By medians: within `bound`, and `times` as good as the best of the peers in `over`."""

    bound: float | None = None
    over: tuple[str, ...] = ()
    times: float = 1.0

    def text(self, unit: str, *, higher: bool) -> str:
        said = []
        if self.bound is not None:
            said.append(f"{'at least' if higher else 'at most'} {self.bound:g} {unit}")
        if self.over:
            said.append(f"{self._factor()} {', '.join(self.over)}")
        return "; ".join(said)

    def _factor(self) -> str:
        if self.times == 1:
            return "no worse than"
        if self.times < 1:
            return f"within {1 / self.times:g} times"
        return f"{self.times:g} times as good as"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`higher` is better, or else lower; `rtt_ms` is what a proxy adds to each round trip."""

    name: str
    unit: str
    ours: Spread
    peers: dict[str, Spread] = field(default_factory=dict)
    aim: Aim
    higher: bool = False
    rtt_ms: float = 0

    @property
    def met(self) -> bool:
        sign = -1 if self.higher else 1
        ours, aim = sign * self.ours.median, self.aim
        if aim.bound is not None and ours > sign * aim.bound:
            return False
        factor = aim.times if not self.higher else 1 / aim.times
        return all(
            peer in self.peers and ours * factor <= sign * self.peers[peer].median
            for peer in aim.over
        )

    def row(self) -> dict[str, object]:
        """As other programs read it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "rtt_ms": self.rtt_ms,
            "ours": asdict(self.ours),
            "peers": {name: asdict(each) for name, each in self.peers.items()},
            "aim": self.aim.text(self.unit, higher=self.higher),
            "met": self.met,
        }


@dataclass
class Readings:
    """What has been read so far: by the thing that is measured, and by whom."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, what: str, who: str, value: float) -> None:
        self.values.setdefault(what, {}).setdefault(who, []).append(value)

    def of(self, what: str) -> dict[str, Spread]:
        return {who: spread(values) for who, values in self.values.get(what, {}).items()}

    def peers(self, what: str, ours: str) -> dict[str, Spread]:
        return {who: each for who, each in self.of(what).items() if who != ours}
