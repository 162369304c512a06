"""What accounts for resources, which releases go, and that nothing is left: tables and a cloud."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from runner.audit import audit
from runner.aws import inventory
from runner.aws.bootstrap import bootstrap
from runner.aws.keyvalues import contents
from runner.aws.removal import REMOVERS
from runner.aws.session import Aws
from runner.collect import collect
from runner.destroy import Doom, Doomed, destroy, survey
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.names import Names
from runner.plan import named_tables
from runner.plan.inventory import MADE_BY, SHARED, Thing, What
from runner.plan.ledger import SURVIVED, Entry, Ledger, explained
from runner.plan.previewed import Previewed
from runner.plan.releasing import RecordRelease
from runner.plan.retention import DAY, PIN, Retention, collection, outdated
from runner.plan.steps import Plan, Step
from runner.report.tidying import stack_hint
from tests.aws_site import Deployer, a_release, zipped
from tests.labs import direct

NAMES = Names("notes", "123456789012", "eu-central-1")
A, B, C, D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
OURS = {"site": "notes", "environment": "production"}


def test_every_kind_of_step_says_what_it_makes() -> None:
    assert set(MADE_BY) == set(get_args(Step))


def test_every_kind_is_listed_and_has_a_way_to_go() -> None:
    listed = [kind for kinds, _ in inventory.LISTS for kind in kinds]
    assert sorted(listed) == sorted(What)
    assert set(REMOVERS) == set(What)
    made = {kind for kinds in MADE_BY.values() for kind in kinds}
    with_wholes = {What.KEY, What.API_STAGE, What.SPARE_DEPLOYMENT, What.ALIAS, What.VERSION}
    assert {kind for kind in made if REMOVERS[kind] is None} == with_wholes | (made & SHARED)


LEDGER = Ledger(
    exists=True,
    live=B,
    previous=A,
    ids=frozenset({"D1", "api1"}),
    stages=(("stage2", (B,)),),
    scheduled=frozenset({"jam-notes--tick"}),
    entries=(
        Entry(
            release=B,
            is_ready=True,
            at=2,
            versions=frozenset({("jam-notes--hello", "2"), ("jam-notes-entry", "2")}),
            roles=frozenset({"jam-notes--hello-12345678"}),
            header_sets=frozenset({"beef"}),
            assets=frozenset({"app.js"}),
            is_known=True,
        ),
        Entry(release=A, is_ready=True, at=1, expired=5, is_known=True),
    ),
    sites=frozenset({"notes", "notes-two"}),
    environments=frozenset({"production", "pr-7"}),
)


@pytest.mark.parametrize(
    ("thing", "by"),
    [
        (Thing(kind=What.FUNCTION, name="jam-notes-entry", **OURS), "foundation"),
        (Thing(kind=What.FUNCTION, name="jam-notes-entry"), ""),  # ours by name alone
        (Thing(kind=What.FUNCTION, name="jam-notes--hello", **OURS), "live release bbbbbbbb"),
        (Thing(kind=What.FUNCTION, name="jam-notes--gone", **OURS), ""),
        (Thing(kind=What.FUNCTION, name="jam-notes--x", site="notes", environment="pr-7"),
         "preview pr-7"),
        (Thing(kind=What.FUNCTION, name="jam-notes--x", site="notes", environment="pr-8"), ""),
        (Thing(kind=What.VERSION, name="2", key="2", of="jam-notes--hello", **OURS),
         "live release bbbbbbbb"),
        (Thing(kind=What.VERSION, name="3", key="3", of="jam-notes--hello", **OURS), ""),
        (Thing(kind=What.ROLE, name="jam-notes--hello-12345678", **OURS), "live release bbbbbbbb"),
        (Thing(kind=What.ROLE, name="jam-notes--hello-87654321", **OURS), ""),
        (Thing(kind=What.ROLE, name="jam-codedeploy"), "the account, for every site"),
        (Thing(kind=What.ROLE, name="jam-other-entry", site="other"), ""),
        (Thing(kind=What.ROLE, name="jam-notes-two-entry", site="notes-two"), "site notes-two"),
        (Thing(kind=What.ACCESS, name="jam-notes-two-files"), "site notes-two"),
        (Thing(kind=What.ACCESS, name="jam-other-files"), ""),
        (Thing(kind=What.DISTRIBUTION, name="D1", key="D1", **OURS), "foundation"),
        (Thing(kind=What.DISTRIBUTION, name="D2", key="D2", **OURS), ""),
        (Thing(kind=What.KEY, name="live", of="jam-notes", **OURS), "foundation"),
        (Thing(kind=What.KEY, name=f"r/{A}", of="jam-notes", **OURS), "previous release aaaaaaaa"),
        (Thing(kind=What.KEY, name=f"r/{C}", of="jam-notes", **OURS), ""),
        (Thing(kind=What.KEY, name="h/beef.0", of="jam-notes", **OURS), "live release bbbbbbbb"),
        (Thing(kind=What.KEY, name="h/dead.0", of="jam-notes", **OURS), ""),
        (Thing(kind=What.API_STAGE, name="stage2", of="jam-notes", **OURS),
         "live release bbbbbbbb"),
        (Thing(kind=What.API_STAGE, name="stage9", of="jam-notes", **OURS), ""),
        (Thing(kind=What.SPARE_DEPLOYMENT, name="stage2 7 beef", of="jam-notes", **OURS), ""),
        (Thing(kind=What.SCHEDULE, name="jam-notes--tick", of="jam-notes", **OURS),
         "live release bbbbbbbb"),
        (Thing(kind=What.SCHEDULE, name="jam-notes--tock", of="jam-notes", **OURS), ""),
        (Thing(kind=What.OBJECTS, name="production/assets/app.js", of="bucket", **OURS),
         "live release bbbbbbbb"),
        (Thing(kind=What.OBJECTS, name="production/~newest.json", of="bucket", **OURS),
         "foundation"),
        (Thing(kind=What.OBJECTS, name="production/assets/old.js", of="bucket", **OURS), ""),
        (Thing(kind=What.OBJECTS, name=f"production/releases/{D}/", of="bucket", **OURS), ""),
        (Thing(kind=What.OBJECTS, name="holiday.jpg", of="bucket", **OURS), ""),
        (Thing(kind=What.OBJECTS, name="previews/pr-7/", of="bucket", site="notes",
               environment="pr-7"), "preview pr-7"),
        (Thing(kind=What.ALARM, name="jam-notes-3x5f", **OURS), ""),
        (Thing(kind=What.DEPLOYMENT_CONFIG, name="jam-canary-10pct-15m"),
         "the account, for every site"),
        (Thing(kind=What.DEPLOYMENT_CONFIG, name="jam-mine"), ""),
        (Thing(kind=What.OTHER, name="arn:aws:ec2:::instance/i-1", **OURS), ""),
    ],
    ids=lambda value: f"{value.kind} {value.name}" if isinstance(value, Thing) else value or "no",
)  # fmt: skip
def test_a_resource_is_explained_by_its_record_or_by_nothing(thing: Thing, by: str) -> None:
    assert explained(thing, LEDGER, NAMES) == by


def test_what_a_run_still_stages_is_explained_by_its_record() -> None:
    begun = replace(LEDGER, entries=(*LEDGER.entries, Entry(release=C, at=3)))
    version = Thing(kind=What.VERSION, name="9", key="9", of="jam-notes--hello", **OURS)
    assert explained(version, begun, NAMES) == "staging release cccccccc"


NOW = 1_000 * DAY


def ready(release: str, *, days: float, expired: float = 0) -> Entry:
    return Entry(
        release=release,
        is_ready=True,
        at=int(NOW - days * DAY),
        expired=int(NOW - expired * DAY) if expired else 0,
    )


@pytest.mark.parametrize(
    ("entries", "pointers", "retention", "expire", "remove"),
    [
        ((ready(A, days=90), ready(B, days=1)), {"live": B}, (1, 0), (A,), ()),
        ((ready(A, days=90), ready(B, days=1)), {"live": A}, (1, 0), (), ()),
        ((ready(A, days=90), ready(B, days=1)), {"live": B, "previous": A}, (1, 0), (), ()),
        ((ready(A, days=90), ready(B, days=1)), {"live": B, "candidate": A}, (1, 0), (), ()),
        ((ready(A, days=90), ready(B, days=1)), {"live": B}, (2, 0), (), ()),
        ((ready(A, days=29), ready(B, days=1)), {"live": B}, (1, 30), (), ()),
        ((ready(A, days=31), ready(B, days=1)), {"live": B}, (1, 30), (A,), ()),
        ((ready(A, days=90), ready(B, days=1)), {"live": B, "history": (A,)}, (1, 0), (), ()),
        ((ready(A, days=90, expired=6.9), ready(B, days=1)), {"live": B}, (1, 0), (), ()),
        ((ready(A, days=90, expired=7.1), ready(B, days=1)), {"live": B}, (1, 0), (), (A,)),
        ((ready(A, days=90, expired=7.1), ready(B, days=1)), {"live": A}, (1, 0), (), ()),
        ((replace(ready(A, days=90), environment="pr-7"), ready(B, days=1)), {"live": B}, (1, 0),
         (), ()),
        ((Entry(release=C, at=int(NOW - DAY / 2)), ready(B, days=1)), {"live": B}, (1, 0), (), ()),
        ((Entry(release=C, at=int(NOW - 2 * DAY)), ready(B, days=1)), {"live": B}, (1, 0), (),
         (C,)),
    ],
    ids=[
        "past both", "live", "the one before", "candidate", "among the last", "young", "old",
        "was live lately", "pins may live", "pins are over", "live again", "a preview's",
        "being staged",
        "killed while staging",
    ],
)  # fmt: skip
def test_a_release_goes_when_nothing_keeps_it(
    entries: tuple[Entry, ...],
    pointers: dict[str, Any],
    retention: tuple[int, int],
    expire: tuple[str, ...],
    remove: tuple[str, ...],
) -> None:
    ledger = Ledger(exists=True, entries=entries, **pointers)
    decided = collection(ledger, Retention(releases=retention[0], days=retention[1]), now=NOW)
    assert (decided.expire, decided.remove) == (expire, remove)


def staged(release: str, stage: str, *, days: float, opened: float = 0) -> Entry:
    until = int(NOW + opened) if opened else 0
    return replace(ready(release, days=days), api_stage=stage, opened=until)


@pytest.mark.parametrize(
    ("entry", "more", "idle"),
    [
        (staged(A, "one", days=3), {}, {"one"}),
        (staged(A, "one", days=3), {"stages": (("one", (A,)),)}, set()),
        (staged(A, "one", days=3, opened=60), {}, set()),
        (staged(A, "one", days=3, opened=-60), {}, {"one"}),
        (staged(A, "one", days=0.5), {}, set()),
        (staged(A, "one", days=3), {"live": A}, set()),
        (staged(A, "one", days=3), {"candidate": A}, set()),
        (staged(A, "two", days=3), {}, set()),
        (replace(staged(A, "one", days=3), environment="pr-7"), {}, set()),
    ],
    ids=["old", "recorded", "opened", "was opened", "waits", "live", "candidate", "live's own",
         "a preview's"],
)  # fmt: skip
def test_an_api_stage_that_nobody_needs_sleeps(
    entry: Entry, more: dict[str, Any], idle: set[str]
) -> None:
    entries = (entry, staged(B, "two", days=1))
    ledger = replace(Ledger(exists=True, live=B, stages=(("two", (B,)),), entries=entries), **more)
    decided = collection(ledger, Retention(), now=NOW)
    assert decided.idle == idle
    assert decided.unrouted == ((A,) if idle else ())
    assert decided.remove == ()


def test_a_release_that_somebody_looks_at_stays() -> None:
    entries = (replace(ready(A, days=90, expired=8), opened=int(NOW + 60)), ready(B, days=1))
    ledger = Ledger(exists=True, live=B, entries=entries)
    decided = collection(ledger, Retention(releases=1, days=0), now=NOW)
    assert (decided.remove, decided.revive) == ((), (A,))


def _versions(function: str, *keys: int) -> list[Thing]:
    return [Thing(kind=What.VERSION, name=f"{key}", key=f"{key}", of=function) for key in keys]


@pytest.mark.parametrize(
    ("calls", "went"),
    [((), ["8", "9", "1", "2"]), (("2", "none"), ["8", "9", "1"]), (("2", ""), ["8", "9"])],
)
def test_old_versions_of_our_own_programs_go_unless_something_calls_them(
    calls: tuple[str, ...], went: list[str]
) -> None:
    stages = [Thing(kind=What.API_STAGE, name=f"s{call}", calls=call) for call in calls]
    there = [*_versions(NAMES.guard, 8, 9, 10), *_versions(NAMES.acceptor, 1, 2, 3), *stages]
    assert [each.key for each in outdated(there, NAMES)] == went


def test_a_release_that_is_kept_again_loses_its_mark() -> None:
    ledger = Ledger(exists=True, live=A, entries=(ready(A, days=90, expired=1),))
    assert collection(ledger, Retention(), now=NOW).revive == (A,)


# On a cloud


@dataclass
class Late:
    """A clock that can be moved."""

    by: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.by


@dataclass(frozen=True)
class Account:
    cloud: Cloud
    clock: Late
    site: Deployer

    @property
    def unexplained(self) -> list[str]:
        return [each.name for each in audit(self.site.aws, self.site.names).unexplained]

    @property
    def of_site(self) -> list[str]:
        return [each.name for each in audit(self.site.aws, self.site.names).of_site]

    def deploy(self, folder: Path, *pages: str) -> None:
        for page in pages:
            self.clock.by += 60
            self.site.deploy(a_release(folder, page=page, code=page))

    def destroy(self, *tables: str) -> tuple[str, ...]:
        doom = Doom(tables=frozenset(tables), run="a test")
        return destroy(self.site.aws, self.site.names, doom, say=str)[1]

    def collect(self) -> Any:
        keep = Retention(releases=1, days=0)
        return collect(self.site.aws, self.site.names, keep, run="a test", say=str)


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as cloud:
        yield cloud


@pytest.fixture
def account(one_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    one_cloud.reset()
    clock = Late()
    aws = reached(one_cloud, clock)
    bootstrap(aws, lambda _line: None)
    return Account(one_cloud, clock, Deployer(aws, Names("notes", aws.account, aws.region)))


def reached(cloud: Cloud, clock: Callable[[], float]) -> Aws:
    return direct.account(cloud, clock=clock, sleep=lambda seconds: time.sleep(seconds / 50))


def test_gc_takes_the_routing_first_and_all_the_rest_a_week_later(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one", "two", "three")
    first = account.collect()
    assert [each.split()[0] for each in first.removed] == ["key"]
    assert len(first.expired) == 1
    account.clock.by += PIN + 1
    went = [each.rpartition(" ")[0] for each in account.collect().removed]
    assert went == [
        "api_stage",
        "function version",
        "function version",
        "objects",
        "release",
    ]
    assert account.collect().removed == ()
    assert account.unexplained == []
    names, aws = account.site.names, account.site.aws
    kept = aws.s3.list_objects_v2(Bucket=names.bucket, Prefix="production/assets/")
    assert [each["Key"] for each in kept["Contents"]] == [
        "production/assets/assets/app-1234abcd.js"
    ]
    account.deploy(tmp_path, "one")  # what went is made again
    assert account.unexplained == []


def test_gc_takes_what_a_killed_run_left(account: Account, tmp_path: Path) -> None:
    account.deploy(tmp_path, "one")
    names, aws = account.site.names, account.site.aws
    plan = account.site.plan(a_release(tmp_path, page="two", code="two"))
    account.site.perform(plan.staging, a_release(tmp_path, page="two", code="two"))
    assert account.unexplained == []
    assert account.collect().removed == ()
    account.clock.by += 2 * DAY
    assert f"function version {names.entry}:2" in account.collect().removed
    store = aws.edge.describe_key_value_store(Name=names.store)["KeyValueStore"]["ARN"]
    assert len([key for key in contents(aws, store) if key.startswith("r/")]) == 1
    assert account.unexplained == []


def test_a_deployment_of_which_a_killed_run_made_no_api_stage_goes_with_its_release(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one")
    two = a_release(tmp_path, page="two", code="two")
    begun = [step for step in account.site.plan(two).stage if isinstance(step, RecordRelease)]
    account.site.perform(Plan(stage=tuple(begun)), two)
    api = account.site.aws.api
    of = {"ApiId": api.get_apis()["Items"][0]["ApiId"]}
    api.create_deployment(**of, Description="beef 7 cafe")
    assert account.unexplained == []
    assert account.collect().removed == ()
    account.clock.by += 2 * DAY
    assert "deployment without an api_stage beef 7 cafe" in account.collect().removed
    assert len(api.get_deployments(**of)["Items"]) == len(api.get_stages(**of)["Items"])
    api.create_deployment(**of, Description="by hand")
    assert account.unexplained == ["by hand"]
    assert account.collect().removed == ("deployment without an api_stage by hand",)


def test_a_function_with_our_name_alone_is_told_and_left(account: Account, tmp_path: Path) -> None:
    account.deploy(tmp_path, "one")
    aws, names = account.site.aws, account.site.names
    found = aws.functions.get_function(FunctionName=names.entry)["Configuration"]
    archive = zipped("index.mjs", "export const handler = async () => 1;")
    aws.functions.create_function(
        FunctionName="jam-notes-planted",
        Role=found["Role"],
        Runtime="nodejs22.x",
        Handler="index.handler",
        Code={"ZipFile": archive},
    )
    assert account.unexplained == ["jam-notes-planted"]
    account.destroy("notes")
    assert account.unexplained == ["jam-notes-planted"]
    assert account.of_site == []


def test_foreign_objects_stop_it_before_anything_went(account: Account, tmp_path: Path) -> None:
    account.deploy(tmp_path, "one")
    aws, names = account.site.aws, account.site.names
    keys = ("holiday.jpg", "production/assets/theirs.js")
    for key in keys:
        aws.s3.put_object(Bucket=names.bucket, Key=key, Body=b"mine")
    before = account.cloud.journal.last
    with pytest.raises(JamError) as caught:
        account.destroy()
    assert caught.value.code == "JAM-BUCKET-FOREIGN"
    assert [each.where for each in caught.value.problems] == list(keys)
    assert [each.name for each in account.cloud.journal.writes(since=before)] == []
    for key in keys:
        aws.s3.delete_object(Bucket=names.bucket, Key=key)
    account.destroy("notes")
    assert account.of_site == []


def test_gc_leaves_previews_to_those_who_close_them(account: Account, tmp_path: Path) -> None:
    account.deploy(tmp_path, "one")
    aws, names = account.site.aws, account.site.names
    key = f"previews/pr-7/releases/{C}/index.html"
    aws.s3.put_object(Bucket=names.bucket, Key=key, Body=b"a preview")
    assert account.unexplained == ["previews/pr-7/"]  # no record of it
    assert account.collect().removed == ()
    doom = Doom(environment="production", run="a test")
    destroy(aws, names, doom, say=str)
    left = aws.s3.list_objects_v2(Bucket=names.bucket)["Contents"]
    assert [each["Key"] for each in left] == [key]
    account.destroy("notes")
    assert account.of_site == []


def test_tables_stay_unless_they_are_named(account: Account, tmp_path: Path) -> None:
    account.deploy(tmp_path, "one")
    account.destroy()
    assert account.of_site == ["jam-notes-production-notes"]
    assert account.unexplained == []
    assert account.destroy("notes") == ("table jam-notes-production-notes",)
    assert account.of_site == []
    assert account.destroy("notes") == ()


@pytest.mark.parametrize("environment", ["previews", "pr-7"])
def test_whoever_ends_previews_hears_nothing_of_production_and_marks_none_of_its_tables(
    account: Account, tmp_path: Path, environment: str
) -> None:
    account.deploy(tmp_path, "one")
    aws, names = account.site.aws, account.site.names
    doomed, removed = destroy(aws, names, Doom(environment=environment, run="a test"), say=str)
    assert (doomed.left, removed) == ((), ())
    table = aws.records.describe_table(TableName=names.table("notes"))["Table"]["TableArn"]
    tags = aws.records.list_tags_of_resource(ResourceArn=table)["Tags"]
    assert "jam:kept" not in {each["Key"] for each in tags}


def test_production_alone_leaves_empty_records_and_can_begin_anew(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one")
    doom = Doom(environment="production", run="a test")
    destroy(account.site.aws, account.site.names, doom, say=str)
    assert account.of_site == ["jam-notes", "jam-notes-production-notes"]
    account.deploy(tmp_path, "two")
    assert account.unexplained == []
    assert "jam-notes-entry" in account.of_site


# The lease's own thread dies as well.
DEATH = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class Killed(BaseException):
    """As a kill: nothing of ours catches it."""


def dying(account: Account, *, after: int) -> Aws:
    """An account whose run is killed when it would write once more."""
    aws = reached(account.cloud, account.clock)
    start = account.cloud.journal.last

    def count(**_: object) -> None:
        if len(list(account.cloud.journal.writes(since=start))) >= after:
            raise Killed

    aws._session.events.register("before-send", count)
    return aws


@DEATH
def test_a_run_that_is_killed_after_every_few_writes_ends_with_nothing_left(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one", "two")
    doom = Doom(tables=frozenset({"notes"}), run="a test")
    deaths = 0
    while deaths < 30:
        try:
            destroy(dying(account, after=13), account.site.names, doom, say=str)
            break
        except Killed:
            deaths += 1
            account.clock.by += 100  # its lease runs out
            assert account.unexplained == []
    assert deaths > 1
    assert account.of_site == []


def test_the_stack_is_nobodys_to_remove_while_another_site_stands() -> None:
    def hint(*sites: str, bootstrapped: bool = True) -> str:
        told = Ledger(sites=frozenset(sites))
        doomed = Doomed(ledger=told, previewed=Previewed(), going=(), left=())
        doomed = replace(doomed, bootstrapped=bootstrapped)
        return stack_hint("notes", doomed, region="eu-central-1")

    alone = hint("notes")
    assert "aws cloudformation delete-stack --stack-name jam-deploy --region eu-central-1" in alone
    assert hint("notes", "shop", "blog") == (
        "The stack jam-deploy and what sites share stay, for blog, shop."
    )
    assert hint("notes", bootstrapped=False) == ""


def notes_table(name: str = "jam-notes-production-notes") -> Thing:
    return Thing(kind=What.TABLE, name=name, **OURS)


NEVER_THERE: list[tuple[str, set[str], tuple[Thing, ...], Ledger]] = [
    ("a slip", {"nots"}, (notes_table(),), Ledger(exists=True, tables=frozenset({"notes"}))),
    ("one of two", {"notes", "x"}, (notes_table(),), Ledger(exists=True)),
    ("a site without tables", {"notes"}, (), Ledger(exists=True)),
    ("what was kept would stay", {"nots"}, (notes_table(),), Ledger()),
    ("the records", {"jam-notes"}, (notes_table("jam-notes"),), Ledger(exists=True)),
    ("a preview's", {"a"}, (notes_table("jam-notes--pr-7--a"),), Ledger(exists=True)),
]
WAS_THERE: list[tuple[str, set[str], tuple[Thing, ...], Ledger]] = [
    ("by its name", {"notes"}, (notes_table(),), Ledger(exists=True)),
    ("by DynamoDB's", {"jam-notes-production-notes"}, (notes_table(),), Ledger(exists=True)),
    ("lost by hand", {"notes"}, (), Ledger(exists=True, tables=frozenset({"notes"}))),
    ("a run that died went on", {"notes"}, (), Ledger(exists=True, destroying=True)),
    ("twice", {"notes"}, (), Ledger()),
    ("nothing named", set(), (notes_table(),), Ledger(exists=True)),
]


@pytest.mark.parametrize("case", NEVER_THERE, ids=[each[0] for each in NEVER_THERE])
def test_a_table_that_never_was_is_an_error(case: Any) -> None:
    _, named, there, told = case
    with pytest.raises(JamError) as raised:
        named_tables.check(frozenset(named), there, told=told, names=NAMES)
    assert (raised.value.code, raised.value.turn) == ("JAM-TABLE-UNKNOWN", 2)


@pytest.mark.parametrize("case", WAS_THERE, ids=[each[0] for each in WAS_THERE])
def test_a_table_that_was_or_is_there_may_be_named(case: Any) -> None:
    _, named, there, told = case
    named_tables.check(frozenset(named), there, told=told, names=NAMES)


def test_a_wrong_name_of_a_table_stops_destroy_before_it_removes_anything(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one")
    before = account.cloud.journal.last
    with pytest.raises(JamError, match="no table nots") as raised:
        account.destroy("nots")
    assert raised.value.hint == "Its tables: `--with-tables notes`."
    assert list(account.cloud.journal.writes(since=before)) == []


@DEATH
def test_a_deploy_after_a_destroy_that_was_killed_begins_anew(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one")
    with pytest.raises(Killed):
        destroy(dying(account, after=14), account.site.names, Doom(run="a test"), say=str)
    account.clock.by += 100
    account.deploy(tmp_path, "one")
    assert account.unexplained == []
    found = survey(account.site.aws, account.site.names, Doom())
    assert What.DISTRIBUTION in {each.kind for each in found.going}


def test_what_a_killed_destroy_left_of_an_old_release_is_accounted_for_until_gc(
    account: Account, tmp_path: Path
) -> None:
    account.deploy(tmp_path, "one")
    with pytest.raises(Killed):
        destroy(dying(account, after=14), account.site.names, Doom(run="a test"), say=str)
    account.clock.by += 100
    account.deploy(tmp_path, "two")
    found = audit(account.site.aws, account.site.names)
    assert [each.name for each in found.unexplained] == []
    left = {each.thing.name for each in found.found if each.by == SURVIVED}
    assert f"{account.site.names.entry}:1" in left
    went = account.collect().removed
    assert {each.rpartition(" ")[2] for each in went} >= left
    after = audit(account.site.aws, account.site.names)
    assert [each.thing.name for each in after.found if each.by in ("", SURVIVED)] == []
