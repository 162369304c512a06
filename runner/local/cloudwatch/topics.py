"""Publishes alarms' notices to SNS topics, as the topics' policies allow.

Source: SNS developer guide, "Example cases for Amazon SNS access control", "Using identity-based
policies with Amazon SNS" (the default policy lets the topic owner's resources publish).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException

from runner.local.letters import Sender, UndeliveredError
from runner.local.policy import allows


@dataclass(frozen=True, kw_only=True)
class Topics:
    """`sns` gives moto's backend of a region; `lock` is the control plane's."""

    account: str
    sns: Callable[[str], Any]
    lock: Callable[[], contextlib.AbstractContextManager[Any]]

    def publish(self, arn: str, subject: str, message: str, sender: Sender) -> None:
        """Raises UndeliveredError."""
        with self.lock():
            backend = self.sns(arn.split(":")[3])
            topic = backend.topics.get(arn)
            if topic is None:
                raise UndeliveredError("NotFound", "Topic does not exist")
            if not self._may(topic, sender):
                raise UndeliveredError(
                    "AuthorizationError",
                    f"{sender.service} is not authorized to perform: SNS:Publish on resource: "
                    f"{arn}",
                )
            try:
                backend.publish(message, arn=arn, subject=subject)
            except ServiceException as error:
                raise UndeliveredError(str(error.code), str(error.message)) from error

    def _may(self, topic: Any, sender: Sender) -> bool:
        context = {
            "aws:SourceArn": sender.source,
            "aws:SourceAccount": self.account,
            "aws:SourceOwner": self.account,
        }
        return allows(
            topic.policy,
            principal=sender.service,
            action="SNS:Publish",
            resource=topic.arn,
            context=context,
        )
