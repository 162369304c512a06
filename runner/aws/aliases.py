"""Domain names in a distribution, with their certificate; who else has one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from runner.aws import certificates, ownership
from runner.aws.edge import again, items_of
from runner.aws.refusals import code_of, tolerating
from runner.aws.session import Aws
from runner.names import Names

# Source: CloudFront developer guide, "Supported protocols and ciphers between viewers and
# CloudFront": the one that AWS recommends where no visitor needs an old one.
PROTOCOL = "TLSv1.2_2021"
TAKEN, UNCOVERED = "CNAMEAlreadyExists", "InvalidViewerCertificate"

Config = dict[str, Any]


def attach(
    aws: Aws, names: Names, *, hosts: tuple[str, ...], distribution: str, certificate: str
) -> None:
    """As many of the names as are free, with their certificate.

    Names that a person added stay; those of our certificate before this one go.
    """
    old = _ours(aws, names, distribution)

    def change(wanted: Iterable[str]) -> None:
        now = aws.edge.get_distribution_config(Id=distribution)
        config: Any = now["DistributionConfig"]
        kept = [each for each in _aliases(config) if each not in old]
        merged: Any = _with(config, hosts=dict.fromkeys((*kept, *wanted)), certificate=certificate)
        if merged != config:
            aws.edge.update_distribution(
                Id=distribution, IfMatch=now["ETag"], DistributionConfig=merged
            )

    def attempt(wanted: Iterable[str]) -> bool:
        try:
            again(lambda: change(wanted), f"the distribution {distribution}")
        except ClientError as error:
            if code_of(error) not in (TAKEN, UNCOVERED):
                raise
            return False
        return True

    if attempt(hosts):
        return
    # The certificate alone lets us ask who has the others.
    present = of(aws, distribution)
    mine = [each for each in hosts if each in present]
    for each in hosts:
        if each not in mine and attempt((*mine, each)):
            mine.append(each)
    attempt(mine)


def detach(aws: Aws, names: Names, *, gone: Iterable[str], distribution: str) -> None:
    """Takes names out; without any name left, the certificate too."""
    going = set(gone)

    def change() -> None:
        now = aws.edge.get_distribution_config(Id=distribution)
        config: Any = now["DistributionConfig"]
        there = _aliases(config)
        kept = [each for each in there if each not in going]
        arn = _certificate(config)
        is_ours = bool(arn) and ownership.is_ours(certificates.tags_of(aws, arn), names)
        keep = arn if kept or not is_ours else ""
        merged: Any = _with(config, hosts=kept, certificate=keep)
        if merged != config:
            aws.edge.update_distribution(
                Id=distribution, IfMatch=now["ETag"], DistributionConfig=merged
            )

    with tolerating("NoSuchDistribution"):
        again(change, f"the distribution {distribution}")


def of(aws: Aws, distribution: str) -> frozenset[str]:
    """The names that the distribution has."""
    config: Any = aws.edge.get_distribution_config(Id=distribution)["DistributionConfig"]
    return frozenset(_aliases(config))


def owner(aws: Aws, host: str, *, distribution: str) -> str:
    """Who has a name that the distribution cannot get, in words; empty where nobody does.

    Of another account AWS tells the ends of the ids alone.
    Source: CloudFront API reference, ListConflictingAliases.
    """
    for each in items_of(aws.edge.list_distributions, "DistributionList"):
        if each["Id"] != distribution and host in each["Aliases"].get("Items", ()):
            said = f" ({each['Comment']})" if each["Comment"] else ""
            return f"{each['Id']}{said} of this account"
    with tolerating("InvalidArgument"):  # our certificate is not attached: it cannot be asked
        told = aws.edge.list_conflicting_aliases(DistributionId=distribution, Alias=host)
        for one in told["ConflictingAliasesList"].get("Items", ()):
            if one["Alias"] == host and not distribution.endswith(one["DistributionId"].strip("*")):
                return f"{one['DistributionId']} of account {one['AccountId']}"
    return ""


def _ours(aws: Aws, names: Names, distribution: str) -> frozenset[str]:
    """The names that we put there: those of its certificate, if that is ours."""
    config: Any = aws.edge.get_distribution_config(Id=distribution)["DistributionConfig"]
    arn = _certificate(config)
    if not arn or not ownership.is_ours(certificates.tags_of(aws, arn), names):
        return frozenset()
    found = certificates.described(aws, arn)
    return found.hosts if found else frozenset()


def _aliases(config: Config) -> list[str]:
    return [each.lower() for each in config["Aliases"].get("Items", ())]


def _certificate(config: Config) -> str:
    return str(config["ViewerCertificate"].get("ACMCertificateArn", ""))


def _with(config: Config, *, hosts: Iterable[str], certificate: str) -> Config:
    listed = list(hosts)
    before = _aliases(config)
    same = sorted(listed) == sorted(before)
    aliases = config["Aliases"] if same else {"Quantity": len(listed), "Items": listed}
    return {**config, "Aliases": aliases, "ViewerCertificate": _viewer(config, certificate)}


def _viewer(config: Config, certificate: str) -> Config:
    """A person's stricter protocol stays."""
    now: Config = config["ViewerCertificate"]
    if _certificate(config) == certificate:
        return now
    if not certificate:
        return {"CloudFrontDefaultCertificate": True}
    is_default = now.get("CloudFrontDefaultCertificate", False)
    protocol = PROTOCOL if is_default else now.get("MinimumProtocolVersion", PROTOCOL)
    return {
        "ACMCertificateArn": certificate,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": protocol,
    }
