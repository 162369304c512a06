"""How fast the embedded CloudFront changes and how untrue its edges' store is: knobs for tests.

`Propagation` is read by every function call; replace it to change what the edges see from then on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """What the edges see of the key value store for `seconds` after a change.

    Until then each look at a changed key gives, with probability `missing`, no value, with
    probability `old`, the value before the change, and else the new one. So answers can be late,
    unordered and gappy. `seconds` are the cloud's; 0 means that every edge sees a change at once.
    """

    seconds: float = 0.0
    missing: float = 0.0
    old: float = 1.0
    seed: int = 0


@dataclass(slots=True, kw_only=True)
class Settings:
    """Delays in seconds of the cloud's clock; AWS's own are minutes for a distribution."""

    deployment: float = 2.0  # InProgress to Deployed; edges serve the former configuration
    provisioning: float = 1.0  # of a key value store, until READY
    invalidation: float = 1.0  # until Completed; only then are the objects gone
    country: str = "US"  # where visitors come from, unless a test's header says otherwise
    propagation: Propagation = Propagation()

    def change(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Sets what `wanted` names (the admin API's body) and returns everything as it is now.

        `{"propagation": {"seconds": 30, "missing": 0.3, "old": 0.3}, "deployment": 0}`
        Raises ValueError for a name that does not exist.
        """
        known = {each.name for each in fields(self)}
        unknown = wanted.keys() - known
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        for name, value in wanted.items():
            if name == "propagation":
                names = {each.name for each in fields(Propagation)}
                if value.keys() - names:
                    raise ValueError(f"propagation has {', '.join(sorted(names))}")
                self.propagation = replace(self.propagation, **value)
            else:
                setattr(self, name, type(getattr(self, name))(value))
        return asdict(self)
