"""A GitHub in this process: `Hub` is the API, `Hands` is what people do with their repositories.

Neither imports anything of the product's own client: they know GitHub's contract alone.
"""

from runner.local.github.faults import Fault
from runner.local.github.hands import Hands
from runner.local.github.hub import Hub, Seen

__all__ = ["Fault", "Hands", "Hub", "Seen"]
