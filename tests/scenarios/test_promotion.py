"""Rollouts and what goes wrong around them: what visitors and maintainers see of it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import urllib3

from tests.scenarios.conftest import Done, Site

SPEED = 20  # minutes of a rollout in three seconds each
PATIENCE = 120.0  # seconds of ours on a busy machine
REGION = "eu-central-1"
EVERY = 10**6  # calls


@pytest.fixture(scope="module")
def hurried(account: str) -> str:
    """The account's cloud with its clock in a hurry."""
    _post(account, "clock", {"speed": SPEED})
    return account


@dataclass(frozen=True)
class Shop(Site):
    """A site with one release live; the next goes to half of its new visitors for two minutes."""

    url: str = ""

    @property
    def name(self) -> str:
        return (self.folder / "jam.toml").read_text().split('"')[1]

    @property
    def entry(self) -> dict[str, str]:
        return {"FunctionName": f"jam-{self.name}-entry", "Name": "live"}


@pytest.fixture(scope="module")
def opened(hurried: str, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "jam.toml").write_text('site = "shop"\n')
    (folder / "public").mkdir()
    site = Site(folder, hurried)
    _configure(site)
    for heading in ("Before", "First"):  # so that there is a version that nobody has any more
        _write(site, heading)
        site.deploy()
    return Shop(folder, hurried, url=site.deploy()["url"])


@pytest.fixture
def shop(opened: Shop) -> Iterator[Shop]:
    """The shop with nothing open and nothing broken."""
    _configure(opened)
    yield opened
    for what in ("faults", "deny"):
        urllib3.request("DELETE", f"{opened.endpoint}/_jam/{what}")
    opened.jam("settle")


def _configure(site: Site, interval: str = "2m", **rollout: Any) -> None:
    told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in rollout.items())
    name = (site.folder / "jam.toml").read_text().split("\n", 1)[0]
    (site.folder / "jam.toml").write_text(
        f'{name}\n[build]\npublish = "public"\n[production.rollout]\npercent = 50\n'
        f'interval = "{interval}"\n{told}'
    )


def _write(site: Site, heading: str) -> None:
    page = f"<!doctype html><html><head><title>Shop</title></head><h1>{heading}</h1></html>"
    (site.folder / "public" / "index.html").write_text(page)


_HEADINGS = itertools.count(1)


def _new(site: Site) -> str:
    """A change that was never released before."""
    heading = f"Edition {next(_HEADINGS)}"
    _write(site, heading)
    return heading


def _post(endpoint: str, what: str, body: Any) -> None:
    answer = urllib3.request("POST", f"{endpoint}/_jam/{what}", json=body)
    assert answer.status == 200, answer.data


def _break(site: Site, service: str, operation: str, code: str) -> None:
    fault = {"kind": "error", "service": service, "operation": operation, "code": code}
    _post(site.endpoint, "faults", {**fault, "times": EVERY, "status": 400})


def _aws(site: Site, service: str) -> Any:
    make: Any = boto3.client  # its overloads want the service's name as a literal
    return make(
        service,
        region_name=REGION,
        endpoint_url=site.endpoint,
        aws_access_key_id="somebody",
        aws_secret_access_key="somebody",
    )


def _alias(site: Shop) -> tuple[str, dict[str, float]]:
    found = _aws(site, "lambda").get_alias(**site.entry)
    return found["FunctionVersion"], found.get("RoutingConfig", {}).get(
        "AdditionalVersionWeights", {}
    )


def _other(site: Shop) -> str:
    """An entry version that the alias does not name, the oldest."""
    version, weights = _alias(site)
    name = site.entry["FunctionName"]
    found = _aws(site, "lambda").list_versions_by_function(FunctionName=name)["Versions"]
    known = {each["Version"] for each in found} - {"$LATEST", version, *weights}
    return str(min(known, key=int))


def _card(site: Shop) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(site.get(site.url, "/.jam/version.json").data)
    return told


def _heading(site: Shop) -> str:
    return str(site.visit(site.url, "/").data.decode().split("<h1>")[1].split("</h1>")[0])


