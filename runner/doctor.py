"""`doctor`: everything that can be wrong with a site and its account, and how to put it right.

Changes nothing but one mark: where a deploy has something to mend, the next one looks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from runner import domains
from runner.aws import doubts, lost_tables, probes, quotas, records, roles
from runner.aws.deployed import Deployed, describe_all
from runner.aws.files import is_versioned
from runner.aws.looks import drift
from runner.aws.refusals import explained, tolerating
from runner.aws.session import Aws
from runner.aws.written import Environment, Recorded, Staged
from runner.config.load import Config
from runner.decide import production_foundation
from runner.errors import JamError
from runner.model import Table
from runner.names import CODE_DEPLOY_ROLE, Names
from runner.package.functions import runtimes
from runner.plan.definition import release_of
from runner.plan.drift import Drift, Finding, State
from runner.plan.groundwork import Foundation
from runner.plan.refs import Made
from runner.plan.remarks import Remark, Topic, fine, wrong
from runner.promote import promotion_of

NOT_YET = "the settings, or this version of jam-deploy, are newer than the last deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """What the settings say that no record does: the site's tables, whether it has rollouts, its
    host names and the wildcard of its previews; `near` is the embedded cloud's address."""

    tables: tuple[Table, ...] = ()
    rollouts: bool = True
    domains: tuple[str, ...] = ()
    previews: str = ""
    near: str = ""


