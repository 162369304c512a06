"""A CloudFront to test against: its own cloud with a clock that stands still, and plain origins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from moto.backends import get_backend

from runner.local.cloudfront import CloudFront
from runner.local.ids import Ids
from runner.local.protocol import ACCOUNT
from runner.local.wire import Call, Request, Response

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
ENTRY = "entryentry.lambda-url.us-east-1.on.aws"
API = "abcdefghij.execute-api.us-east-1.amazonaws.com"
BUCKET = "site-bucket"

Answer = Callable[[Request], Response]


@dataclass
class StillClock:
    time: float = 1_700_000_000.0

    def now(self) -> float:
        return self.time


def text(body: str = "hello", *, status: int = 200, **headers: str) -> Response:
    """A response of an origin; `cache_control="..."` is the header cache-control."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    made = {"content-type": "text/html", "content-length": str(len(body)), **named}
    return Response(status=status, headers=tuple(made.items()), body=body.encode())


@dataclass
class World:
    """`cloudfront` is the part under test; `answers` are the custom origins by host."""

    answers: dict[str, Answer] = field(default_factory=dict)
    clock: StillClock = field(default_factory=StillClock)

    def __post_init__(self) -> None:
        self._moto("s3").reset()
        self._issued: dict[str, tuple[str, ...]] = {}
        cloud = SimpleNamespace(
            account=ACCOUNT,
            clock=self.clock,
            ids=Ids(7),
            send=self._send,
            moto=lambda service, _region="us-east-1": self._moto(service),
            overlay=SimpleNamespace(lock=threading.RLock()),
            cloudwatch=SimpleNamespace(edge_request=lambda _at, _told: None),
            domains=SimpleNamespace(
                certificates=SimpleNamespace(covered=self._issued.get),
                leads_to_edge=lambda _host: True,
            ),
        )
        self.cloudfront = CloudFront(cloud)
        self.edge = self.cloudfront.edge
        self._operations = {
            (service.name, name): operation
            for service in self.cloudfront.services
            for name, operation in service.operations().items()
        }

    def _moto(self, service: str) -> Any:
        return get_backend(service)[ACCOUNT]["aws" if service == "s3" else "us-east-1"]

    def _send(self, request: Request) -> Response:
        return self.answers[request.host](request)

    def call(self, operation: str, service: str = "cloudfront", **parameters: Any) -> Any:
        call = Call(
            service=service,
            operation=operation,
            account=ACCOUNT,
            region="us-east-1",
            access_key="a",
        )
        return self._operations[service, operation](parameters, call)

    def values(self, operation: str, **parameters: Any) -> Any:
        return self.call(operation, "cloudfront-keyvaluestore", **parameters)

    def later(self, seconds: float) -> None:
        self.clock.time += seconds

    def bucket(self, objects: dict[str, str], **put: Any) -> None:
        s3 = self._moto("s3")
        s3.create_bucket(BUCKET, "us-east-1")
        for key, body in objects.items():
            made = s3.put_object(BUCKET, key, body.encode())
            made.set_metadata({"content-type": "text/html", **put})

    def allow(self, *actions: str, arn: str) -> None:
        """The bucket's policy: what CloudFront may do for the distribution."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": list(actions),
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
        }
        document = {"Version": "2012-10-17", "Statement": [statement]}
        self._moto("s3").buckets[BUCKET].policy = json.dumps(document).encode()

    def certificate(self, name: str) -> str:
        arn = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/{name}"
        self._issued[arn] = (name,)
        return arn

    def control(self, kind: str = "s3", behaviour: str = "always") -> str:
        config = {
            "Name": f"{kind}-{behaviour}",
            "SigningProtocol": "sigv4",
            "SigningBehavior": behaviour,
            "OriginAccessControlOriginType": kind,
        }
        made = self.call("CreateOriginAccessControl", OriginAccessControlConfig=config)
        return str(made["OriginAccessControl"]["Id"])

    def function(self, code: str, name: str = "router", store: str = "") -> str:
        """Published; `store` is an ARN. The function's ARN."""
        config: dict[str, Any] = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
        if store:
            listed = [{"KeyValueStoreARN": store}]
            config["KeyValueStoreAssociations"] = {"Quantity": 1, "Items": listed}
        made = self.call(
            "CreateFunction", Name=name, FunctionConfig=config, FunctionCode=code.encode()
        )
        self.call("PublishFunction", Name=name, IfMatch=made["ETag"])
        return str(made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])

    def store(self, name: str = "state") -> str:
        arn = self.call("CreateKeyValueStore", Name=name)["KeyValueStore"]["ARN"]
        self.later(5)
        return str(arn)

    def put(self, arn: str, **values: str) -> None:
        tag = self.values("DescribeKeyValueStore", KvsARN=arn)["ETag"]
        puts = [{"Key": key, "Value": value} for key, value in values.items()]
        self.values("UpdateKeys", KvsARN=arn, IfMatch=tag, Puts=puts)

    def policy(self, name: str = "ours", *, headers: Iterable[str] = (),
               cookies: Iterable[str] = (), queries: Iterable[str] = (),
               ttls: tuple[int, int, int] = (0, 0, 31536000),
               encodings: bool = True) -> str:  # fmt: skip
        """A cache policy of one's own; `ttls` are MinTTL, DefaultTTL and MaxTTL."""
        minimum, default, maximum = ttls
        config = {
            "Name": name, "MinTTL": minimum, "DefaultTTL": default, "MaxTTL": maximum,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": encodings,
                "EnableAcceptEncodingBrotli": encodings,
                **selections(headers, cookies, queries),
            },
        }  # fmt: skip
        made = self.call("CreateCachePolicy", CachePolicyConfig=config)
        return str(made["CachePolicy"]["Id"])

    def forwarding(self, name: str = "ours", *, headers: Iterable[str] = (),
                   cookies: Iterable[str] = (), queries: Iterable[str] = ()) -> str:  # fmt: skip
        config = {"Name": name, **selections(headers, cookies, queries)}
        made = self.call("CreateOriginRequestPolicy", OriginRequestPolicyConfig=config)
        return str(made["OriginRequestPolicy"]["Id"])

    def distribute(self, **config: Any) -> Any:
        """The Distribution, deployed."""
        made = self.call("CreateDistribution", DistributionConfig=config)["Distribution"]
        self.later(10)
        return made

    def get(self, host: str, path: str = "/", **headers: str) -> Response:
        return self.ask(host, path, headers=headers)

    def ask(self, host: str, path: str = "/", *, method: str = "GET", body: bytes = b"",
            headers: dict[str, str] | None = None, **rest: str) -> Response:  # fmt: skip
        address, _, query = path.partition("?")
        named = [(k.replace("_", "-"), v) for k, v in (headers or {}).items()]
        request = Request(
            method=method, host=host, path=address, query=query, body=body,
            headers=(("host", host), *named), scheme="http", **rest,
        )  # fmt: skip
        return self.edge.handle(request)


