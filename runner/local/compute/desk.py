"""What all operations of Lambda's control plane work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.local.clock import Clock
from runner.local.compute.code import Codes
from runner.local.compute.reference import Reference, function_of, reference, stale
from runner.local.compute.roles import Roles
from runner.local.compute.store import Function, Store
from runner.local.ids import Ids
from runner.local.letters import Outlet
from runner.local.wire import Call, Parameters


@dataclass(frozen=True, kw_only=True)
class Desk:
    """`forget` is told of a function whose processes are of no use any more; `outlet` sends what
    functions' events become.
    """

    store: Store
    codes: Codes
    roles: Roles
    clock: Clock
    ids: Ids
    account: str
    outlet: Callable[[], Outlet]
    forget: Callable[[Function], None] = lambda _function: None

    def find(self, parameters: Parameters, call: Call) -> tuple[Function, Reference]:
        """The function that the call names; raises ResourceNotFoundException."""
        wanted = reference(parameters, call)
        return function_of(self.store, wanted, account=self.account), wanted

    def same_revision(self, parameters: Parameters, revision: str) -> None:
        """Refuses a call that was made for another state than there is."""
        if parameters.get("RevisionId") not in (None, "", revision):
            raise stale()
