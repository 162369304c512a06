"""--state and background work: it goes on after a restart. Each cloud is the process's only one."""

from __future__ import annotations

from pathlib import Path

from runner.local.cloud import Cloud
from tests.background_site import Site


def test_a_schedule_goes_on_after_a_restart_and_makes_up_for_nothing(tmp_path: Path) -> None:
    with Cloud(state=tmp_path) as first:
        site = Site(first)
        _, arn = site.queue("taken")
        target = {"Arn": arn, "RoleArn": site.role("planner", "sqs:SendMessage"), "Input": '"x"'}
        begin = site.cloud.clock.now() + 3600
        site.scheduler.create_schedule(
            Name="tick", ScheduleExpression="rate(5 minutes)", Target=target, StartDate=begin,
            FlexibleTimeWindow={"Mode": "OFF"},
        )  # fmt: skip
        site.leap(7200)
        site.queue("later")
    with Cloud(state=tmp_path) as second:
        site = Site(second)
        url = site.sqs.get_queue_url(QueueName="taken")["QueueUrl"]
        assert site.letters(url) == []
        site.leap(600)
        assert len(site.letters(url)) == 2