def selections(
    headers: Iterable[str], cookies: Iterable[str], queries: Iterable[str]
) -> dict[str, Any]:
    return {
        "HeadersConfig": _chosen("Header", headers),
        "CookiesConfig": _chosen("Cookie", cookies),
        "QueryStringsConfig": _chosen("QueryString", queries),
    }


def _chosen(kind: str, names: Iterable[str]) -> dict[str, Any]:
    listed = list(names)
    if not listed:
        return {f"{kind}Behavior": "none"}
    if listed == ["*"]:
        return {f"{kind}Behavior": "all"}
    items = {"Quantity": len(listed), "Items": listed}
    return {f"{kind}Behavior": "whitelist", f"{kind}s": items}


def s3_origin(control: str = "", *, path: str = "", identity: str = "files") -> dict[str, Any]:
    return {
        "Id": identity,
        "DomainName": f"{BUCKET}.s3.us-east-1.amazonaws.com",
        "OriginPath": path,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": control,
    }


def custom_origin(
    domain: str = "origin.example.com", *, identity: str = "site", control: str = "", **more: Any
) -> dict[str, Any]:
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    timeouts = {key: more.pop(key) for key in ("OriginReadTimeout",) if key in more}
    return {
        "Id": identity,
        "DomainName": domain,
        "CustomOriginConfig": custom | timeouts,
        "OriginAccessControlId": control,
        **more,
    }


def listed(*items: Any) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": list(items)} if items else {"Quantity": 0}


READS = ("GET", "HEAD")
SAFE = (*READS, "OPTIONS")
ALL = (*SAFE, "POST", "PUT", "PATCH", "DELETE")


def behaviour(target: str, *, policy: str = OPTIMIZED, forward: str = "",
              methods: tuple[str, ...] = READS, request: str = "", response: str = "",
              pattern: str = "", compress: bool = False,
              protocol: str = "redirect-to-https") -> dict[str, Any]:  # fmt: skip
    functions = [
        {"EventType": event, "FunctionARN": arn}
        for event, arn in (("viewer-request", request), ("viewer-response", response))
        if arn
    ]
    made: dict[str, Any] = {
        "TargetOriginId": target,
        "ViewerProtocolPolicy": protocol,
        "CachePolicyId": policy,
        "Compress": compress,
        "AllowedMethods": {**listed(*methods), "CachedMethods": listed(*READS)},
        "FunctionAssociations": listed(*functions),
    }
    if forward:
        made["OriginRequestPolicyId"] = forward
    if pattern:
        made["PathPattern"] = pattern
    return made


def group(*members: str, codes: tuple[int, ...] = (403, 404, 500, 502, 503, 504)) -> dict[str, Any]:
    return {
        "Id": "group",
        "FailoverCriteria": {"StatusCodes": listed(*codes)},
        "Members": listed(*({"OriginId": member} for member in members)),
    }


def config(*origins: dict[str, Any], default: dict[str, Any], others: Iterable[Any] = (),
           reference: str = "one", **more: Any) -> dict[str, Any]:  # fmt: skip
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Origins": listed(*origins),
        "DefaultCacheBehavior": default,
        "CacheBehaviors": listed(*others),
        **more,
    }
