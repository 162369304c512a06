"""Records in a form of a later version: nobody guesses what they say, and nobody changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runner.aws import kept, ledger, preview_records, promotion
from runner.aws.schema import SCHEMA
from runner.collect import collect
from runner.doctor import Practice, doctor
from runner.errors import JamError
from runner.plan.retention import Retention
from tests.failures.scene import Scene

LATER = str(SCHEMA + 1)
ENVIRONMENT = {"pk": {"S": "environment#production"}, "sk": {"S": "environment"}}
ROLLOUT = {"pk": {"S": "environment#production"}, "sk": {"S": "rollout"}}


def stamp(scene: Scene, key: Any, number: str) -> None:
    scene.site.aws.records.update_item(
        TableName=scene.site.names.records,
        Key=key,
        UpdateExpression="SET #schema = :schema",
        ExpressionAttributeNames={"#schema": "schema"},
        ExpressionAttributeValues={":schema": {"N": number}},
    )


@pytest.fixture
def later(scene: Scene) -> Iterator[Scene]:
    """A site that a later version deployed last."""
    scene.settled()
    stamp(scene, ENVIRONMENT, LATER)
    yield scene
    stamp(scene, ENVIRONMENT, str(SCHEMA))


def test_every_record_says_its_form(scene: Scene) -> None:
    scene.settled()
    found = scene.site.aws.records.scan(TableName=scene.site.names.records)["Items"]
    lasting = [each for each in found if each["sk"]["S"] in ("environment", "release")]
    assert len(lasting) > 1
    assert {each.get("schema", {}).get("N") for each in lasting} == {str(SCHEMA)}


@pytest.mark.parametrize("command", ["deploy", "rollback", "settle", "destroy"])
def test_a_command_leaves_a_newer_versions_records_alone_and_says_what_to_use(
    later: Scene, command: str
) -> None:
    since = later.cloud.journal.last
    ended = {
        "deploy": lambda: later.deploy(later.commit()),
        "rollback": later.rollback,
        "settle": later.settle,
        "destroy": later.destroy,
    }[command]()
    assert (ended.code, ended.status) == ("JAM-SCHEMA", 3), ended
    assert f"number {LATER}" in ended.message
    assert "Use that version" in ended.hint
    assert later.cloud.journal.writes(since=since) == ()


READERS: dict[str, tuple[dict[str, Any], Callable[[Scene], object]]] = {
    "doctor": (
        ENVIRONMENT,
        lambda it: doctor(it.site.aws, it.site.names, Practice()),
    ),
    "audit": (ENVIRONMENT, lambda it: ledger.read(it.site.aws, it.site.names)),
    "gc": (
        ENVIRONMENT,
        lambda it: collect(it.site.aws, it.site.names, Retention(), run="a test", say=str),
    ),
    "releases": (
        {"pk": {"S": f"release#{'a' * 32}"}, "sk": {"S": "release"}},
        lambda it: kept.releases(it.site.aws, it.site.names),
    ),
    "verdicts": (
        {"pk": {"S": f"release#{'a' * 32}"}, "sk": {"S": "rollout#1x1"}},
        lambda it: kept.judged(it.site.aws, it.site.names),
    ),
    "rollouts": (ROLLOUT, lambda it: promotion.recorded(it.site.aws, it.site.names)),
    "previews": (
        {"pk": {"S": "environment#pr-7"}, "sk": {"S": "environment"}},
        lambda it: preview_records.every(it.site.aws, it.site.names),
    ),
}


@pytest.mark.parametrize(("key", "read"), READERS.values(), ids=READERS)
def test_nobody_reads_what_a_newer_version_wrote(
    scene: Scene, key: dict[str, Any], read: Callable[[Scene], object]
) -> None:
    scene.settled()
    stamp(scene, key, LATER)
    try:
        with pytest.raises(JamError) as refused:
            read(scene)
    finally:
        if key is ENVIRONMENT:
            stamp(scene, key, str(SCHEMA))
        else:
            scene.site.aws.records.delete_item(TableName=scene.site.names.records, Key=key)
    assert (refused.value.code, refused.value.turn) == ("JAM-SCHEMA", 3)
