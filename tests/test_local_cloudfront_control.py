"""CloudFront's control plane: what it keeps, what it refuses, and with which error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runner.local.wire import AwsError
from tests.cloudfront_site import (
    ALL,
    ALL_BUT_HOST,
    DISABLED,
    World,
    behaviour,
    config,
    custom_origin,
    group,
    listed,
    s3_origin,
    text,
)

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def world() -> World:
    return World()


def plain(**more: Any) -> dict[str, Any]:
    return config(custom_origin(), default=behaviour("site"), **more)


def refused(code: str, act: Callable[[], object]) -> AwsError:
    with pytest.raises(AwsError) as caught:
        act()
    assert caught.value.code == code
    return caught.value


def update(world: World, made: Any, wanted: dict[str, Any]) -> Any:
    tag = world.call("GetDistribution", Id=made["Id"])["ETag"]
    return world.call("UpdateDistribution", Id=made["Id"], IfMatch=tag, DistributionConfig=wanted)


def test_a_configuration_is_kept_whole_and_defaults_are_filled_in(world: World) -> None:
    control = world.control()
    arn = world.function("function handler(event) { return event.request; }")
    wanted = config(s3_origin(control, path="/production"), default=behaviour("files", request=arn))
    made = world.distribute(**wanted)
    kept = world.call("GetDistributionConfig", Id=made["Id"])["DistributionConfig"]
    origin = kept["Origins"]["Items"][0]
    assert origin["OriginAccessControlId"] == control
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    assert origin["ConnectionAttempts"] == 3
    assert kept["DefaultCacheBehavior"]["FunctionAssociations"]["Items"][0]["FunctionARN"] == arn
    assert kept["CacheBehaviors"] == {"Quantity": 0}
    assert kept["ViewerCertificate"]["CloudFrontDefaultCertificate"] is True


def test_what_was_read_can_be_written_back_unchanged(world: World) -> None:
    made = world.distribute(**plain())
    kept = world.call("GetDistributionConfig", Id=made["Id"])["DistributionConfig"]
    update(world, made, kept)
    assert world.call("GetDistributionConfig", Id=made["Id"])["DistributionConfig"] == kept


def test_an_answer_that_a_caller_changes_changes_nothing(world: World) -> None:
    made = world.distribute(**plain())
    world.call("GetDistributionConfig", Id=made["Id"])["DistributionConfig"]["Enabled"] = False
    assert world.call("GetDistributionConfig", Id=made["Id"])["DistributionConfig"]["Enabled"]


def test_every_write_has_a_new_etag_and_a_stale_one_is_refused(world: World) -> None:
    made = world.distribute(**plain())
    first = world.call("GetDistribution", Id=made["Id"])["ETag"]
    second = update(world, made, plain(HttpVersion="http2and3"))["ETag"]
    assert first != second
    asked = {"Id": made["Id"], "DistributionConfig": plain()}
    refused("PreconditionFailed", lambda: world.call("UpdateDistribution", IfMatch=first, **asked))
    refused("InvalidIfMatchVersion", lambda: world.call("UpdateDistribution", **asked))
    refused("InvalidIfMatchVersion", lambda: world.call("UpdateDistribution", IfMatch="X", **asked))


def test_a_distribution_is_in_progress_until_it_is_deployed(world: World) -> None:
    made = world.call("CreateDistribution", DistributionConfig=plain())["Distribution"]
    assert made["Status"] == "InProgress"
    assert world.get(made["DomainName"]).status == 403
    world.later(10)
    assert world.call("GetDistribution", Id=made["Id"])["Distribution"]["Status"] == "Deployed"
    assert update(world, made, plain())["Distribution"]["Status"] == "InProgress"


def test_edges_serve_the_former_configuration_until_the_new_one_is_deployed(world: World) -> None:
    world.answers["origin.example.com"] = lambda request: text(request.path)
    made = world.distribute(**plain())
    changed = config(custom_origin(OriginPath="/new"), default=behaviour("site"))
    update(world, made, changed)
    assert world.get(made["DomainName"], "/a").body == b"/a"
    world.later(10)
    assert world.get(made["DomainName"], "/b").body == b"/new/b"


def test_a_caller_reference_is_used_once_and_never_changed(world: World) -> None:
    made = world.distribute(**plain())
    refused("DistributionAlreadyExists", lambda: world.distribute(**plain()))
    refused("IllegalUpdate", lambda: update(world, made, plain(reference="other")))


def test_only_a_distribution_that_is_deployed_as_disabled_is_deleted(world: World) -> None:
    made = world.distribute(**plain())

    def delete() -> object:
        tag = world.call("GetDistribution", Id=made["Id"])["ETag"]
        return world.call("DeleteDistribution", Id=made["Id"], IfMatch=tag)

    refused("DistributionNotDisabled", delete)
    update(world, made, plain(Enabled=False))
    refused("DistributionNotDisabled", delete)
    world.later(10)
    delete()
    refused("NoSuchDistribution", lambda: world.call("GetDistribution", Id=made["Id"]))


def test_a_disabled_distribution_serves_nothing(world: World) -> None:
    world.answers["origin.example.com"] = lambda _request: text("x")
    made = world.distribute(**plain(Enabled=False))
    assert world.get(made["DomainName"]).status == 403


UNKNOWN = "11111111-2222-4333-8444-555555555555"

REFUSALS: list[tuple[str, str, Callable[[], dict[str, Any]]]] = [
    ("an unknown target", "NoSuchOrigin",
     lambda: config(custom_origin(), default=behaviour("nowhere"))),
    ("an unknown cache policy", "NoSuchCachePolicy",
     lambda: config(custom_origin(), default=behaviour("site", policy=UNKNOWN))),
    ("an unknown origin request policy", "NoSuchOriginRequestPolicy",
     lambda: config(custom_origin(), default=behaviour("site", forward=UNKNOWN))),
    ("an unknown origin access control", "InvalidOriginAccessControl",
     lambda: config(s3_origin("E123"), default=behaviour("files"))),
    ("an unknown function", "InvalidFunctionAssociation",
     lambda: config(custom_origin(), default=behaviour(
         "site", request="arn:aws:cloudfront::123456789012:function/none"))),
    ("a quantity that does not count", "InconsistentQuantities",
     lambda: plain(Aliases={"Quantity": 2, "Items": ["www.example.com"]})),
    ("methods that are no set of AWS's", "InvalidArgument",
     lambda: config(custom_origin(), default=behaviour("site", methods=("GET", "HEAD", "POST")))),
    ("writes to an origin group", "InvalidArgument",
     lambda: config(custom_origin(), custom_origin("b.example.com", identity="b"),
                    default=behaviour("group", methods=ALL),
                    OriginGroups=listed(group("site", "b")))),
    ("429 as a reason to fail over", "InvalidArgument",
     lambda: config(custom_origin(), custom_origin("b.example.com", identity="b"),
                    default=behaviour("group"),
                    OriginGroups=listed(group("site", "b", codes=(429,))))),
    ("a group of one", "InvalidArgument",
     lambda: config(custom_origin(), default=behaviour("group"),
                    OriginGroups=listed(group("site")))),
    ("a group with a stranger", "NoSuchOrigin",
     lambda: config(custom_origin(), default=behaviour("group"),
                    OriginGroups=listed(group("site", "b")))),
    ("AllViewerExceptHostHeader on S3", "InvalidArgument",
     lambda: config(s3_origin(), default=behaviour("files", forward=ALL_BUT_HOST))),
    ("a bucket that is none", "InvalidArgument",
     lambda: config({**s3_origin(), "DomainName": "www.example.com"}, default=behaviour("files"))),
    ("an origin path with a slash at its end", "InvalidArgument",
     lambda: config(s3_origin(path="/production/"), default=behaviour("files"))),
    ("four attempts to connect", "InvalidArgument",
     lambda: config(custom_origin(ConnectionAttempts=4), default=behaviour("site"))),
    ("no time to read", "InvalidOriginReadTimeout",
     lambda: config(custom_origin(OriginReadTimeout=0), default=behaviour("site"))),
    ("a root object with a slash", "InvalidDefaultRootObject",
     lambda: plain(DefaultRootObject="/index.html")),
    ("an error code that cannot be replaced", "InvalidErrorCode",
     lambda: plain(CustomErrorResponses=listed({"ErrorCode": 429, "ErrorCachingMinTTL": 0}))),
    ("an error page without a status", "InvalidArgument",
     lambda: plain(CustomErrorResponses=listed({"ErrorCode": 404, "ResponsePagePath": "/x"}))),
    ("an alias without a certificate", "InvalidViewerCertificate",
     lambda: plain(Aliases=listed("www.example.com"))),
    ("a certificate that does not exist", "InvalidViewerCertificate",
     lambda: plain(ViewerCertificate={"ACMCertificateArn": "arn:aws:acm:us-east-1:1:certificate/x",
                                      "SSLSupportMethod": "sni-only"})),
    ("76 behaviours", "TooManyCacheBehaviors",
     lambda: plain(others=[behaviour("site", pattern=f"/{n}") for n in range(76)])),
    ("101 origins", "TooManyOrigins",
     lambda: config(*(custom_origin(identity=f"o{n}") for n in range(101)),
                    default=behaviour("o1"))),
    ("11 origin groups", "TooManyOriginGroupsPerDistribution",
     lambda: config(custom_origin(), custom_origin("b.example.com", identity="b"),
                    default=behaviour("site"),
                    OriginGroups=listed(*({**group("site", "b"), "Id": f"g{n}"}
                                          for n in range(11))))),
    ("a reserved header", "InvalidArgument",
     lambda: config(custom_origin(CustomHeaders=listed({"HeaderName": "X-Amz-Foo",
                                                        "HeaderValue": "1"})),
                    default=behaviour("site"))),
    ("Lambda@Edge, which is not emulated", "NotImplemented",
     lambda: config(custom_origin(), default={
         **behaviour("site"), "LambdaFunctionAssociations": listed(
             {"LambdaFunctionARN": "arn", "EventType": "origin-request"})})),
    ("a web ACL, which is not emulated", "NotImplemented", lambda: plain(WebACLId="acl")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "wanted"), [(c, w) for _, c, w in REFUSALS],
                         ids=[what for what, _, _ in REFUSALS])  # fmt: skip
def test_a_distribution_is_refused_for(
    world: World, code: str, wanted: Callable[[], dict[str, Any]]
) -> None:
    refused(code, lambda: world.call("CreateDistribution", DistributionConfig=wanted()))
    assert world.call("ListDistributions")["DistributionList"]["Quantity"] == 0


def test_a_function_that_is_not_published_cannot_be_used(world: World) -> None:
    runtime = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = world.call("CreateFunction", Name="f", FunctionConfig=runtime, FunctionCode=b"x")
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    wanted = config(custom_origin(), default=behaviour("site", request=arn))
    refused("InvalidFunctionAssociation", lambda: world.distribute(**wanted))


def test_an_access_control_of_another_kind_than_the_origin_is_refused(world: World) -> None:
    wanted = config(custom_origin(control=world.control("lambda")), default=behaviour("site"))
    refused("InvalidDomainNameForOriginAccessControl", lambda: world.distribute(**wanted))


def test_an_alias_belongs_to_one_distribution_and_its_certificate_covers_it(world: World) -> None:
    shown = {
        "ACMCertificateArn": world.certificate("*.example.com"),
        "SSLSupportMethod": "sni-only",
    }

    def named(alias: str, reference: str) -> dict[str, Any]:
        return plain(Aliases=listed(alias), ViewerCertificate=shown, reference=reference)

    world.distribute(**named("www.example.com", "1"))
    assert world.edge.owns("www.example.com")
    refused("CNAMEAlreadyExists", lambda: world.distribute(**named("WWW.example.com", "2")))
    refused("InvalidViewerCertificate", lambda: world.distribute(**named("a.b.example.com", "3")))


def test_a_wildcard_alias_serves_its_hosts_and_an_exact_one_goes_before_it(world: World) -> None:
    shown = {
        "ACMCertificateArn": world.certificate("*.example.com"),
        "SSLSupportMethod": "sni-only",
    }
    world.answers["origin.example.com"] = lambda request: text(request.path)
    for alias, path in (("*.example.com", "/many"), ("www.example.com", "/one")):
        world.distribute(
            **config(custom_origin(OriginPath=path), default=behaviour("site"), reference=alias,
                     Aliases=listed(alias), ViewerCertificate=shown)
        )  # fmt: skip
    assert world.get("pr-7.example.com").body == b"/many/"
    assert world.get("www.example.com").body == b"/one/"
    assert not world.edge.owns("a.b.example.com")


def test_tags_stay_with_their_resource_and_go_with_it(world: World) -> None:
    tags = {"Items": [{"Key": "jam:site", "Value": "notes"}]}
    made = world.call(
        "CreateDistributionWithTags",
        DistributionConfigWithTags={"DistributionConfig": plain(), "Tags": tags},
    )["Distribution"]
    world.call("TagResource", Resource=made["ARN"], Tags={"Items": [{"Key": "a", "Value": "1"}]})
    world.call("UntagResource", Resource=made["ARN"], TagKeys={"Items": ["a"]})
    assert world.call("ListTagsForResource", Resource=made["ARN"])["Tags"] == tags
    refused("NoSuchResource", lambda: world.call("ListTagsForResource", Resource="arn:none"))


def test_reserved_tags_are_refused_and_nothing_is_made(world: World) -> None:
    tags = {"Items": [{"Key": "aws:x", "Value": "1"}]}
    asked = {"DistributionConfig": plain(), "Tags": tags}
    refused("InvalidTagging", lambda: world.call(
        "CreateDistributionWithTags", DistributionConfigWithTags=asked))  # fmt: skip
    assert world.call("ListDistributions")["DistributionList"]["Quantity"] == 0


def test_lists_come_in_pages(world: World) -> None:
    for number in range(3):
        world.distribute(**plain(reference=str(number)))
    first = world.call("ListDistributions", MaxItems="2")["DistributionList"]
    second = world.call("ListDistributions", MaxItems="2", Marker=first["NextMarker"])
    assert (first["Quantity"], first["IsTruncated"]) == (2, True)
    rest = second["DistributionList"]
    assert (rest["Quantity"], rest["IsTruncated"]) == (1, False)


class TestOriginAccessControls:
    def test_a_name_is_used_once(self, world: World) -> None:
        world.control()
        refused("OriginAccessControlAlreadyExists", world.control)

    def test_one_in_use_stays(self, world: World) -> None:
        control = world.control()
        world.distribute(**config(s3_origin(control), default=behaviour("files")))
        tag = world.call("GetOriginAccessControl", Id=control)["ETag"]
        asked = {"Id": control, "IfMatch": tag}
        refused(
            "OriginAccessControlInUse", lambda: world.call("DeleteOriginAccessControl", **asked)
        )

    def test_a_stale_etag_is_refused(self, world: World) -> None:
        control = world.control()
        read = world.call("GetOriginAccessControlConfig", Id=control)
        wanted = {"Id": control, "OriginAccessControlConfig": read["OriginAccessControlConfig"]}
        world.call("UpdateOriginAccessControl", IfMatch=read["ETag"], **wanted)
        refused("PreconditionFailed", lambda: world.call(
            "UpdateOriginAccessControl", IfMatch=read["ETag"], **wanted))  # fmt: skip

    def test_there_is_none_for_api_gateway(self, world: World) -> None:
        refused("InvalidArgument", lambda: world.control("apigateway"))


class TestPolicies:
    def test_the_managed_ones_are_there_and_stay_as_they_are(self, world: World) -> None:
        found = world.call("GetCachePolicy", Id=DISABLED)
        assert found["CachePolicy"]["CachePolicyConfig"]["MaxTTL"] == 0
        forwarded = world.call("GetOriginRequestPolicy", Id=ALL_BUT_HOST)["OriginRequestPolicy"]
        assert (
            forwarded["OriginRequestPolicyConfig"]["HeadersConfig"]["HeaderBehavior"] == "allExcept"
        )
        refused("IllegalDelete", lambda: world.call(
            "DeleteCachePolicy", Id=DISABLED, IfMatch=found["ETag"]))  # fmt: skip
        kinds = {"managed"}
        listed_ = world.call("ListCachePolicies", Type="managed")["CachePolicyList"]["Items"]
        assert {each["Type"] for each in listed_} == kinds

    def test_a_name_is_used_once_and_one_in_use_stays(self, world: World) -> None:
        policy = world.policy()
        refused("CachePolicyAlreadyExists", world.policy)
        world.distribute(**config(custom_origin(), default=behaviour("site", policy=policy)))
        tag = world.call("GetCachePolicy", Id=policy)["ETag"]
        refused("CachePolicyInUse",
                lambda: world.call("DeleteCachePolicy", Id=policy, IfMatch=tag))  # fmt: skip

    def test_one_that_caches_nothing_has_no_encodings_in_its_key(self, world: World) -> None:
        refused("InvalidArgument", lambda: world.policy(ttls=(0, 0, 0)))

    def test_ttls_rise(self, world: World) -> None:
        refused("InvalidArgument", lambda: world.policy(ttls=(10, 5, 20)))

    def test_authorization_cannot_be_forwarded_by_name(self, world: World) -> None:
        refused("InvalidArgument", lambda: world.forwarding(headers=["Authorization"]))

    def test_eleven_headers_are_too_many(self, world: World) -> None:
        names = [f"x-{number}" for number in range(11)]
        refused("TooManyHeadersInCachePolicy", lambda: world.policy(headers=names))


class TestFunctions:
    CONFIG = {"Comment": "", "Runtime": "cloudfront-js-2.0"}  # noqa: RUF012 -- read only

    def create(self, world: World, **more: Any) -> Any:
        wanted = {"Name": "f", "FunctionConfig": self.CONFIG, "FunctionCode": b"one", **more}
        return world.call("CreateFunction", **wanted)

    def test_live_does_not_exist_before_it_is_published(self, world: World) -> None:
        made = self.create(world)
        refused("NoSuchFunctionExists",
                lambda: world.call("DescribeFunction", Name="f", Stage="LIVE"))  # fmt: skip
        world.call("PublishFunction", Name="f", IfMatch=made["ETag"])
        assert world.call("GetFunction", Name="f", Stage="LIVE")["FunctionCode"] == b"one"

    def test_an_update_changes_the_stage_of_development_alone(self, world: World) -> None:
        made = self.create(world)
        world.call("PublishFunction", Name="f", IfMatch=made["ETag"])
        asked = {"Name": "f", "FunctionConfig": self.CONFIG, "FunctionCode": b"two"}
        world.call("UpdateFunction", IfMatch=made["ETag"], **asked)
        assert world.call("GetFunction", Name="f", Stage="LIVE")["FunctionCode"] == b"one"
        assert world.call("GetFunction", Name="f")["FunctionCode"] == b"two"
        refused("PreconditionFailed",
                lambda: world.call("PublishFunction", Name="f", IfMatch=made["ETag"]))  # fmt: skip

    def test_a_name_is_used_once(self, world: World) -> None:
        self.create(world)
        refused("FunctionAlreadyExists", lambda: self.create(world))

    def test_more_than_10_kb_are_refused(self, world: World) -> None:
        self.create(world, FunctionCode=b"x" * 10240)
        refused("FunctionSizeLimitExceeded",
                lambda: self.create(world, Name="g", FunctionCode=b"x" * 10241))  # fmt: skip

    def test_a_store_must_exist(self, world: World) -> None:
        stores = listed({"KeyValueStoreARN": "arn:none"})
        wanted = {**self.CONFIG, "KeyValueStoreAssociations": stores}
        refused("InvalidArgument", lambda: self.create(world, FunctionConfig=wanted))

    def test_one_in_use_stays_and_so_does_its_store(self, world: World) -> None:
        store = world.store()
        arn = world.function("function handler(e) { return e.request; }", store=store)
        world.distribute(**config(custom_origin(), default=behaviour("site", request=arn)))
        tag = world.call("DescribeFunction", Name="router")["ETag"]
        refused("FunctionInUse",
                lambda: world.call("DeleteFunction", Name="router", IfMatch=tag))  # fmt: skip
        kept = world.call("DescribeKeyValueStore", Name="state")["ETag"]
        refused("CannotDeleteEntityWhileInUse",
                lambda: world.call("DeleteKeyValueStore", Name="state", IfMatch=kept))  # fmt: skip

    def test_code_that_is_no_text_is_refused(self, world: World) -> None:
        refused("InvalidArgument", lambda: self.create(world, FunctionCode=b"\xff"))


class TestInvalidations:
    def batch(self, *paths: str, reference: str = "i") -> dict[str, Any]:
        return {"CallerReference": reference, "Paths": listed(*paths)}

    def test_the_same_reference_gives_the_same_one(self, world: World) -> None:
        made = world.distribute(**plain())
        asked = {"DistributionId": made["Id"], "InvalidationBatch": self.batch("/*")}
        first = world.call("CreateInvalidation", **asked)["Invalidation"]
        again = world.call("CreateInvalidation", **asked)["Invalidation"]
        assert first["Id"] == again["Id"]
        other = {"DistributionId": made["Id"], "InvalidationBatch": self.batch("/a")}
        refused("InvalidArgument", lambda: world.call("CreateInvalidation", **other))

    def test_it_is_completed_after_a_while_and_only_then_takes_effect(self, world: World) -> None:
        made = world.distribute(**plain())
        host = made["DomainName"]
        world.answers["origin.example.com"] = lambda _request: text("x")
        world.get(host, "/a/b")
        asked = {"DistributionId": made["Id"], "InvalidationBatch": self.batch("/a/*")}
        run = world.call("CreateInvalidation", **asked)["Invalidation"]
        assert run["Status"] == "InProgress"
        assert world.get(host, "/a/b").header("x-cache").startswith("Hit")
        world.later(5)
        got = world.call("GetInvalidation", DistributionId=made["Id"], Id=run["Id"])
        assert got["Invalidation"]["Status"] == "Completed"
        assert world.get(host, "/a/b").header("x-cache").startswith("Miss")
        assert world.get(host, "/a/b").header("x-cache").startswith("Hit")

    @pytest.mark.parametrize("path", ["a", "/a*b", "/a b"])
    def test_a_malformed_path_is_refused(self, world: World, path: str) -> None:
        made = world.distribute(**plain())
        asked = {"DistributionId": made["Id"], "InvalidationBatch": self.batch(path)}
        refused("InvalidArgument", lambda: world.call("CreateInvalidation", **asked))
