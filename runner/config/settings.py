"""`jam.toml` as frozen structs; JSON Schema, docs/settings.md and `init` are made of them.

Pure: imports nothing but msgspec and the names. Every key is optional.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from runner.config import values as v
from runner.config.functions import Authorizer, Functions


def _told(description: str, example: object = None) -> Meta:
    """What a key means, in one line; `example` is what `init` writes beside it."""
    return Meta(description=description, examples=None if example is None else [example])


class Build(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the site is built."""

    install: Annotated[
        v.Command | None, _told("Installs dependencies. Detected by lock file.", "npm ci")
    ] = None
    command: Annotated[
        v.Command | None, _told("Builds the site. Detected by framework.", "npm run build")
    ] = None
    dev: Annotated[
        v.Command | None,
        _told(
            "The front end's own server while developing (`jam-deploy dev`); it prints its "
            "address. Detected by framework.",
            "npm run dev",
        ),
    ] = None
    publish: Annotated[
        v.Folder | None, _told("The folder that the build fills. Detected by framework.", "dist")
    ] = None
    image: Annotated[
        v.Image | None,
        _told("Container image to build in, in place of the runner's own Node.", "node:22-slim"),
    ] = None
    spa: Annotated[
        bool | None,
        _told(
            "Whether paths without a file and an extension get index.html. Detected: a client-side "
            "router and no other page.",
            True,
        ),
    ] = None
    immutable: Annotated[
        tuple[v.Immutable, ...],
        _told(
            "Files that carry a hash of their content in their name, beyond those that the bundler "
            "names: browsers keep them for a year.",
            ["fonts/*.woff2"],
        ),
    ] = ()
    allow: Annotated[
        tuple[v.PathGlob, ...],
        _told("Published files that look like credentials and are none.", ["docs/examples/*.json"]),
    ] = ()
    environment: Annotated[
        dict[v.VariableName, v.EnvironmentValue],
        _told(
            "The build's environment: text, env:NAME (of the runner) or ssm:/path.",
            {"VITE_TITLE": "Notes", "CMS_TOKEN": "ssm:/notes/cms"},
        ),
    ] = field(default_factory=dict)


