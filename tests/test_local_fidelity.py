"""docs/fidelity.md says what the rules say, and every rule names AWS's own page."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.local import fidelity
from runner.local.wire import Rule

DOCUMENT = Path(__file__).parents[1] / "docs" / "fidelity.md"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == fidelity.text(), (
        "run: python -m runner.local.fidelity docs/fidelity.md"
    )


def test_it_says_what_is_missing() -> None:
    _, _, missing = fidelity.text().partition("## Not emulated")
    assert missing.count("\n- ") >= len(fidelity.NOT_EMULATED)


@pytest.mark.parametrize("rule", fidelity.rules(), ids=lambda rule: f"{rule.service}: {rule.rule}")
def test_a_rule_names_a_page_of_awss(rule: Rule) -> None:
    assert rule.page
    assert not any(ours in rule.page for ours in ("docs/", ".md", "moto"))


def test_services_that_the_line_needs_have_rules() -> None:
    covered = {rule.service for rule in fidelity.rules()}
    assert covered >= {
        "s3", "iam", "sts", "dynamodb", "lambda", "apigatewayv2", "cloudfront",
        "cloudfront-keyvaluestore", "cloudformation",
    }  # fmt: skip
