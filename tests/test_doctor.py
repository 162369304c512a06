"""What is deleted or changed by hand is found by `doctor`, and mended by the next deploy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from runner.aws.session import connect
from runner.doctor import Practice, doctor
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.plan.drift import State
from runner.plan.remarks import Topic
from tests import drift_hands as hands
from tests.drift_hands import NOTES, Hand
from tests.drift_site import SPEED, Site

YEAR_2029 = 1_861_920_000.0  # epoch seconds


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch, Cloud(speed=SPEED) as cloud:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield Site(cloud, tmp_path_factory.mktemp("drift"))


def test_a_healthy_site_is_well_and_a_deploy_of_it_stays_at_four_calls(site: Site) -> None:
    health = site.doctor()
    assert health.is_well, [each.message for each in health.remarks if each.is_wrong]
    site.watched()
    outcome = site.deploy()
    assert (outcome.outcome, outcome.calls, site.writes) == ("unchanged", 4, [])
    outcome = site.deploy(repair=True)
    assert (outcome.outcome, site.writes) == ("unchanged", [])


# What a hand did, and a part of each finding that it has to lead to.
HANDS: tuple[tuple[Hand, tuple[str, ...]], ...] = (
    (hands.api, ("HTTP API jam-drift: missing", "api_stage")),
    (hands.stage, ("api_stage",)),
    (hands.no_role, ("role jam-drift-entry: missing",)),
    (hands.rights, ("role jam-drift-entry: changed",)),
    (hands.trust, ("role jam-drift-api: changed",)),
    (hands.alias, ("alias jam-drift-entry:live: changed",)),
    (hands.no_hello, ("function version jam-drift--hello",)),
    (hands.no_entry, ("function version jam-drift-entry",)),
    (
        hands.no_acceptor,
        ("function jam-drift-background: missing",),
    ),
    (hands.off, ("function jam-drift--hello",)),
    (hands.entry_off, ("function jam-drift-entry: changed",)),
    (hands.no_policy, ("bucket jam-drift",)),
    (hands.other_policy, ("bucket jam-drift",)),
    (hands.public, ("bucket jam-drift",)),
    (hands.disabled, ("distribution jam-drift: changed",)),
    (hands.no_paths, ("distribution jam-drift: changed",)),
    (hands.no_router, ("distribution jam-drift: changed",)),
    (hands.no_headers, ("distribution jam-drift: changed",)),
    (hands.program, ("CloudFront function jam-drift-router: changed",)),
    (hands.keys, ("key of the key value store live: missing", "key of the key value store r/")),
    (hands.live_key, ("key of the key value store live: changed",)),
    (hands.log_group, ("function jam-drift--hello",)),
    (hands.entry_log, ("function jam-drift-entry: changed",)),
    (hands.schedule, ("schedule jam-drift--tick",)),
    (hands.schedule_off, ("schedule jam-drift--tick",)),
    (hands.group, ("schedule group jam-drift: missing",)),
    (hands.queue, ("queue jam-drift-dead-letters: missing",)),
    (hands.alarm, ("queue jam-drift-dead-letters: changed",)),
    (hands.rule, ("function jam-drift-guard",)),
    (hands.word, ("function jam-drift-guard",)),
    (hands.guard_code, ("function jam-drift-guard",)),
    (hands.no_guard, ("function jam-drift-guard: missing",)),
    (hands.deployments, ("CodeDeploy application jam-drift: missing",)),
    (hands.deployment_group, ("CodeDeploy application jam-drift: changed",)),
    (hands.page, ("objects",)),
    (hands.other_page, ("objects",)),
    (hands.manifest, ("objects",)),
    (hands.url_open, ("function jam-drift-entry: changed",)),
    (hands.url_gone, ("function jam-drift--flow",)),
    (hands.letters, ("function version jam-drift--work",)),
    (hands.unprotected, (f"table {NOTES}: changed",)),
    (hands.access, ("origin access control jam-drift-files: changed",)),
)


# Batches of what does not hide one another: an API that is gone has no api_stage to change.
BATCHES: dict[str, tuple[Hand, ...]] = {
    "what everything stands on": (
        hands.api,
        hands.rights,
        hands.trust,
        hands.other_policy,
        hands.public,
        hands.page,
        hands.schedule,
        hands.alarm,
        hands.rule,
        hands.log_group,
        hands.disabled,
        hands.url_open,
        hands.unprotected,
        hands.access,
    ),
    "what belongs to it": (
        hands.stage,
        hands.no_role,
        hands.no_policy,
        hands.other_page,
        hands.schedule_off,
        hands.queue,
        hands.word,
        hands.program,
        hands.no_paths,
        hands.no_router,
        hands.keys,
        hands.entry_log,
        hands.off,
    ),
    "functions": (
        hands.no_headers,
        hands.no_hello,
        hands.no_entry,
        hands.no_acceptor,
        hands.no_guard,
        hands.group,
        hands.deployments,
        hands.manifest,
    ),
    "pointers": (
        hands.alias,
        hands.live_key,
        hands.guard_code,
        hands.deployment_group,
        hands.url_gone,
        hands.letters,
        hands.entry_off,
    ),
}
# A bit of everything; `make hunt` plays all of them, together and one by one.
SAMPLE: tuple[Hand, ...] = (
    hands.rights,
    hands.other_policy,
    hands.alias,
    hands.schedule,
    hands.other_page,
    hands.no_headers,
)


def test_every_hand_is_in_a_batch() -> None:
    assert {hand for batch in BATCHES.values() for hand in batch} == {hand for hand, _ in HANDS}


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(SAMPLE, id="a bit of everything"),
        *(pytest.param(each, id=name, marks=pytest.mark.hunt) for name, each in BATCHES.items()),
    ],
)
def test_what_hands_did_is_named_by_doctor_and_mended_by_the_next_deploy(
    site: Site, batch: tuple[Hand, ...]
) -> None:
    for hand in batch:
        hand(site)
    _is_named_and_mended(site, *(wanted for hand in batch for wanted in dict(HANDS)[hand]))


@pytest.mark.hunt
@pytest.mark.parametrize(
    ("hand", "findings"),
    HANDS,
    ids=[hand.__name__ for hand, _ in HANDS],
)
def test_what_one_hand_did_is_named_by_doctor_and_mended_by_the_next_deploy(
    site: Site, hand: Hand, findings: tuple[str, ...]
) -> None:
    hand(site)
    _is_named_and_mended(site, *findings)


# The key by which the API knows the distribution was made anew: the former opens it until the next
# deploy, for a change of the distribution takes its time.
KEY_FOLLOWS = ["function jam-drift-keeper: changed"]


def _is_named_and_mended(site: Site, *findings: str) -> None:
    found = site.found
    missing = [each for each in findings if not any(one.startswith(each) for one in found)]
    assert missing == [], found
    assert site.deploy().outcome == "live"
    if site.found == KEY_FOLLOWS:
        assert site.deploy().outcome == "live"
    assert site.found == []
    assert b"<h1>one</h1>" in site.visit().body
    assert site.visit("/.functions/hello").body == b"hello"
    assert site.visit("/.functions/flow").body == b"hello"
    assert site.visit("/nothing").status == 404


@pytest.mark.hunt
@pytest.mark.parametrize("hand", [hands.disabled, hands.api, hands.no_router])
def test_what_visitors_do_not_get_is_noticed_by_a_deploy_that_has_nothing_to_do(
    site: Site, hand: Hand
) -> None:
    hand(site)
    assert site.deploy().outcome == "live"
    assert any("visitors do not get" in each for each in site.watcher.notes)
    assert site.found == []
    assert site.deploy().calls == 4


@pytest.mark.parametrize("hand", [hands.keys, pytest.param(hands.alias, marks=pytest.mark.hunt)])
def test_pointers_that_somebody_moved_make_a_deploy_look_at_everything(
    site: Site, hand: Hand
) -> None:
    hand(site)
    assert site.deploy().outcome == "live"
    assert any("do not name the release" in each for each in site.watcher.notes)
    assert site.visit("/about").headers["x-from"] == "drift"  # of a set of headers in the store
    assert site.found in ([], KEY_FOLLOWS)
    if hand is hands.keys:
        assert site.deploy().outcome == "live"
    assert site.found == []


def test_functions_that_stand_answer_while_their_api_stage_is_led_to_new_versions(
    site: Site,
) -> None:
    hands.no_hello(site)
    site.watched()
    assert site.deploy().outcome == "live"
    assert any("visitors do not get" in each for each in site.watcher.notes)
    assert "apigatewayv2:UpdateStage" in site.writes
    assert "apigatewayv2:DeleteStage" not in site.writes
    deployments = site.aws.api.get_deployments(ApiId=site.api)["Items"]
    stages = site.aws.api.get_stages(ApiId=site.api)["Items"]
    assert {each["DeploymentId"] for each in deployments} == {
        each["DeploymentId"] for each in stages
    }
    assert site.visit("/.functions/hello").body == b"hello"


@pytest.mark.hunt
def test_what_every_site_has_is_missing_whatever_was_not_deployed_yet(site: Site) -> None:
    hands.no_policy(site)
    hands.queue(site)
    hands.api(site)
    wanted = Practice(tables=(*site.config.tables, replace(site.config.tables[0], name="more")))
    health = doctor(site.account(), site.names, wanted)
    states = {f"{each.kind} {each.name}": each.state for each in health.drift.findings}
    assert states["HTTP API jam-drift"] is State.MISSING
    assert states["queue jam-drift-dead-letters"] is State.PENDING
    assert not health.is_well
    assert site.deploy().outcome == "live"
    assert site.found == []


def test_a_runtime_whose_end_is_near_is_named(site: Site) -> None:
    later = connect(
        region="eu-central-1",
        endpoint=site.cloud.endpoint,
        clock=lambda: YEAR_2029,
        sleep=lambda _: None,
        chance=lambda: 0.5,
    )
    found = doctor(later, site.names, Practice(tables=site.config.tables)).remarks
    told = [each for each in found if each.topic is Topic.RUNTIMES]
    assert len(told) == 4  # each function of the site's own
    assert all(each.is_wrong and "ended support" in each.message for each in told)


def test_a_table_that_is_gone_is_named_and_never_made_again_empty_by_itself(site: Site) -> None:
    tables = site.aws.records
    tables.update_table(TableName=NOTES, DeletionProtectionEnabled=False)
    tables.delete_table(TableName=NOTES)
    health = site.doctor()
    assert [str(each.state) for each in health.drift.findings] == ["lost"]
    site.watched()
    with pytest.raises(JamError) as caught:
        site.deploy(repair=True)
    assert (caught.value.code, int(caught.value.turn)) == ("JAM-DRIFT", 3)
    assert NOTES in caught.value.problems[0].message
    assert "restore-table-from-backup" in caught.value.hint
    assert "dynamodb:CreateTable" not in site.writes


@pytest.mark.hunt
def test_a_table_begins_anew_where_somebody_wants_that(site: Site) -> None:
    tables = site.aws.records
    if NOTES in tables.list_tables()["TableNames"]:
        tables.update_table(TableName=NOTES, DeletionProtectionEnabled=False)
        tables.delete_table(TableName=NOTES)
    with pytest.raises(JamError):
        site.deploy(repair=True)
    with pytest.raises(JamError):
        site.deploy()  # the first left a mark
    assert site.deploy(empty_tables=frozenset({"notes"})).outcome == "live"
    assert site.found == []
