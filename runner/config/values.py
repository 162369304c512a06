"""What single values of `jam.toml` may be: types with their limits. No code but `text`.

`allowed` is the limit in words, for errors and docs/settings.md; `secret` values are never shown.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from runner.names import SITE

END = r"$(?!\n)"  # Python's `$` alone also matches before a last line feed


def text(pattern: str, allowed: str, *, secret: bool = False) -> Meta:
    """A limit on text: the whole of it matches `pattern`."""
    return Meta(pattern=f"^(?:{pattern}){END}", extra={"allowed": allowed, "secret": secret})


Text = Annotated[str, Meta(min_length=1)]
SiteName = Annotated[
    str,
    text(SITE.pattern, "2 to 24 lower-case letters, digits and hyphens, beginning with a letter"),
]
# No list of regions: AWS opens new ones. The form is that of all partitions (us-gov-west-1).
Region = Annotated[
    str, text(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}", "a region such as eu-central-1")
]
Command = Annotated[str, Meta(extra={"allowed": 'a shell command in quotes, "" for none'})]
Folder = Annotated[
    str,
    text(
        r"(?!/)(?!(?:.*/)?\.\.(?:/|$))(?!.*\\)(?!.*[*?]).+",
        "a folder inside the repository, with / and without ..",
    ),
]
# Docker's reference grammar, loosely: the engine has the last word.
Image = Annotated[
    str, text(r"[a-z0-9][A-Za-z0-9._:/@-]*", "a container image such as node:22-slim")
]
PathGlob = Annotated[str, text(r"(?!/).+", "a path below the publish folder, * for any part of it")]
SiteGlob = Annotated[
    str,
    text(
        r"!?(?!/)(?!(?:.*/)?\.\.(?:/|$)).+",
        "a path from the site's root, with * and **; ! before it leaves out",
    ),
]
# The router compares a pattern's two ends: exactly one `*`, and no `?` or `[`.
Immutable = Annotated[
    str,
    text(r"(?!/)[^*?\[]*\*[^*?\[]*", "a path below the publish folder with exactly one *"),
]

# Source: Lambda API reference, Environment: names begin with a letter.
VariableName = Annotated[
    str, text(r"[A-Za-z][A-Za-z0-9_]*", "a name of letters, digits and _, beginning with a letter")
]
_ENV = r"env:[A-Za-z_][A-Za-z0-9_]*"
# Source: SSM API reference, GetParameter, and Systems Manager user guide, "About requirements and
# constraints for parameter names".
_SSM = r"ssm:/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*"
EnvironmentValue = Annotated[
    str,
    text(
        rf"(?!env:|ssm:)[\s\S]*|{_ENV}|{_SSM}",
        'text in quotes, "env:NAME" or "ssm:/path"',
        secret=True,
    ),
]
FunctionValue = Annotated[
    str,
    text(
        rf"(?!env:|ssm:)[\s\S]*|{_ENV}",
        'text in quotes or "env:NAME"; what lies in SSM goes under `secrets`',
        secret=True,
    ),
]
Secret = Annotated[str, text(_SSM, '"ssm:/path" of a parameter', secret=True)]
Password = Annotated[
    str, text(f"{_ENV}|{_SSM}", '"env:NAME" or "ssm:/path", never the password itself', secret=True)
]

# Those with a day on which AWS stops taking them: it decides whether one is warned of or refused
# (runner/package/functions/runtimes.py). Source: Lambda developer guide, "Lambda runtimes".
Runtime = Literal[
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
]
# Source: Lambda developer guide, "Lambda quotas": memory 128 MB to 10,240 MB, timeout 900 s.
Memory = Annotated[int, Meta(ge=128, le=10_240, extra={"unit": "MB"})]
Timeout = Annotated[int, Meta(ge=1, le=900, extra={"unit": "seconds"})]
# Source: CloudWatch Logs API reference, PutRetentionPolicy, retentionInDays.
LOG_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
LogDays = Annotated[
    int, Meta(ge=1, le=3653, extra={"allowed": f"days: {', '.join(map(str, LOG_DAYS))}"})
]
Concurrency = Annotated[int, Meta(ge=0, le=1_000_000)]
Layer = Annotated[
    str,
    text(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+",
        "the ARN of a version of a layer",
    ),
]
Subnet = Annotated[str, text(r"subnet-[0-9a-z]+", "a subnet such as subnet-0a1b2c3d")]
SecurityGroup = Annotated[str, text(r"sg-[0-9a-zA-Z]+", "a security group such as sg-0a1b2c3d")]
Architecture = Literal["x86_64", "arm64"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"]
# The forms alone; what their fields may be runner/config/cron.py judges.
Schedule = Annotated[
    str,
    text(
        r"rate\(.+\)|cron\(.+\)|@[a-z]+|[^\s()@]+(?: [^\s()]+){4}",
        '"rate(5 minutes)", "cron(0 8 * * ? *)", "0 8 * * *" or "@daily", in UTC',
    ),
]
# An origin as browsers send it.
# Source: API Gateway developer guide, "Configure CORS for HTTP APIs".
WebOrigin = Annotated[
    str,
    text(
        r"\*|https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?",
        'an origin such as "https://app.example.com", or "*"',
    ),
]
Issuer = Annotated[
    str,
    text(r"https://[^\s?#]+", "the https:// address of an issuer, as in its tokens' `iss`"),
]
# Source: API Gateway API reference (V2), RouteSettings; developer guide, "Throttle requests to your
# HTTP APIs".
Rate = Annotated[float, Meta(gt=0, le=10_000, extra={"unit": "requests a second"})]
Burst = Annotated[int, Meta(ge=1, le=5_000, extra={"unit": "requests"})]
# Source: Lambda API reference, PutFunctionEventInvokeConfig, MaximumRetryAttempts.
Retries = Annotated[int, Meta(ge=0, le=2)]
AuthorizerName = Annotated[
    str, text(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, hyphens and underscores")
]
FunctionName = Annotated[
    str,
    text(
        r"[A-Za-z0-9_.\-\[\]]+(?:/[A-Za-z0-9_.\-\[\]]+)*",
        'the path of a function below its folder, such as "notes/[id]"',
    ),
]
TableGrant = Annotated[
    str,
    text(r"[A-Za-z0-9_.-]+:(?:r|w|rw)", 'a table with what is allowed, such as "notes:rw"'),
]
# Source: DynamoDB developer guide, "Supported data types and naming rules in Amazon DynamoDB"; the
# rest of the table's 255 characters is our prefix.
TableName = Annotated[
    str, text(r"[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, hyphens, dots and underscores")
]
# Source: DynamoDB API reference, GlobalSecondaryIndex, IndexName; TimeToLiveSpecification.
IndexName = Annotated[
    str, text(r"[A-Za-z0-9_.-]{3,255}", "3 to 255 letters, digits, hyphens, dots and underscores")
]
Attribute = Annotated[str, Meta(min_length=1, max_length=255)]
TableKey = Annotated[
    str,
    text(r"[A-Za-z0-9_.-]{1,255}:[SNB]", '"name:S" (text), "name:N" (number) or "name:B" (binary)'),
]

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# A certificate's first name has at most 64 characters. Source: ACM API reference,
# RequestCertificate, DomainName.
_SHORT = r"(?=.{1,64}$)"
Domain = Annotated[
    str, text(rf"{_SHORT}(?:{_LABEL}\.)+[a-z]{{2,63}}", "a host name such as www.example.com")
]
WildcardDomain = Annotated[
    str,
    text(rf"{_SHORT}\*\.(?:{_LABEL}\.)+[a-z]{{2,63}}", "a wildcard such as *.preview.example.com"),
]
Branch = Annotated[str, text(r"[^\s~^:?*\[\\]+", "the name of a branch")]
# Source: CodeDeploy API reference, TimeBasedCanary: whole minutes.
Interval = Annotated[str, text(r"[1-9][0-9]{0,3}[mh]", 'minutes or hours, such as "15m" or "2h"')]
Age = Annotated[str, text(r"[1-9][0-9]{0,3}[hd]", 'hours or days, such as "12h" or "14d"')]
Count = Annotated[int, Meta(ge=1, le=1000)]
Days = Annotated[int, Meta(ge=0, le=3650, extra={"unit": "days"})]
Percent = Annotated[int, Meta(ge=1, le=99, extra={"unit": "per cent"})]
Alarm = Annotated[
    str,
    text(
        r"arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:[0-9]{12}:alarm:.{1,255}",
        "the ARN of a CloudWatch alarm",
    ),
]
Notify = Annotated[
    str,
    text(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}|https://[^\s/]+(?:/\S*)?",
        "the ARN of an SNS topic or an https:// address",
    ),
]
PreviewTables = Literal["own", "none"]
Strategy = Literal["canary", "linear", "all-at-once"]
OnOpen = Literal["supersede", "wait", "refuse"]
Inconclusive = Literal["promote", "rollback", "extend", "wait"]
