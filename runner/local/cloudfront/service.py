"""The service `cloudfront`: all operations of its control plane in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from runner.local.cloudfront.access import Controls
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.checks import Certificates
from runner.local.cloudfront.distributions import Distributions
from runner.local.cloudfront.functions import Functions
from runner.local.cloudfront.invalidations import Invalidations
from runner.local.cloudfront.policies import cache_policies, request_policies
from runner.local.cloudfront.stores import Stores
from runner.local.cloudfront.tags import Tags
from runner.local.wire import Operation


class ControlPlane:
    """Ours in place of moto's. `reset` forgets the account, its key value stores included."""

    name = "cloudfront"

    def __init__(
        self, account: Account, certificates: Certificates, *, forget: Callable[[], None]
    ) -> None:
        self._account = account
        self._forget = forget  # what the edges remember
        self._operations: dict[str, Operation] = {}
        for part in (
            Distributions(account, certificates),
            Controls(account),
            cache_policies(account),
            request_policies(account),
            Functions(account),
            Stores(account),
            Invalidations(account),
            Tags(account),
        ):
            self._operations |= part.operations()

    def operations(self) -> Mapping[str, Operation]:
        return self._operations

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of everything, for the tagging API."""
        return [(arn, dict(tags)) for arn, tags in self._account.tags.items()]

    def reset(self) -> None:
        self._account.reset()
        self._forget()
