"""AWS's rules that the embedded EventBridge keeps, and what it has not."""

from __future__ import annotations

from runner.local.wire import Rule

_API = "EventBridge API reference, "
_GUIDE = "EventBridge user guide, "


def _rule(rule: str, page: str) -> Rule:
    return Rule(service="events", rule=rule, page=page)


RULES: tuple[Rule, ...] = (
    _rule("event patterns: every field must match, one of its values suffices; prefix, suffix, "
          "equals-ignore-case, wildcard, exists, numeric, cidr, anything-but and $or; anything "
          "else is an InvalidEventPatternException",
          f'{_GUIDE}"Comparison operators for use in event patterns"'),
    _rule("scheduled rules take rate, whose unit agrees with its number, and cron; on the default "
          "bus only", f'{_GUIDE}"Creating a scheduled rule (legacy)"'),
    _rule("300 rules a bus, 5 targets a rule, at most one of Input, InputPath and "
          "InputTransformer, which must be well-formed",
          f'{_API}PutTargets, Target; {_GUIDE}"Amazon EventBridge quotas"'),
    _rule("a function, queue or topic takes an event only if its own policy lets "
          "events.amazonaws.com, with the rule's ARN as source; a bus if the target's role may",
          f'{_GUIDE}"Using resource-based policies for Amazon EventBridge"'),
    _rule("a target that is not there or may not be used is not tried again: FailedInvocations "
          "counts it and its dead-letter queue gets the event with the error's code",
          f'{_GUIDE}"How EventBridge retries delivering events", "Using dead-letter queues to '
          'process undelivered events"'),
    _rule("PutEvents: ten entries, each with Source, DetailType and an object as Detail; "
          "sources that begin with aws. are AWS's own", f"{_API}PutEvents, PutEventsRequestEntry"),
    _rule("MatchedEvents, TriggeredRules, Invocations and FailedInvocations in AWS/Events by "
          "RuleName", f'{_GUIDE}"Monitoring Amazon EventBridge"'),
)  # fmt: skip

NOT_EMULATED: tuple[str, ...] = (
    "EventBridge: archives and replays, API destinations, partner sources, other accounts' buses, "
    "targets other than Lambda, SQS, SNS and buses, events of services other than Lambda's "
    "destinations, CodeDeploy and CloudWatch alarms",
    "SNS: functions as subscribers; what a topic gets goes on to queues, without their policies",
)
