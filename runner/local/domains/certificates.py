"""ACM: certificates that are validated by DNS, pending until name servers answer their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from runner.local.clock import Clock
from runner.local.domains.certificate import (
    LIFE,
    Certificate,
    check_names,
    checked_tags,
    proof,
    region_of,
)
from runner.local.domains.dns import Answer, Dns, plain
from runner.local.domains.pages import acm, guide, reference
from runner.local.ids import Ids
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *acm(
        guide("dns-validation"),
        "a certificate is PENDING_VALIDATION until the CNAME record of each of its names is "
        "answered, then ISSUED; after 72 hours VALIDATION_TIMED_OUT",
        "a name's record is the same in all certificates of an account; *.example.com has "
        "example.com's",
    ),
    *acm(
        guide("troubleshooting-caa"),
        "a CAA record of the name, or of the nearest one above it, that names none of Amazon's "
        "authorities: FAILED with CAA_ERROR",
    ),
    *acm(
        reference("RequestCertificate"),
        "the first name has at most 64 characters; at most 10 names without a higher quota: "
        "LimitExceededException",
        "the same IdempotencyToken within an hour gives the same certificate",
        "the validation records are told a few seconds later",
    ),
    *acm(
        reference("DeleteCertificate"),
        "a certificate that a distribution has, or has just given up, is in use: "
        "ResourceInUseException",
    ),
    *acm(reference("ListCertificates"), "certificates are listed by region, without their tags"),
)
NOT_EMULATED = (
    "ACM: imported and private certificates, validation by e-mail, renewal, expiry, certificates "
    "as files: 501",
)

VALIDATES = 60.0  # seconds from the last record's appearance
TOLD_AFTER = 5.0  # seconds until DescribeCertificate knows the validation records
TIMES_OUT = 72 * 3600.0
_TOKEN_SECONDS = 3600.0
_CAA = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
_LACKING = (
    "ImportCertificate", "ExportCertificate", "GetCertificate", "ResendValidationEmail",
    "RenewCertificate", "RevokeCertificate", "UpdateCertificateOptions",
)  # fmt: skip

Users = Callable[[str], Sequence[str]]


class Acm:
    """`users` tells the ARNs of what has a certificate."""

    name = "acm"

    def __init__(self, *, clock: Clock, ids: Ids, dns: Dns, account: str, users: Users) -> None:
        self._clock = clock
        self._ids = ids
        self._dns = dns
        self._account = account
        self._users = users
        self._kept: dict[str, Certificate] = {}

    def operations(self) -> Mapping[str, Operation]:
        return {
            "RequestCertificate": self._request,
            "DescribeCertificate": self._describe,
            "ListCertificates": self._listed,
            "DeleteCertificate": self._delete,
            "AddTagsToCertificate": self._tag,
            "RemoveTagsFromCertificate": self._untag,
            "ListTagsForCertificate": self._tags,
            **dict.fromkeys(_LACKING, _missing),
        }

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        self._kept.clear()

    def tagged(self) -> list[tuple[str, dict[str, str]]]:
        """(ARN, tags) of everything, for the tagging API."""
        return [(each.arn, dict(each.tags)) for each in self._kept.values()]

    def covered(self, arn: str) -> tuple[str, ...] | None:
        """The names that an issued certificate covers; None for any other."""
        found = self._kept.get(arn)
        if found is None or self._seen(found).status != "ISSUED":
            return None
        return found.names

    def _request(self, parameters: Parameters, call: Call) -> Result:
        if parameters.get("ValidationMethod") != "DNS" or parameters.get("CertificateAuthorityArn"):
            raise _not_here("a certificate that is not validated by DNS")
        first = plain(parameters["DomainName"])
        others = (plain(each) for each in parameters.get("SubjectAlternativeNames") or ())
        names = tuple(dict.fromkeys((first, *others)))
        check_names(names)
        token = parameters.get("IdempotencyToken", "")
        now = self._clock.now()
        for each in self._kept.values():
            is_same = (each.names, region_of(each)) == (names, call.region)
            if token and each.token == token and is_same and now < each.created + _TOKEN_SECONDS:
                return {"CertificateArn": each.arn}
        arn = f"arn:aws:acm:{call.region}:{self._account}:certificate/{self._ids.uuid()}"
        tags = checked_tags(parameters.get("Tags") or (), {})
        self._kept[arn] = Certificate(arn=arn, names=names, created=now, token=token, tags=tags)
        return {"CertificateArn": arn}

    def _describe(self, parameters: Parameters, call: Call) -> Result:
        found = self._seen(self._get(parameters, call))
        now = self._clock.now()
        told: Result = {
            "CertificateArn": found.arn,
            "DomainName": found.names[0],
            "SubjectAlternativeNames": list(found.names),
            "DomainValidationOptions": [
                self._validation(found, name, told=now >= found.created + TOLD_AFTER)
                for name in found.names
            ],
            "CreatedAt": found.created,
            "Status": found.status,
            "Type": "AMAZON_ISSUED",
            "KeyAlgorithm": "RSA_2048",
            "InUseBy": list(self._users(found.arn)),
            "RenewalEligibility": "ELIGIBLE" if self._users(found.arn) else "INELIGIBLE",
        }
        if found.status == "ISSUED":
            told |= {"IssuedAt": found.at, "NotBefore": found.at, "NotAfter": found.at + LIFE}
        if found.reason:
            told["FailureReason"] = found.reason
        return {"Certificate": told}

    def _validation(self, found: Certificate, name: str, *, told: bool) -> Result:
        status = {"ISSUED": "SUCCESS", "PENDING_VALIDATION": "PENDING_VALIDATION"}
        shown = status.get(found.status, "FAILED")
        base = {"DomainName": name, "ValidationDomain": name, "ValidationMethod": "DNS"}
        if not told:
            return {**base, "ValidationStatus": shown}
        record, value = proof(self._account, name)
        challenge = {"Name": f"{record}.", "Type": "CNAME", "Value": f"{value}."}
        return {**base, "ValidationStatus": shown, "ResourceRecord": challenge}

    def _listed(self, parameters: Parameters, call: Call) -> Result:
        wanted = parameters.get("CertificateStatuses")
        mine = [self._seen(each) for each in self._kept.values() if region_of(each) == call.region]
        shown = [each for each in mine if not wanted or each.status in wanted]
        begin, size = int(parameters.get("NextToken") or 0), int(parameters.get("MaxItems") or 1000)
        more = {"NextToken": str(begin + size)} if begin + size < len(shown) else {}
        return {
            "CertificateSummaryList": [self._summary(each) for each in shown[begin : begin + size]],
            **more,
        }

    def _summary(self, found: Certificate) -> Result:
        return {
            "CertificateArn": found.arn,
            "DomainName": found.names[0],
            "SubjectAlternativeNameSummaries": list(found.names),
            "HasAdditionalSubjectAlternativeNames": False,
            "Status": found.status,
            "Type": "AMAZON_ISSUED",
            "KeyAlgorithm": "RSA_2048",
            "InUse": bool(self._users(found.arn)),
            "CreatedAt": found.created,
        }

    def _delete(self, parameters: Parameters, call: Call) -> Result:
        found = self._get(parameters, call)
        if self._users(found.arn):
            raise AwsError(
                "ResourceInUseException",
                f"Certificate {found.arn} in account {self._account} is in use.",
            )
        del self._kept[found.arn]
        return {}

    def _tag(self, parameters: Parameters, call: Call) -> Result:
        found = self._get(parameters, call)
        self._kept[found.arn] = replace(found, tags=checked_tags(parameters["Tags"], found.tags))
        return {}

    def _untag(self, parameters: Parameters, call: Call) -> Result:
        found = self._get(parameters, call)
        gone = {each["Key"] for each in parameters["Tags"]}
        kept = {key: value for key, value in found.tags.items() if key not in gone}
        self._kept[found.arn] = replace(found, tags=kept)
        return {}

    def _tags(self, parameters: Parameters, call: Call) -> Result:
        found = self._get(parameters, call)
        return {"Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()]}

    def _get(self, parameters: Parameters, call: Call) -> Certificate:
        arn = parameters["CertificateArn"]
        found = self._kept.get(arn)
        if found is None or region_of(found) != call.region:
            raise AwsError(
                "ResourceNotFoundException",
                f"Could not find certificate {arn} in account {self._account}.",
            )
        return found

    def _seen(self, found: Certificate) -> Certificate:
        """As it is by now."""
        if found.status != "PENDING_VALIDATION":
            return found
        at = self._proved_at(found)
        ends = found.created + TIMES_OUT
        if at is not None and at <= min(self._clock.now(), ends):
            refused = any(not self._may_issue(name) for name in found.names)
            status, reason = ("FAILED", "CAA_ERROR") if refused else ("ISSUED", "")
            found = replace(found, status=status, reason=reason, at=at)
        elif self._clock.now() > ends:
            found = replace(found, status="VALIDATION_TIMED_OUT", at=ends)
        self._kept[found.arn] = found
        return found

    def _proved_at(self, found: Certificate) -> float | None:
        since = [found.created]
        for name in found.names:
            record, value = proof(self._account, name)
            answer: Answer | None = self._dns.find(record, "CNAME")
            if answer is None or value not in answer.values:
                return None
            since.append(answer.since)
        return max(since) + VALIDATES

    def _may_issue(self, name: str) -> bool:
        """The nearest CAA record decides. Source: RFC 8659, section 3."""
        is_wild, labels = name.startswith("*."), name.removeprefix("*.").split(".")
        for depth in range(len(labels)):
            found = self._dns.find(".".join(labels[depth:]), "CAA")
            if found is None:
                continue
            wild = [each for each in found.values if " issuewild " in f" {each} "]
            asked = wild if is_wild and wild else [v for v in found.values if " issue " in f" {v} "]
            return not asked or any(authority in each for each in asked for authority in _CAA)
        return True


def _missing(_parameters: Parameters, call: Call) -> Result:
    raise _not_here(f"acm:{call.operation}")


def _not_here(what: str) -> AwsError:
    return AwsError(
        "NotImplemented",
        f"The embedded cloud does not have {what}. docs/fidelity.md lists what it has.",
        status=501,
    )
