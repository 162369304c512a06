"""The sections of `jam.toml` that are about functions, as frozen structs.

Pure: imports nothing but msgspec.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from runner.config import values as v


def _told(description: str, example: object = None) -> Meta:
    """What a key means, in one line; `example` is what `init` writes beside it."""
    return Meta(description=description, examples=None if example is None else [example])


class Throttle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many requests a function's route takes: `throttle = { rate = 10, burst = 20 }`."""

    rate: Annotated[v.Rate, _told("Requests a second, on average.", 10)]
    burst: Annotated[v.Burst, _told("Requests at once.", 20)]


class Authorizer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who issues the tokens that callers need: `[authorizers.members]`."""

    issuer: Annotated[
        v.Issuer,
        _told(
            "The issuer of the tokens; its keys are found by OpenID discovery.",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1B2c3D4e",
        ),
    ]
    audience: Annotated[
        Annotated[tuple[v.Text, ...], Meta(min_length=1)],
        _told("Whom a token may be for: its `aud` or `client_id`.", ["3f1tq0example"]),
    ]


class Function(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"background": "async"}
):
    """One function, named by its path below the folder: `[functions."notes/[id]"]`."""

    runtime: Annotated[
        v.Runtime | None,
        _told(
            "Lambda runtime of the functions in its language (nodejs24.x, python3.13).",
            "nodejs24.x",
        ),
    ] = None
    timeout: Annotated[
        v.Timeout | None,
        _told("Seconds until Lambda stops it (10; 900 with async); 30 where somebody waits.", 10),
    ] = None
    memory: Annotated[v.Memory | None, _told("Memory in MB (256); CPU grows with it.", 512)] = None
    architecture: Annotated[
        v.Architecture | None, _told("Lambda's processor (x86_64).", "arm64")
    ] = None
    external: Annotated[
        tuple[v.Text, ...] | None,
        _told("npm packages that are shipped as they are, not bundled.", ["sharp"]),
    ] = None
    included_files: Annotated[
        tuple[v.SiteGlob, ...] | None,
        _told(
            "Files that it reads beside its code, from the site's root; ! before a pattern leaves "
            "out.",
            ["templates/**", "!templates/drafts/**"],
        ),
    ] = None
    methods: Annotated[
        tuple[v.Method, ...] | None, _told("HTTP methods that it answers (all).", ["GET", "POST"])
    ] = None
    schedule: Annotated[
        v.Schedule | None,
        _told("When it runs by itself, in UTC; without `methods` it has no path then.", "@daily"),
    ] = None
    background: Annotated[
        bool | None,
        _told("Answers 202 at once and runs in the background, for up to 900 seconds.", True),
    ] = None
    retries: Annotated[
        v.Retries | None,
        _told("How often a failed run in the background or by schedule is tried again (2).", 2),
    ] = None
    stream: Annotated[
        bool | None,
        _told("Sends its answer as it is made, at its own URL; Node, GET and HEAD alone.", True),
    ] = None
    authorizer: Annotated[
        v.AuthorizerName | None,
        _told(
            "The authorizer of [authorizers] whose tokens its callers need; none for nobody's.",
            "members",
        ),
    ] = None
    scopes: Annotated[
        tuple[v.Text, ...] | None,
        _told("Scopes of which a token must have one.", ["notes.read"]),
    ] = None
    throttle: Annotated[
        Throttle | None,
        Meta(description="Requests that its route takes, each method by itself; more get 429."),
    ] = None
    tables: Annotated[
        tuple[v.TableGrant, ...] | None,
        _told(
            "Tables of [tables] that it may read (:r), write (:w) or both (:rw); JAM_TABLE_NAME "
            "tells it each one's name.",
            ["notes:rw"],
        ),
    ] = None
    invoke: Annotated[
        tuple[v.FunctionName, ...] | None,
        _told(
            "Functions of the site that it may invoke; JAM_FUNCTION_NAME tells it each one's name.",
            ["mail/send"],
        ),
    ] = None
    log_retention: Annotated[v.LogDays | None, _told("Days that its log is kept (30).", 14)] = None
    tracing: Annotated[bool | None, _told("Sends traces to X-Ray.", True)] = None
    reserved_concurrency: Annotated[
        v.Concurrency | None,
        _told("Invocations at once that are its own, and its most; 0 stops it.", 5),
    ] = None
    # At most five. Source: Lambda developer guide, "Lambda quotas".
    layers: Annotated[
        Annotated[tuple[v.Layer, ...], Meta(max_length=5)] | None,
        _told(
            "Versions of layers that it is laid upon, in order.",
            ["arn:aws:lambda:eu-central-1:111122223333:layer:fonts:3"],
        ),
    ] = None
    subnets: Annotated[
        tuple[v.Subnet, ...] | None,
        _told(
            "Subnets of a VPC that it runs in; without NAT it reaches no internet.",
            ["subnet-0a1b2c3d"],
        ),
    ] = None
    security_groups: Annotated[
        tuple[v.SecurityGroup, ...] | None,
        _told("Security groups of the VPC, with `subnets`.", ["sg-0a1b2c3d"]),
    ] = None
    environment: Annotated[
        dict[v.VariableName, v.FunctionValue],
        _told("Its environment: text or env:NAME (of the runner).", {"LOG_LEVEL": "info"}),
    ] = field(default_factory=dict)
    secrets: Annotated[
        dict[v.VariableName, v.Secret],
        _told(
            "Environment that lies in SSM's Parameter Store, read when the function starts.",
            {"STRIPE_KEY": "ssm:/notes/stripe"},
        ),
    ] = field(default_factory=dict)


class Functions(
    Function, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"background": "async"}
):
    """All functions; `[functions."notes/[id]"]` says what differs for one."""

    directory: Annotated[v.Folder, _told("The folder with the functions.", "functions")] = (
        "functions"
    )
    cors: Annotated[
        tuple[v.WebOrigin, ...],
        _told(
            "Other origins whose pages may call functions; the site's own needs none.",
            ["https://app.example.com"],
        ),
    ] = ()
    access_log: Annotated[
        bool,
        _told(
            "Keeps a line for each request to a function; logs --access tells them by release.",
            True,
        ),
    ] = True
    # In TOML its members lie beside the other keys; `runner.config.shape` puts them here.
    named: dict[v.FunctionName, Function] = field(default_factory=dict)
