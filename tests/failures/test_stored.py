"""Rows 11, 13, 21, 22, 24, 26, 27: what is there in part, not ours, or cannot be heard of."""

from __future__ import annotations

from dataclasses import replace

from runner.local.faults import Fault
from runner.names import tags
from runner.plan.refs import Made
from tests.failures.conftest import Stage
from tests.failures.scene import EVER, Scene

NOT_FOR_A_WAY_BACK = (
    "iam",
    "cloudfront",
    "cloudformation",
    "codedeploy",
    "cloudwatch",
    "events",
    "logs",
    "sqs",
    "scheduler",
    "ssm",
    "sts",
)


def test_13_what_is_missing_is_uploaded_and_what_is_there_is_not_sent_again(scene: Scene) -> None:
    scene.settled()
    commit = scene.commit()
    cut = Fault(
        kind="error",
        service="s3",
        operation="PutObject",
        skip=2,
        times=EVER,
        code="AccessDenied",
        status=403,
    )
    with scene.broken(cut):
        ended = scene.deploy(commit)
    assert (ended.code, ended.status) == ("JAM-DENIED", 3)
    since = scene.cloud.journal.last
    ended = scene.deploy(commit.again)
    assert ended.outcome == "live", ended
    there = scene.site.release_of(commit).id
    puts = [
        each.parameters["Key"]
        for each in scene.cloud.journal.entries(since=since)
        if each.operation == "PutObject" and there in each.parameters["Key"]
    ]
    assert len(puts) == len(set(puts))
    # All but the asset, which is no release's own; the manifest and the summary.
    assert len(scene.kept().objects) == len(scene.site.release_of(commit).files) - 1 + 2
    assert scene.site.visit().asset == commit.page


def test_21_where_nobody_knows_what_was_recorded_nothing_is_undone(stage: Stage) -> None:
    scene = stage.fresh()  # nothing old is to be tidied, so the record is the last that is done
    scene.settled()
    before, commit = scene.kept(), scene.commit()
    silent = Fault(kind="error", service="dynamodb", code="InternalServerError", times=EVER)
    lost = replace(silent, operation="TransactWriteItems", after=True)
    # The fence of the last visible step is asked before; the record is looked for after it.
    with scene.broken(lost):
        scene.at("TransactWriteItems", lambda: scene.cloud.faults.add(
            replace(silent, operation="GetItem")
        ))  # fmt: skip
        ended = scene.deploy(commit)
    assert (ended.code, ended.status) == ("JAM-STATE-UNKNOWN", 75), ended
    assert scene.site.release_of(commit).id[:8] in ended.message
    assert "Nothing was undone" in ended.hint
    assert scene.lease() == "free"  # by the transaction, which did happen
    assert scene.site.visit().document == commit.page
    after = scene.kept()
    assert after.release == scene.site.release_of(commit).id  # it was, as it turns out
    assert after.sequence == before.sequence + 1
    again = scene.deploy(commit.again)
    assert (again.status, scene.lease()) == (0, "free"), again


def test_21_an_answer_that_was_lost_alone_is_looked_up(scene: Scene) -> None:
    scene.settled()
    commit = scene.commit()
    with scene.broken(
        Fault(kind="error", service="dynamodb", operation="TransactWriteItems", after=True,
              code="InternalServerError", times=EVER)
    ):  # fmt: skip
        ended = scene.deploy(commit)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert scene.lease() == "free"


def test_22_a_way_back_needs_only_what_serves(scene: Scene) -> None:
    first, second = scene.released(), scene.released()
    assert scene.site.visit().document == second.page
    account = scene.account()
    assert account.account  # known before the outage: the lab asks once a site
    down = (Fault(kind="reset", service=each, times=EVER) for each in NOT_FOR_A_WAY_BACK)
    with scene.broken(*down):
        ended = scene.rollback(hold=False)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert scene.site.visit().document == first.page


def test_24_foreign_objects_stop_a_destroy_by_name(scene: Scene) -> None:
    scene.settled()
    before = scene.kept()
    aws, names = scene.site.aws, scene.site.names
    aws.s3.put_object(Bucket=names.bucket, Key="holiday.jpg", Body=b"x")
    ended = scene.destroy()
    aws.s3.delete_object(Bucket=names.bucket, Key="holiday.jpg")
    assert (ended.code, ended.status) == ("JAM-BUCKET-FOREIGN", 3)
    assert "holiday.jpg" in ended.message
    assert "Move them" in ended.hint
    assert scene.kept() == before


def test_26_a_function_without_our_tags_is_neither_changed_nor_deleted(scene: Scene) -> None:
    scene.settled()
    before, commit = scene.kept(), scene.commit()
    aws, names = scene.site.aws, scene.site.names
    arn = names.function_arn(names.entry)
    ours = tags(names.site, names.environment)
    aws.functions.untag_resource(Resource=arn, TagKeys=list(ours))
    since = scene.cloud.journal.last
    ended = scene.deploy(commit)
    touched = [
        each.operation
        for each in scene.cloud.journal.writes(since=since)
        if each.parameters.get("FunctionName") == names.entry
    ]
    aws.functions.tag_resource(Resource=arn, Tags=ours)
    assert (ended.code, ended.status) == ("JAM-NOT-OURS", 3), ended
    assert names.entry in ended.message
    assert "another `site` name" in ended.hint
    assert touched == []
    assert scene.kept() == before
    ended = scene.deploy(commit.again)
    assert ended.outcome == "live", ended


def test_27_an_api_that_is_full_of_others_stages_is_told_before_anything_is_switched(
    stage: Stage,
) -> None:
    scene = stage.fresh()  # without api_stages of older releases, which would make room
    scene.settled()
    api = scene.record().ids[Made.API]
    aws = scene.site.aws
    before, commit = scene.kept(), scene.commit()
    made = []
    while len(aws.api.get_stages(ApiId=api)["Items"]) < 10:
        made.append(f"by-hand-{len(made)}")
        aws.api.create_stage(ApiId=api, StageName=made[-1])
    ended = scene.deploy(commit)
    assert (ended.code, ended.status) == ("JAM-QUOTA-STAGES", 3), ended
    assert api in ended.message
    assert "Service Quotas" in ended.hint
    assert scene.kept() == before
    standing = {each["StageName"] for each in aws.api.get_stages(ApiId=api)["Items"]}
    assert set(made) <= standing  # never taken for a stray of ours
    aws.api.delete_stage(ApiId=api, StageName=made[-1])
    ended = scene.deploy(commit.again)
    assert ended.outcome == "live", ended
    for name in made[:-1]:
        aws.api.delete_stage(ApiId=api, StageName=name)


def test_11_a_release_that_edges_still_wait_for_is_live_with_a_notice(stage: Stage) -> None:
    lonely = stage.fresh()
    settings = lonely.cloud.cloudfront.settings
    usual, settings.deployment = settings.deployment, 3600.0
    try:
        commit = lonely.commit()
        ended = lonely.deploy(commit)
    finally:
        settings.deployment = usual
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert any(note.startswith("JAM-CF-PROPAGATING") for note in ended.notes)
    assert lonely.record().release == lonely.site.release_of(commit).id
    lonely.site.sleep(3600)
    assert lonely.site.visit().document == commit.page
