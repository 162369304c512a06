"""The names that we give to AWS's resources. Pure: a re-run finds what a killed run made.

Lengths: a bucket name has at most 63 characters, a role or function name 64.
Source: S3 user guide, "General purpose bucket naming rules"; Lambda API, CreateFunction.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

# Two hyphens end the site's name in those of its functions and of its previews: rights on
# `jam-a--*` are none on what belongs to a site `a-b`.
SITE = re.compile(r"(?!.*--)[a-z][a-z0-9-]{0,22}[a-z0-9]")
PRODUCTION = "production"
PREVIEWS = "previews"  # what all previews of a site share
PREVIEW = re.compile(r"pr-([1-9][0-9]{0,8})")
ALIAS = "live"
ROLE_PATH = "/jam/"
BOUNDARY = "jam-boundary"
CACHE_POLICY, FORWARD_POLICY = "jam--cache-", "jam--forward-"  # and a digest; no site is called so
CODE_DEPLOY_ROLE = "jam-codedeploy"
PRODUCTION_ROLE, PREVIEW_ROLE = "jam-production", "jam-preview"  # that GitHub's workflows assume


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one site in one account and region, in one of its environments.

    Previews have everything apart from production: their deploy role can be given `jam-*--pr-*`,
    and with it nothing that visitors reach. What all previews share is named alike in each.
    """

    site: str
    account: str
    region: str
    partition: str = "aws"
    environment: str = PRODUCTION

    @property
    def prefix(self) -> str:
        return f"jam-{self.site}" + ("" if self.environment == PRODUCTION else "--pr")

    @property
    def objects(self) -> str:
        """What the keys of the environment's objects begin with; for CloudFront an origin path."""
        return self.environment if self.is_shared else f"{PREVIEWS}/{self.environment}"

    @property
    def within(self) -> str:
        """What comes before a release in the keys of the store and of records."""
        return "" if self.is_shared else f"{self.environment}/"

    @property
    def is_shared(self) -> bool:
        """Whether this is production or what previews share, rather than one preview."""
        return self.environment in (PRODUCTION, PREVIEWS)

    @property
    def previews(self) -> Names:
        """What the site's previews share."""
        return replace(self, environment=PREVIEWS)

    @property
    def production(self) -> Names:
        return replace(self, environment=PRODUCTION)

    def preview(self, number: int) -> Names:
        """The names of a pull request's own."""
        return replace(self, environment=f"pr-{number}")

    @property
    def records(self) -> str:
        return self.prefix

    @property
    def bucket(self) -> str:
        """In the account's own regional namespace: nobody else can squat on the name.

        Source: S3 user guide, "Namespaces for general purpose buckets".
        """
        return f"{self.prefix}-{self.account}-{self.region}-an"

    @property
    def store(self) -> str:
        return self.prefix

    @property
    def router(self) -> str:
        return f"{self.prefix}-router"

    @property
    def response(self) -> str:
        return f"{self.prefix}-response"

    @property
    def stream(self) -> str:
        return f"{self.prefix}-stream"

    @property
    def files_access(self) -> str:
        return f"{self.prefix}-files"

    @property
    def entry_access(self) -> str:
        return f"{self.prefix}-entry"

    @property
    def entry(self) -> str:
        return f"{self.prefix}-entry"

    @property
    def application(self) -> str:
        """CodeDeploy's."""
        return self.prefix

    @property
    def guard(self) -> str:
        return f"{self.prefix}-guard"

    @property
    def guard_role(self) -> str:
        return f"{self.prefix}-guard"

    @property
    def guard_clock(self) -> str:
        """The rule that wakes the guard every minute while a rollout is open."""
        return f"{self.prefix}-guard-clock"

    @property
    def guard_word(self) -> str:
        """The rule by which the guard hears what becomes of deployments."""
        return f"{self.prefix}-guard-word"

    @property
    def api(self) -> str:
        return self.prefix

    @property
    def access_log(self) -> str:
        """The log group of the API's access log.

        Below the prefix that one statement of CloudWatch Logs' resource policy covers: with names
        of its own each site would add to a policy of at most 5,120 characters an account.
        Source: CloudWatch Logs user guide, "Enabling logging from AWS services", "Log group
        resource policy size limit considerations".
        """
        return f"/aws/vendedlogs/{self.prefix}/access"

    def log_group_arn(self, group: str) -> str:
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{group}"

    @property
    def functions_role(self) -> str:
        return f"{self.prefix}-functions"

    @property
    def entry_role(self) -> str:
        return f"{self.prefix}-entry"

    @property
    def api_role(self) -> str:
        return f"{self.prefix}-api"

    @property
    def scheduler_role(self) -> str:
        return f"{self.prefix}-scheduler"

    @property
    def background_role(self) -> str:
        return f"{self.prefix}-background"

    @property
    def acceptor(self) -> str:
        """The function that takes requests in for those that run in the background."""
        return f"{self.prefix}-background"

    @property
    def keeper(self) -> str:
        """The function that lets nothing into the API but the distribution's requests."""
        return f"{self.prefix}-keeper"

    @property
    def keeper_role(self) -> str:
        return f"{self.prefix}-keeper"

    @property
    def schedules(self) -> str:
        """The group of the site's schedules; one is named as its function is."""
        return self.prefix

    @property
    def schedules_arn(self) -> str:
        here = f"{self.region}:{self.account}"
        return f"arn:{self.partition}:scheduler:{here}:schedule-group/{self.schedules}"

    @property
    def dead_letters(self) -> str:
        """The queue of failed events, and the alarm on it."""
        return f"{self.prefix}-dead-letters"

    @property
    def dead_letters_arn(self) -> str:
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{self.dead_letters}"

    @property
    def boundary_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:policy{ROLE_PATH}{BOUNDARY}"

    def role_arn(self, role: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role{ROLE_PATH}{role}"

    def function_arn(self, function: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{function}"

    @property
    def functions(self) -> str:
        """What the names of the environment's functions begin with.

        Production's are those of previews as well; what previews share fits every preview's.
        """
        if self.environment == PRODUCTION:
            return f"jam-{self.site}--"
        return f"jam-{self.site}--{'pr-*' if self.is_shared else self.environment}--"

    def function(self, name: str) -> str:
        """The Lambda name of a site's function: readable, at most 64 characters, never shared."""
        return _readable(self.functions, name, tail="")

    def grants_role(self, owner: str, digest: str) -> str:
        """The role of the one function `owner`, or of all that share `[functions]`' grants.

        Named by what it may do: the rights of a release that is live never change under it.
        """
        return _readable(self.functions, owner or "shared", tail=f"-{digest[:8]}")

    def table(self, name: str) -> str:
        """The DynamoDB name of one of the site's own tables."""
        return table_name(self.site, name, self.environment)


def table_name(site: str, name: str, environment: str = PRODUCTION) -> str:
    """The DynamoDB name of a site's table: the same in every account and region."""
    if environment == PRODUCTION:
        return f"jam-{site}-{environment}-{name}"
    return f"jam-{site}--{environment}--{name}"


def table_variable(table: str) -> str:
    """The environment variable that tells functions a table's name: `JAM_TABLE_NOTES`."""
    return "JAM_TABLE_" + re.sub(r"[^A-Z0-9]", "_", table.upper())


def function_variable(function: str) -> str:
    """The variable that tells a function another's name and version: `JAM_FUNCTION_NOTES_ID`."""
    return "JAM_FUNCTION_" + re.sub(r"[^A-Z0-9]+", "_", function.upper()).strip("_")


def _readable(head: str, name: str, *, tail: str) -> str:
    """At most 64 characters; six of the name's digest keep names apart that read alike."""
    end = f"-{hashlib.sha256(name.encode()).hexdigest()[:6]}{tail}"
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[: 64 - len(head) - len(end)]
    return f"{head}{readable.strip('-')}{end}"


def tags(site: str, environment: str) -> dict[str, str]:
    """What every resource of ours bears; `audit` and `destroy` go by them."""
    return {"jam:site": site, "jam:environment": environment}
