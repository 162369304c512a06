"""Who has an alternate domain name already, told by halves. Reads only."""

from __future__ import annotations

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.checks import Certificates, covers, items
from runner.local.cloudfront.entities import Entity
from runner.local.cloudfront.pages import api, rule
from runner.local.wire import AwsError, Call, Parameters, Result

RULES = rule(
    api("ListConflictingAliases"),
    "the distribution that asks has a certificate that covers the name; ids and accounts of those "
    "that have it, or an overlapping one, are hidden in part",
)


class Conflicts:
    """ListConflictingAliases."""

    def __init__(self, account: Account, certificates: Certificates) -> None:
        self._account = account
        self._certificates = certificates

    def listed(self, parameters: Parameters, _call: Call) -> Result:
        asking = self._account.distributions.get(parameters["DistributionId"])
        alias = parameters["Alias"].lower()
        arn = asking.body.config["ViewerCertificate"].get("ACMCertificateArn", "")
        names = self._certificates(arn) if arn else None
        if names is None or not covers(names, alias):
            raise AwsError(
                "InvalidArgument",
                "The distribution has no certificate that covers the alternate domain name.",
            )
        found = [
            {
                "Alias": taken,
                "DistributionId": _hidden(other.id, shown=7),
                "AccountId": _hidden(self._account.number, shown=6),
            }
            for other in self._account.distributions.items.values()
            for taken in _aliases(other)
            if _overlap(taken, alias)
        ]
        return {"ConflictingAliasesList": {"MaxItems": 100, "Quantity": len(found), "Items": found}}


def _aliases(found: Entity) -> list[str]:
    return [alias.lower() for alias in items(found.body.config["Aliases"])]


def _overlap(one: str, other: str) -> bool:
    return covers((one,), other) or covers((other,), one)


def _hidden(text: str, *, shown: int) -> str:
    return "*" * (len(text) - shown) + text[-shown:]