def _open(site: Shop) -> dict[str, Any]:
    """A rollout of a new page, left to itself."""
    _new(site)
    done = site.jam("deploy", "--no-wait")
    assert done.status == 0, done.log[-3000:]
    assert done.answer["outcome"] == "open"
    return done.answer


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_candidate_that_fails_before_anybody_is_shown_it_is_not_shown(shop: Shop) -> None:
    before = _card(shop)
    _new(shop)
    _break(shop, "lambda", "Invoke", "ResourceNotFoundException")
    done = shop.jam("deploy")
    assert done.status not in (0, 4)
    assert "rollout" not in done.log.split("smoke failed")[1]
    assert _card(shop) == before == {**before, "candidate": None, "rollout": None}


def test_a_rollout_that_nobody_visits_is_promoted_and_says_loudly_that_it_knows_nothing(
    shop: Shop,
) -> None:
    version, _ = _alias(shop)
    heading = _new(shop)
    done = shop.jam("deploy")
    assert done.status == 0, done.log[-3000:]
    rollout = done.answer["rollout"]
    assert (done.answer["outcome"], rollout["verdict"]) == ("live", "inconclusive")
    assert rollout["weights"][-1][1] == 1.0
    assert 0.5 in [share for _, share in rollout["weights"]]
    assert f"CodeDeploy was told the way back to version {version}" in rollout["notes"]
    assert "Nothing is known of the traffic yet" in done.log
    assert _heading(shop) == heading