def practice_of(config: Config, *, near: str) -> Practice:
    """What a site's settings say."""
    return Practice(
        tables=config.tables,
        rollouts=promotion_of(config) is not None,
        domains=config.settings.production.domain,
        previews=config.settings.preview.domain or "",
        near=near,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All remarks, by topic. `is_marked`: the next deploy looks at everything."""

    site: str
    account: str
    region: str
    remarks: tuple[Remark, ...]
    drift: Drift
    is_marked: bool = False

    @property
    def is_well(self) -> bool:
        return not any(each.is_wrong for each in self.remarks)


def doctor(aws: Aws, names: Names, practice: Practice) -> Health:
    """Looks at everything. Raises JamError only where the account cannot be reached at all."""
    who = aws.caller["Arn"]  # first: without credentials nothing else can be said
    there, staged = _recorded(aws, names)
    found = _drift(aws, names, practice, there=there, staged=staged)
    named = tuple(_named(aws, names, practice, there=there))
    remarks = (
        fine(Topic.CREDENTIALS, f"{who} in {aws.account}, {names.region}"),
        *_account(aws, names),
        *_permissions(aws, names, there=there),
        *_quotas(aws, there=there),
        *_drifted(aws, names, there=there, staged=staged, found=found),
        *named,
        *_open(there, now=aws.clock()),
        *_runtimes(aws, names, there=there),
    )
    why = next((str(each) for each in found.findings if each.is_mended), _lost(named, there))
    marked = bool(why) and doubts.put(aws, names, why=why)
    return Health(
        site=names.site,
        account=aws.account,
        region=names.region,
        remarks=remarks,
        drift=found,
        is_marked=marked,
    )


def _recorded(aws: Aws, names: Names) -> tuple[Environment | None, Staged | None]:
    """The environment and its live release, as far as there are records."""
    with explained():
        found = records.read(aws, names, release="")
        if not found or not found[0].release:
            return (found[0] if found else None), None
        again = records.read(aws, names, release=found[0].release)
    return again or (found[0], None)


def _drift(
    aws: Aws,
    names: Names,
    practice: Practice,
    *,
    there: Environment | None,
    staged: Staged | None,
) -> Drift:
    if not there or not there.release or not staged or not staged.definition:
        return Drift()
    wanted = foundation_of(names, practice, staged=staged)
    return drift(aws, names, foundation=wanted, recorded=Recorded(there=there, staged=staged))


def foundation_of(names: Names, practice: Practice, *, staged: Staged) -> Foundation:
    """What the live release stands on: by its record, and the settings as they are here."""
    functions = release_of("", staged.definition, {}).functions
    return production_foundation(
        names,
        functions=functions,
        tables=practice.tables,
        domains=practice.domains,
        rollouts=practice.rollouts,
    )


def _account(aws: Aws, names: Names) -> Iterator[Remark]:
    """What `bootstrap` makes, once for all sites."""
    hint = "Let an administrator run `jam-deploy bootstrap`; it may be run again."
    try:
        with explained():
            roles.check_boundary(aws, names)
            if roles.find(aws, CODE_DEPLOY_ROLE) is None:
                told = (
                    f"the role {CODE_DEPLOY_ROLE}, by which CodeDeploy moves visitors, is missing"
                )
                yield wrong(Topic.ACCOUNT, told, hint=hint)
                return
    except JamError as error:
        yield wrong(Topic.ACCOUNT, error.message, hint=error.hint)
        return
    yield fine(Topic.ACCOUNT, "is bootstrapped")


def _permissions(aws: Aws, names: Names, *, there: Environment | None) -> Iterator[Remark]:
    with explained():
        answers = probes.ask(aws, names, there=there or Environment())
    for each in answers.denied:
        yield wrong(Topic.PERMISSIONS, each.message, hint=each.hint)
    how = "simulated by IAM and tried" if answers.is_simulated else "tried; IAM could not be asked"
    yield fine(Topic.PERMISSIONS, f"{answers.held} rights are there ({how} without a change)")


def _quotas(aws: Aws, *, there: Environment | None) -> Iterator[Remark]:
    api = there.ids.get(Made.API, "") if there else ""
    with explained():
        for each in quotas.quotas(aws, api=api):
            if each.is_near:
                told = f"{each.what}: {_amount(each, each.used)} of {_amount(each, each.limit)}"
                yield wrong(Topic.QUOTAS, told, hint=each.hint)
        at_once = 0
        with tolerating("AccessDeniedException"):
            at_once = quotas.concurrency(aws)
    if 0 < at_once < quotas.FEW:
        yield wrong(
            Topic.QUOTAS,
            f"Lambda runs {at_once} functions at once in this account; a visitor who is drawn "
            "when all are busy gets an error, for CloudFront does not fail over on 429",
            hint="Ask for 1,000 concurrent executions in the Service Quotas console.",
        )


def _amount(quota: quotas.Quota, amount: int) -> str:
    return f"{amount / 1e9:.1f} GB" if quota.is_bytes else str(amount)


def _drifted(
    aws: Aws, names: Names, *, there: Environment | None, staged: Staged | None, found: Drift
) -> Iterator[Remark]:
    if there is None:
        yield wrong(
            Topic.DRIFT,
            f"there is no records table {names.records}: nothing of {names.site} is deployed here, "
            "or it was deleted by hand",
            hint="`jam-deploy deploy` makes it; releases before that cannot be gone back to.",
        )
        return
    if not there.release:
        yield fine(Topic.DRIFT, "nothing is live")
        return
    if staged is None:
        told = f"the record of the live release {there.release[:8]} is gone"
        yield wrong(Topic.DRIFT, told, hint="`jam-deploy deploy` writes it again.")
    for each in found.findings:
        if each.state is State.PENDING:
            yield fine(Topic.DRIFT, f"{each}; {NOT_YET}")
        else:
            yield wrong(Topic.DRIFT, str(each), hint=each.hint or _hint(each, names))
    with explained(), tolerating("NoSuchBucket", "AccessDenied"):
        if is_versioned(aws, names):
            yield fine(
                Topic.DRIFT,
                f"versioning of the bucket {names.bucket} was turned on: what `gc` deletes is kept "
                "and paid for. It is left so.",
            )
    if staged and len(found.findings) == len(found.pending):
        yield fine(Topic.DRIFT, f"everything of {there.release[:8]} is as recorded")


def _named(
    aws: Aws, names: Names, practice: Practice, *, there: Environment | None
) -> Iterator[Remark]:
    if practice.domains:
        yield from domains.remarks(
            aws, names, hosts=practice.domains, there=there, near=practice.near
        )
    if practice.previews:
        shared, _ = _recorded(aws, names.previews)
        yield from domains.remarks(
            aws, names.previews, hosts=(practice.previews,), there=shared, near=practice.near
        )


def _lost(named: tuple[Remark, ...], there: Environment | None) -> str:
    """What names that worked lack now; empty where a deploy sees to them anyway."""
    worked = there is not None and there.domains_work
    return next((each.message for each in named if worked and each.is_wrong), "")


def _hint(each: Finding, names: Names) -> str:
    match each.state:
        case State.LOST:
            return lost_tables.hint(names, [each.name.removeprefix(names.table(""))])
        case State.FOREIGN:
            return "It is left alone: rename it, delete it, or choose another `site`."
        case _:
            return "`jam-deploy deploy` puts it right."


def _open(there: Environment | None, *, now: float) -> Iterator[Remark]:
    if there is None:
        return
    if there.rollout:
        told = f"a rollout of release {there.rollout[:8]} is open"
        yield fine(Topic.OPEN, f"{told}: `jam-deploy settle` finishes or undoes it")
    if there.hold:
        by = f" by {there.hold.by}" if there.hold.by else ""
        yield fine(Topic.OPEN, f"production is held{by}: `jam-deploy unhold` frees it")
    if there.holder and there.holder.expires < now:
        yield wrong(
            Topic.OPEN,
            f"{there.holder.run} ended in the middle of a change",
            hint="The next `jam-deploy deploy`, `settle` or `rollback` sets everything again.",
        )
    elif there.holder:
        yield fine(Topic.OPEN, f"{there.holder.run} is at work")
    if there.trailing:
        told = "schedules, streams or log groups have not followed the live release yet"
        yield wrong(Topic.OPEN, told, hint="Run `jam-deploy settle` or `jam-deploy deploy`.")


def _runtimes(aws: Aws, names: Names, *, there: Environment | None) -> Iterator[Remark]:
    found = there.functions if there else {}
    deployed = tuple(
        Deployed(name=name, function=names.function(name), version=each.version)
        for name, each in sorted(found.items())
    )
    for each, described in zip(deployed, describe_all(aws, deployed), strict=True):
        if described and (told := _ending(described.runtime, _today(aws))):
            yield wrong(
                Topic.RUNTIMES, f"function {each.name}: {told}", hint="Set it in jam.toml; deploy."
            )


def _ending(runtime: str, today: date) -> str:
    return runtimes.warning(runtime, today) if runtime in runtimes.RUNTIMES else ""


def _today(aws: Aws) -> date:
    return datetime.fromtimestamp(aws.clock(), UTC).date()
