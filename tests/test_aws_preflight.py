"""What is made sure of before a rollout opens, and what is left to people."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from runner.aws.deployments import AT_ONCE
from runner.aws.preflight import Ready, preflight
from runner.errors import JamError
from runner.guard.rollout import Phase, Rollout
from runner.names import Names
from runner.plan.promotion import OnOpen
from tests.guard_site import OPEN

NAMES = Names("notes", "123456789012", "eu-central-1", "aws")
LAST = replace(OPEN, phase=Phase.CLOSED, deployment="d-last", candidate_version="7")


@dataclass
class Account:
    """One alias and one deployment group; deployments end after they were looked at twice."""

    alias: str = "7"
    weights: dict[str, float] = field(default_factory=dict)
    good: str = "d-last"
    foreign: str = ""  # the configuration of a deployment that nobody explains
    ends: str = "Succeeded"
    targets: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    looks: Any = field(default_factory=itertools.count)

    @property
    def aws(self) -> Any:
        deployments = SimpleNamespace(
            list_deployments=lambda **_: {"deployments": ["d-foreign"] if self.foreign else []},
            get_deployment=self._deployment,
            get_deployment_group=self._group,
            list_deployment_targets=lambda **_: {"targetIds": ["entry"]},
            batch_get_deployment_targets=self._target,
            stop_deployment=self._stop,
        )
        return SimpleNamespace(
            deployments=deployments,
            deployments_once=SimpleNamespace(create_deployment=self._create),
            functions=SimpleNamespace(get_alias=self._alias, update_alias=self._point),
            clock=lambda: float(next(self.looks)),
            sleep=lambda _: None,
            chance=lambda: 0.5,
        )

    def preflight(
        self, *, on_open: OnOpen = OnOpen.SUPERSEDE, last: Rollout | None = LAST
    ) -> Ready:
        return preflight(self.aws, NAMES, entry="7", on_open=on_open, last=last)

    def _deployment(self, **_: str) -> dict[str, Any]:
        self.calls.append("look")
        status = "InProgress" if self.calls.count("look") < 3 else self.ends
        told = {"status": status, "deploymentConfigName": self.foreign, "creator": "user"}
        return {"deploymentInfo": {**told, "errorInformation": {"message": "no such version"}}}

    def _group(self, **_: str) -> dict[str, Any]:
        last = {"lastSuccessfulDeployment": {"deploymentId": self.good}} if self.good else {}
        return {"deploymentGroupInfo": {"deploymentGroupName": "production", **last}}

    def _target(self, **call: Any) -> dict[str, Any]:
        self.calls.append("ask for the target")
        info = {"targetVersion": self.targets[call["deploymentId"]]}
        return {"deploymentTargets": [{"lambdaTarget": {"lambdaFunctionInfo": info}}]}

    def _stop(self, **call: Any) -> None:
        self.calls.append("stop, back" if call["autoRollbackEnabled"] else "stop")

    def _create(self, **call: Any) -> dict[str, str]:
        told = json.loads(call["revision"]["appSpecContent"]["content"])
        moved = told["Resources"][0]["entry"]["Properties"]
        rolls_back = call["autoRollbackConfiguration"]["enabled"]
        assert (call["deploymentConfigName"], rolls_back) == (AT_ONCE, False)
        self.calls.append(f"deploy {moved['CurrentVersion']} to {moved['TargetVersion']}")
        return {"deploymentId": "d-anchor"}

    def _alias(self, **_: str) -> dict[str, Any]:
        routing = {"AdditionalVersionWeights": self.weights}
        return {"FunctionVersion": self.alias, "RoutingConfig": routing, "RevisionId": "r1"}

    def _point(self, **call: Any) -> None:
        assert (call["RevisionId"], call["RoutingConfig"]) == (
            "r1",
            {"AdditionalVersionWeights": {}},
        )
        self.calls.append(f"alias {call['FunctionVersion']}")


def _acts(account: Account) -> list[str]:
    return [call for call in account.calls if call != "look"]


def test_where_all_is_well_nothing_is_done_or_said() -> None:
    account = Account()
    assert account.preflight() == Ready(baseline="7")
    assert account.calls == []


@pytest.mark.parametrize(
    ("alias", "weights"), [("7", {"8": 0.1}), ("9", {}), ("9", {"7": 0.5}), ("8", {"7": 0.9})]
)
def test_an_alias_that_no_rollout_explains_is_put_where_it_is_recorded(
    alias: str, weights: dict[str, float]
) -> None:
    account = Account(alias=alias, weights=weights)
    (note,) = account.preflight().notes
    assert _acts(account) == ["alias 7"]
    assert "put back to version 7" in note


@pytest.mark.parametrize(
    ("good", "targets", "last"),
    [
        ("", {}, None),  # a group's first deployment
        ("d-last", {}, replace(LAST, candidate_version="6")),  # a `deploy --now` since
        ("d-back", {"d-back": "6"}, LAST),
    ],
)
def test_codedeploy_is_told_the_way_back_where_it_does_not_know_it(
    good: str, targets: dict[str, str], last: Rollout | None
) -> None:
    account = Account(good=good, targets=targets)
    ready = account.preflight(last=last)
    assert (ready.anchor, _acts(account)[-1]) == ("d-anchor", "deploy 7 to 7")


@pytest.mark.parametrize(
    ("good", "last", "asked"),
    [
        ("d-last", LAST, []),
        ("d-anchor", replace(LAST, anchor="d-anchor", baseline_version="7"), []),
        ("d-back", LAST, ["ask for the target"]),  # CodeDeploy's own rollback
    ],
)
def test_the_way_back_that_is_known_is_not_told_again(
    good: str, last: Rollout, asked: list[str]
) -> None:
    account = Account(good=good, targets={"d-back": "7"})
    account.preflight(last=last)
    assert account.calls == asked


def test_without_a_way_back_no_rollout_begins() -> None:
    with pytest.raises(JamError, match="no such version") as caught:
        Account(good="", ends="Failed").preflight()
    assert caught.value.code == "JAM-ROLLOUT-NO-WAY-BACK"


@pytest.mark.parametrize(
    ("on_open", "config", "acts"),
    [
        (OnOpen.SUPERSEDE, "somebodys-canary", ["stop"]),
        (OnOpen.WAIT, "somebodys-canary", []),
        (OnOpen.SUPERSEDE, AT_ONCE, []),  # it is over in seconds
    ],
)
def test_a_shift_that_is_not_ours_gives_way_or_is_waited_for(
    on_open: OnOpen, config: str, acts: list[str]
) -> None:
    account = Account(foreign=config)
    (note,) = account.preflight(on_open=on_open).notes
    assert _acts(account) == acts
    assert "d-foreign" in note


def test_a_shift_that_is_not_ours_is_left_alone_where_the_settings_say_so() -> None:
    account = Account(foreign="somebodys-canary")
    with pytest.raises(JamError, match="d-foreign, by user") as caught:
        account.preflight(on_open=OnOpen.REFUSE)
    assert (caught.value.code, _acts(account)) == ("JAM-ROLLOUT-BUSY", [])
