"""What linters of IAM policies say of ours: nothing but what is explained here (`make hunt`)."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from runner.aws.bootstrap import template
from tests.test_deploy_roles import TRUSTED, resolved

pytestmark = pytest.mark.hunt
# Findings of parliament's by policy, and why they stay. The boundary grants nothing by itself.
KEPT = {
    "RESOURCE_STAR": {
        "Boundary": "what it holds down is limited by the role's own policy",
        "PreviewPolicy": "ids that AWS picks, and makings whose tags are a condition",
        "ProductionPolicy": "ids that AWS picks (CloudFront's), lists, and deliveries of logs",
    },
    # IAM compares an ARN with StringEquals as the text that it is.
    "MISMATCHED_TYPE_BUT_USABLE": {"ProductionPolicy": "iam:PermissionsBoundary, one exact ARN"},
}


def documents() -> dict[str, Any]:
    """Every policy of the account's stack as it is once made: roles', boundary, inline ones."""
    found: dict[str, Any] = {}
    for name, part in json.loads(template(TRUSTED))["Resources"].items():
        properties = part.get("Properties", {})
        inline = [each["PolicyDocument"] for each in properties.get("Policies", ())]
        whole = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        found |= {f"{name}-{number}": resolved(it) for number, it in enumerate(whole + inline)}
    assert len(found) >= 4
    return found


def test_every_action_exists_and_fits_its_resources() -> None:
    parliament = pytest.importorskip("parliament")
    told = {
        (finding.issue, name.split("-")[0].rstrip("0123456789"))
        for name, document in documents().items()
        for finding in parliament.analyze_policy_string(json.dumps(document)).findings
    }
    assert told <= {(issue, name) for issue, names in KEPT.items() for name in names}


def test_no_policy_lets_anybody_climb_or_carry_data_off() -> None:
    pytest.importorskip("cloudsplaining")
    from cloudsplaining.scan.policy_document import PolicyDocument
    from policy_sentry.querying.all import get_all_actions

    known = {each.lower() for each in get_all_actions()}
    for name, document in documents().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scanned = PolicyDocument(document)
        assert not scanned.allows_privilege_escalation, name
        assert not scanned.allows_data_exfiltration_actions, name
        assert not scanned.credentials_exposure, name
        assert not scanned.permissions_management_without_constraints, name
        assert not scanned.service_wildcard, name
        told = {each.lower() for it in document["Statement"] for each in it["Action"]}
        assert told <= known, name
