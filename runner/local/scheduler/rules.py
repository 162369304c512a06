"""AWS's rules that the embedded EventBridge Scheduler keeps, and what it has not."""

from __future__ import annotations

from runner.local.wire import Rule

_API = "EventBridge Scheduler API reference, "
_GUIDE = "EventBridge Scheduler user guide, "


def _rule(rule: str, page: str) -> Rule:
    return Rule(service="scheduler", rule=rule, page=page)


RULES: tuple[Rule, ...] = (
    _rule("names, tokens, descriptions and numbers have the lengths, patterns and limits of the "
          "model, else ValidationException", f"{_API}CreateSchedule, Target, RetryPolicy"),
    _rule("rate(n minutes|hours|days), at(yyyy-mm-ddThh:mm:ss) and cron with six fields, of which "
          "one of day-of-month and day-of-week is ?, with L, W, # and increments",
          f'{_GUIDE}"Schedule types in EventBridge Scheduler"'),
    _rule("a rate counts from StartDate, else fires at once and counts from the creation; a time "
          "that summer time leaves out is skipped, one that comes twice fires once",
          f'{_GUIDE}"Schedule types in EventBridge Scheduler"'),
    _rule("StartDate at most 5 minutes ago, EndDate after it and in the future; both ignored for "
          "one-time schedules", f"{_API}CreateSchedule"),
    _rule("a flexible window needs its minutes, without one there must be none",
          f"{_API}FlexibleTimeWindow"),
    _rule("the role must trust scheduler.amazonaws.com, which names the group's ARN as "
          "aws:SourceArn, and have spread, when a schedule is made or changed and whenever it "
          "fires", f'{_GUIDE}"Setting up EventBridge Scheduler", "Confused deputy prevention in '
          'EventBridge Scheduler"'),
    _rule("a call with the same ClientToken and settings is the same call; a name in use is a "
          "ConflictException", f"{_API}CreateSchedule, CreateScheduleGroup"),
    _rule("an update puts back to its default what it leaves out", f"{_API}UpdateSchedule"),
    _rule("targets are called as the role: Lambda asynchronously, SQS, SNS, event buses; without "
          "an Input with a Scheduled Event; <aws.scheduler...> in an Input is replaced",
          f'{_GUIDE}"Managing targets", "Adding context attributes"; Lambda developer guide, '
          '"Using Lambda with Amazon EventBridge Scheduler"'),
    _rule("what fails is tried again as RetryPolicy says (185 times within a day by itself), then "
          "goes to the dead-letter queue, a standard one that the role may send to, with its nine "
          "attributes", f'{_GUIDE}"Configuring a schedule\'s dead-letter queue"'),
    _rule("a completed schedule goes if ActionAfterCompletion says so", f"{_API}CreateSchedule"),
    _rule("a group is DELETING for a while and takes its schedules with it; default stays",
          f'{_GUIDE}"Deleting a schedule group"'),
    _rule("500 groups; 50 tags, on groups only", f'{_GUIDE}"Quotas for EventBridge Scheduler"'),
    _rule("InvocationAttemptCount, TargetErrorCount, InvocationDroppedCount and the dead-letter "
          "counts in AWS/Scheduler by ScheduleGroup",
          f'{_GUIDE}"Monitoring EventBridge Scheduler with Amazon CloudWatch"'),
)  # fmt: skip

NOT_EMULATED: tuple[str, ...] = (
    "Scheduler: targets other than Lambda, SQS, SNS and event buses; universal targets; KMS keys",
    "Scheduler: schedules fire in the first second of their minute, not anywhere within it; the "
    "pauses between retries are ours: AWS names none",
    "Scheduler: what fell due while the cloud was stopped is not made up for",
    "Scheduler: whether AWS refuses an at() that is past was not found out: it never fires here",
)