def test_an_alias_that_is_moved_by_hand_goes_back_to_what_was_live(shop: Shop) -> None:
    heading, (before, _) = _heading(shop), _alias(shop)
    moved = _open(shop)["release"]
    _aws(shop, "lambda").update_alias(
        **shop.entry,
        FunctionVersion=_other(shop),
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    assert shop.jam("settle").status in (0, 4)  # 4 if the guard had not done it a moment before
    assert _kept(shop, moved)["outcome"]["S"] == "rolled_back"
    assert _alias(shop) == (before, {})
    assert _heading(shop) == heading
    assert _card(shop)["candidate"] is None


@pytest.mark.hunt
def test_the_version_of_a_candidate_cannot_be_deleted_under_its_visitors(shop: Shop) -> None:
    opened = _open(shop)["release"]
    functions, where = _aws(shop, "lambda"), shop.entry
    _until(lambda: bool(_alias(shop)[1]))
    (candidate,) = _alias(shop)[1]
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.delete_function(FunctionName=where["FunctionName"], Qualifier=candidate)
    assert shop.jam("settle").status == 0
    assert _kept(shop, opened)["outcome"]["S"] == "live"


@pytest.mark.hunt
def test_without_codedeploy_a_candidate_is_taken_back_directly_and_the_record_says_so(
    shop: Shop,
) -> None:
    before, _ = _alias(shop)
    _configure(shop, interval="15m")
    older = _open(shop)
    _until(lambda: bool(_alias(shop)[1]))
    _configure(shop)
    for operation in ("GetDeployment", "StopDeployment"):
        _break(shop, "codedeploy", operation, "ServiceUnavailableException")
    _new(shop)
    with ThreadPoolExecutor(1) as pool:
        newer = pool.submit(shop.jam, "deploy", "--no-wait")
        _until(lambda: _alias(shop) == (before, {}))
        assert _card(shop)["candidate"] is None
        urllib3.request("DELETE", f"{shop.endpoint}/_jam/faults")
        done = newer.result()
    assert done.status == 0, done.log[-3000:]
    first = _kept(shop, older["release"])
    assert first["outcome"]["S"] == "rolled_back"
    assert "without it" in first["rollout"]["S"]


def _kept(site: Shop, release: str) -> dict[str, Any]:
    """The rollout that is kept beside a release."""
    found = _aws(site, "dynamodb").scan(TableName=f"jam-{site.name}")["Items"]
    (kept,) = [
        dict(item)
        for item in found
        if item["sk"]["S"].startswith("rollout#") and item["pk"]["S"] == f"release#{release}"
    ]
    return kept


def test_of_two_promotions_the_newer_wins_and_the_older_is_taken_back(shop: Shop) -> None:
    _configure(shop, interval="15m")
    older = _open(shop)
    _configure(shop)
    heading = _new(shop)
    done = shop.jam("deploy")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log[-3000:]
    kept = _kept(shop, older["release"])
    assert kept["outcome"]["S"] == "rolled_back"
    assert "superseded" in kept["why"]["S"]
    assert _heading(shop) == heading


def test_a_deploy_that_is_to_refuse_leaves_an_open_rollout_alone(shop: Shop) -> None:
    _configure(shop, interval="8m")
    older = _open(shop)
    _configure(shop, on_open="refuse")
    _new(shop)
    done = shop.jam("deploy")
    assert (done.status, done.error["code"]) == (75, "JAM-ROLLOUT-OPEN")
    assert shop.jam("settle").answer["outcome"] == "live"
    assert _card(shop)["release"] == older["release"]


@pytest.mark.hunt
def test_a_deploy_that_is_to_wait_comes_after_the_older_candidate(shop: Shop) -> None:
    older = _open(shop)
    _configure(shop, on_open="wait")
    _new(shop)
    done = shop.jam("deploy")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log[-3000:]
    assert done.answer["previous"] == older["release"]


def test_weights_that_no_rollout_explains_are_taken_away_first(shop: Shop) -> None:
    weights = {"AdditionalVersionWeights": {_other(shop): 0.25}}
    version, _ = _alias(shop)
    _aws(shop, "lambda").update_alias(**shop.entry, FunctionVersion=version, RoutingConfig=weights)
    _new(shop)
    done = shop.jam("deploy")
    assert done.answer["outcome"] == "live", done.log[-3000:]
    assert any("put back to version" in note for note in done.answer["rollout"]["notes"])


def _alarm(site: Site, name: str, value: str) -> str:
    metrics = _aws(site, "cloudwatch")
    metrics.put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName="checkouts",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="ignore",
    )
    metrics.set_alarm_state(AlarmName=name, StateValue=value, StateReason="a test")
    return str(metrics.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"])


@pytest.mark.parametrize(
    ("state", "place", "status", "code"),
    [
        ("ALARM", "", 3, "JAM-ALARM-RED"),
        ("", "", 3, "JAM-ALARM-MISSING"),
        ("OK", "us-east-1", 2, "JAM-ALARM-ELSEWHERE"),
    ],
)
def test_alarms_that_cannot_protect_stop_a_rollout_before_it_begins(
    shop: Shop, state: str, place: str, status: int, code: str
) -> None:
    arn = _alarm(shop, "quiet", state or "OK")
    if not state:
        arn = arn.replace(":alarm:quiet", ":alarm:no-such-alarm")
    _configure(shop, alarms=[arn.replace(REGION, place or REGION)])
    _new(shop)
    done = shop.jam("deploy")
    assert (done.status, done.error["code"]) == (status, code)
    assert _card(shop)["candidate"] is None


def test_a_rollout_without_working_alarms_is_one_on_demand_and_says_so(shop: Shop) -> None:
    _configure(shop, alarms=[_alarm(shop, "loud", "ALARM")])
    _new(shop)
    done = shop.jam("deploy", "--unprotected")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log[-3000:]
    assert done.answer["rollout"]["protected"] is False
    assert "UNPROTECTED" in done.log


@pytest.mark.hunt
def test_credentials_that_expire_during_the_wait_end_the_run_and_not_the_rollout(
    shop: Shop,
) -> None:
    heading = _new(shop)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(shop.jam, "deploy")
        _until(lambda: bool(_alias(shop)[1]))
        _break(shop, "dynamodb", "GetItem", "ExpiredTokenException")
        done = running.result()
    urllib3.request("DELETE", f"{shop.endpoint}/_jam/faults")
    assert (done.status, done.error["code"]) == (75, "JAM-ROLLOUT-UNWATCHED")
    assert shop.jam("settle").status == 0
    assert _card(shop)["candidate"] is None
    assert _heading(shop) == heading


def _visit_and_report(site: Shop) -> None:
    """One visitor, whose browser reports an error where it was given the candidate."""
    page = site.visit(site.url, "/")
    pin = next(
        (each.split(";")[0] for each in page.headers.getlist("set-cookie") if "jam-pin" in each), ""
    )
    if b"<h1>Broken" in page.data:
        site.get(site.url, "/.jam/report?k=error", cookie=pin)


@pytest.mark.hunt
def test_without_its_guard_a_run_that_follows_takes_a_broken_candidate_back(shop: Shop) -> None:
    _configure(shop, interval="10m", beacon=True)
    shop.deploy()
    _post(shop.endpoint, "deny", {"action": "dynamodb:GetItem", "principal": "*guard*"})
    _write(shop, f"Broken {next(_HEADINGS)}")
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(shop.jam, "deploy")
        _until(lambda: bool(_alias(shop)[1]) or running.done())
        while not running.done():
            _visit_and_report(shop)
        done: Done = running.result()
    assert (done.status, done.answer["outcome"]) == (4, "rolled_back"), done.log[-3000:]
    failed, tried = done.answer["rollout"]["signals"]["browser"]["candidate"]
    # The report of the last session may fall into the minute that is not whole yet.
    assert tried - 1 <= failed <= tried
    assert failed > 5
    assert done.answer["rollout"]["verdict"] == "fail"
    assert "Broken" not in _heading(shop)


def test_while_lambda_throttles_the_guard_a_run_judges_in_its_place_and_says_so(
    shop: Shop,
) -> None:
    """No concurrency is left for the guard: Lambda answers 429, and drops what woke it."""
    _configure(shop, interval="10m", beacon=True)
    shop.deploy()
    before, guard = _alias(shop)[0], f"jam-{shop.name}-guard"
    functions = _aws(shop, "lambda")
    functions.put_function_concurrency(FunctionName=guard, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName=guard)
    _write(shop, f"Broken {next(_HEADINGS)}")
    try:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(shop.jam, "deploy")
            _until(lambda: bool(_alias(shop)[1]) or running.done())
            _until(lambda: "guard was not heard" in _notes(shop) or running.done())
            while not running.done():
                _visit_and_report(shop)
            done: Done = running.result()
    finally:
        functions.delete_function_concurrency(FunctionName=guard)
    assert (done.status, done.answer["outcome"]) == (4, "rolled_back"), done.log[-3000:]
    assert "the guard was not heard" in done.log
    assert "the guard was not heard" in " ".join(done.answer["rollout"]["notes"])
    assert _alias(shop) == (before, {})
    assert "Broken" not in _heading(shop)


def _notes(site: Site) -> str:
    rollout = site.jam("status").answer["environments"][0]["rollout"]
    return " ".join(rollout["notes"])


def test_a_candidate_whose_version_is_deleted_under_way_leaves_every_visitor_what_was_live(
    shop: Shop,
) -> None:
    """Lambda keeps a version that an alias names; so its share is taken away by hand first."""
    heading, (before, _) = _heading(shop), _alias(shop)
    opened = _open(shop)["release"]
    _until(lambda: bool(_alias(shop)[1]))
    functions, name = _aws(shop, "lambda"), shop.entry["FunctionName"]
    (candidate,) = _alias(shop)[1]
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.delete_function(FunctionName=name, Qualifier=candidate)
    functions.update_alias(
        **shop.entry, FunctionVersion=before, RoutingConfig={"AdditionalVersionWeights": {}}
    )
    functions.delete_function(FunctionName=name, Qualifier=candidate)
    pages = [shop.visit(shop.url, "/") for _ in range(10)]
    assert {page.status for page in pages} == {200}
    assert all(heading.encode() in page.data for page in pages)
    done = shop.jam("settle")
    kept = _kept(shop, opened)
    assert (done.status in (0, 4), kept["outcome"]["S"]) == (True, "rolled_back"), done.log
    assert kept["why"]["S"]
    assert _alias(shop) == (before, {})
    assert _heading(shop) == heading