class Index(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An index of a table, with all attributes: `[tables.notes.indexes.by-author]`."""

    hash: Annotated[
        v.TableKey | None,
        _told(
            "Partition key; without one the table's own: a local index, made with the table only.",
            "author:S",
        ),
    ] = None
    range: Annotated[v.TableKey | None, _told("Sort key.", "created:N")] = None


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A DynamoDB table of the site: `[tables.notes]`."""

    hash: Annotated[v.TableKey, _told("Partition key, with its type S, N or B.", "id:S")] = "id:S"
    range: Annotated[
        v.TableKey | None, _told("Sort key, with its type S, N or B.", "created:N")
    ] = None
    ttl: Annotated[
        v.Attribute | None,
        _told("Attribute with the second of the epoch from which an item goes.", "expires"),
    ] = None
    recovery: Annotated[
        bool | None,
        _told("Point-in-time recovery of the last 35 days; unset: as it is.", True),
    ] = None
    indexes: dict[v.IndexName, Index] = field(default_factory=dict)


class Rollout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a release reaches production's visitors."""

    strategy: Annotated[
        v.Strategy,
        _told("canary: two steps; linear: equal steps; all-at-once.", "canary"),
    ] = "canary"
    percent: Annotated[
        v.Percent, _told("Share of new visitors in the first, or in each linear, step.", 10)
    ] = 10
    interval: Annotated[v.Interval, _told("Time until the next step.", "15m")] = "15m"
    # At most 10 alarms a deployment, of which one is ours. Source: CodeDeploy user guide,
    # "CodeDeploy quotas".
    alarms: Annotated[
        tuple[v.Alarm, ...],
        Meta(
            max_length=9,
            description="CloudWatch alarms of your own that take a candidate back.",
            examples=[["arn:aws:cloudwatch:eu-central-1:111122223333:alarm:checkout"]],
        ),
    ] = ()
    on_open: Annotated[
        v.OnOpen,
        _told(
            "What a deploy does while another rollout is open: takes its candidate back, waits for "
            "its end, or refuses.",
            "supersede",
        ),
    ] = "supersede"
    beacon: Annotated[
        bool, _told("Adds a script of at most 1 KB to pages that reports browser errors.", True)
    ] = False
    on_inconclusive: Annotated[
        v.Inconclusive,
        _told("What to do when the traffic was too small for a verdict.", "promote"),
    ] = "promote"


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which releases are kept: the last ones and the young ones; live always."""

    releases: Annotated[v.Count, _told("The last so many releases.", 10)] = 10
    days: Annotated[v.Days, _told("All releases younger than so many days.", 30)] = 30


class Production(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where production lies."""

    # One alone may stand without brackets; msgspec 0.22 crashes on a union of text and tuple.
    domain: Annotated[
        tuple[v.Domain, ...],
        Meta(
            max_length=5,  # they are part of the router's code, of at most 10 KB
            description="Host name: with or without `www.`, visitors of the other come to it too. "
            "Or a list, of which the first is the site's and the others lead to it. Without one "
            "CloudFront's own.",
            examples=[["example.com", "www.example.com"]],
            extra={"allowed": "a host name such as www.example.com, or a list of them"},
        ),
    ] = ()
    branch: Annotated[v.Branch, _told("A push to it goes to production.", "main")] = "main"
    notify: Annotated[
        tuple[v.Notify, ...],
        _told(
            "SNS topics and https:// addresses that hear what became of a rollout, in place of the "
            "site's `notify`.",
            ["arn:aws:sns:eu-central-1:111122223333:deploys"],
        ),
    ] = ()
    rollout: Rollout = Rollout()
    retention: Retention = Retention()


class Preview(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pull requests' environments."""

    domain: Annotated[
        v.WildcardDomain | None,
        _told(
            "Wildcard for previews' host names; without one CloudFront's.", "*.preview.example.com"
        ),
    ] = None
    password: Annotated[
        v.Password | None,
        _told(
            "Where the password lies: env:NAME (of the runner) or ssm:/path; previews' role reads "
            "what is below /jam-preview/ alone.",
            "ssm:/jam-preview/notes",
        ),
    ] = None
    expire: Annotated[
        v.Age,
        _told(
            "`gc` removes a preview without a push for so long, its pull request open or not.",
            "14d",
        ),
    ] = "30d"
    environment: Annotated[
        dict[v.VariableName, v.EnvironmentValue],
        _told("Environment of previews' functions, in place of [functions].", {"STAGE": "preview"}),
    ] = field(default_factory=dict)
    secrets: Annotated[
        dict[v.VariableName, v.Secret],
        _told(
            "Previews' own values of functions' secrets; they never get production's.",
            {"STRIPE_KEY": "ssm:/notes/preview/stripe"},
        ),
    ] = field(default_factory=dict)
    tables: Annotated[
        v.PreviewTables,
        _told("own: each preview has tables of its own, gone with it; none: it has none.", "own"),
    ] = "own"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for the whole site."""

    site: Annotated[
        v.SiteName | None,
        _told(
            "Name of the site, unique in the AWS account. Detected by package or folder.", "notes"
        ),
    ] = None
    region: Annotated[
        v.Region | None, _told("AWS region; else AWS_REGION of the environment.", "eu-central-1")
    ] = None
    notify: Annotated[
        tuple[v.Notify, ...],
        _told(
            "SNS topics and https:// addresses that hear of deploys.", ["https://example.com/hook"]
        ),
    ] = ()
    build: Build = Build()
    functions: Functions = Functions()
    authorizers: dict[v.AuthorizerName, Authorizer] = field(default_factory=dict)
    tables: dict[v.TableName, Table] = field(default_factory=dict)
    production: Production = Production()
    preview: Preview = Preview()
