"""What functions are given in a preview: its own environment and secrets, never production's."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.load import Overrides, load
from runner.config.previews import functions_of_preview
from runner.config.settings import Settings
from runner.errors import JamError

TOML = """
region = "eu-central-1"
[functions]
environment = { STAGE = "production", LOG = "info" }
tables = ["notes:r"]
[functions.pay]
environment = { STAGE = "pay" }
secrets = { STRIPE = "ssm:/live/stripe" }
tables = ["notes:rw"]
[tables.notes]
[preview]
"""


def settings(tmp_path: Path, more: str) -> Settings:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "jam.toml").write_text(TOML + more)
    return load(tmp_path, None, Overrides()).settings


def test_a_previews_variables_win_everywhere_and_the_others_stay(tmp_path: Path) -> None:
    more = 'environment = { STAGE = "preview", EXTRA = "1" }\nsecrets = { STRIPE = "ssm:/test" }\n'
    found = functions_of_preview(settings(tmp_path, more))
    assert found.environment == {"STAGE": "preview", "LOG": "info", "EXTRA": "1"}
    assert found.named["pay"].environment == {"STAGE": "preview"}
    assert found.named["pay"].secrets == {"STRIPE": "ssm:/test"}
    assert found.named["pay"].tables == ("notes:rw",)


def test_productions_secrets_are_not_for_previews(tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught:
        functions_of_preview(settings(tmp_path, ""))
    assert caught.value.code == "JAM-PREVIEW-SECRETS"
    assert [each.where for each in caught.value.problems] == ["functions.pay.secrets.STRIPE"]


def test_a_text_may_stand_in_for_a_secret(tmp_path: Path) -> None:
    found = functions_of_preview(settings(tmp_path, 'environment = { STRIPE = "none" }\n'))
    assert found.environment["STRIPE"] == "none"
    assert found.named["pay"].secrets == {}


def test_previews_have_tables_of_their_own_or_none(tmp_path: Path) -> None:
    secret = 'secrets = { STRIPE = "ssm:/test" }\n'
    own = functions_of_preview(settings(tmp_path, f'{secret}tables = "own"\n'))
    assert own.tables == ("notes:r",)
    none = functions_of_preview(settings(tmp_path, f'{secret}tables = "none"\n'))
    assert none.tables == none.named["pay"].tables == ()
