"""CloudFront inside the whole cloud: boto3's requests, the port, Host headers."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from runner.local.cloud import Cloud
from tests.cloudfront_site import behaviour, config, s3_origin

ROUTER = b"""
import cf from 'cloudfront';
async function handler(event) {
  const release = await cf.kvs().get('live');
  event.request.uri = '/releases/' + release + event.request.uri;
  return event.request;
}
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=100) as running:
        yield running


def client(cloud: Cloud, service: str) -> Any:
    made: Any = boto3.client(  # type: ignore[call-overload]
        service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
        endpoint_url=cloud.endpoint,
    )  # fmt: skip

    def on_loopback(request: Any, **_: object) -> None:
        """The KeyValueStore's client puts the account before the host."""
        request.url = request.url.replace("http://123456789012.", "http://")

    made.meta.events.register("before-sign", on_loopback)
    return made


def fetch(cloud: Cloud, host: str, path: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(urlsplit(cloud.endpoint).netloc, timeout=20)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers["x-cache"]


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Any:
    """A bucket, a store, a router and a distribution, all made by boto3."""
    cloudfront, s3 = client(cloud, "cloudfront"), client(cloud, "s3")
    s3.create_bucket(Bucket="site-bucket")
    store = cloudfront.create_key_value_store(Name="state")["KeyValueStore"]["ARN"]
    made = cloudfront.create_function(
        Name="router", FunctionCode=ROUTER,
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0",
                        "KeyValueStoreAssociations": {
                            "Quantity": 1, "Items": [{"KeyValueStoreARN": store}]}},
    )  # fmt: skip
    published = cloudfront.publish_function(Name="router", IfMatch=made["ETag"])
    arn = published["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "files", "SigningProtocol": "sigv4", "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3"}
    )["OriginAccessControl"]["Id"]  # fmt: skip
    wanted = config(s3_origin(control, path="/production"),
                    default=behaviour("files", request=arn, compress=True))  # fmt: skip
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": wanted,
                                    "Tags": {"Items": [{"Key": "jam:site", "Value": "notes"}]}}
    )["Distribution"]  # fmt: skip
    statement = {
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::site-bucket", "arn:aws:s3:::site-bucket/*"],
        "Condition": {"StringEquals": {"AWS:SourceArn": made["ARN"]}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="site-bucket", Policy=policy)
    s3.put_object(Bucket="site-bucket", Key="production/releases/r1/a", Body=b"hello",
                  CacheControl="s-maxage=60")  # fmt: skip
    waiter = cloudfront.get_waiter("distribution_deployed")
    waiter.wait(Id=made["Id"], WaiterConfig={"Delay": 1})
    return made | {"store": store}


def test_a_site_made_with_boto3_is_served_on_the_port(cloud: Cloud, site: Any) -> None:
    values = client(cloud, "cloudfront-keyvaluestore")
    tag = values.describe_key_value_store(KvsARN=site["store"])["ETag"]
    values.put_key(KvsARN=site["store"], Key="live", Value="r1", IfMatch=tag)
    host = site["DomainName"]
    assert fetch(cloud, host, "/a") == (200, b"hello", "Miss from cloudfront")
    assert fetch(cloud, host, "/a")[2] == "Hit from cloudfront"
    assert fetch(cloud, f"{host.split('.')[0]}.localhost", "/a")[:2] == (200, b"hello")
    assert fetch(cloud, host, "/none")[0] == 404


def test_errors_come_with_aws_codes_and_statuses(cloud: Cloud, site: Any) -> None:
    cloudfront = client(cloud, "cloudfront")
    for status, code, act in (
        (404, "NoSuchDistribution", lambda: cloudfront.get_distribution(Id="E0")),
        (412, "PreconditionFailed", lambda: stale(cloudfront, site["Id"])),
        (409, "DistributionNotDisabled", lambda: delete(cloudfront, site["Id"])),
        (409, "FunctionInUse", lambda: unfunction(cloudfront)),
        (404, "EntityNotFound", lambda: cloudfront.describe_key_value_store(Name="none")),
    ):
        with pytest.raises(ClientError) as caught:
            act()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def stale(cloudfront: Any, identity: str) -> None:
    now = cloudfront.get_distribution_config(Id=identity)
    asked = {"Id": identity, "DistributionConfig": now["DistributionConfig"]}
    cloudfront.update_distribution(IfMatch=now["ETag"], **asked)
    cloudfront.update_distribution(IfMatch=now["ETag"], **asked)


def delete(cloudfront: Any, identity: str) -> None:
    tag = cloudfront.get_distribution(Id=identity)["ETag"]
    cloudfront.delete_distribution(Id=identity, IfMatch=tag)


def unfunction(cloudfront: Any) -> None:
    tag = cloudfront.describe_function(Name="router")["ETag"]
    cloudfront.delete_function(Name="router", IfMatch=tag)


def test_every_list_and_read_goes_through_boto3s_parsers(cloud: Cloud, site: Any) -> None:
    cloudfront = client(cloud, "cloudfront")
    summary = cloudfront.list_distributions()["DistributionList"]["Items"][0]
    assert summary["DomainName"] == site["DomainName"]
    tags = cloudfront.list_tags_for_resource(Resource=site["ARN"])["Tags"]["Items"]
    assert tags == [{"Key": "jam:site", "Value": "notes"}]
    code = cloudfront.get_function(Name="router", Stage="LIVE")["FunctionCode"].read()
    assert code == ROUTER
    for name, key in (
        ("list_cache_policies", "CachePolicyList"),
        ("list_origin_request_policies", "OriginRequestPolicyList"),
        ("list_functions", "FunctionList"),
        ("list_key_value_stores", "KeyValueStoreList"),
        ("list_origin_access_controls", "OriginAccessControlList"),
    ):
        assert getattr(cloudfront, name)()[key]["Items"]


def test_boto3s_waiter_for_an_invalidation_ends(cloud: Cloud, site: Any) -> None:
    cloudfront = client(cloud, "cloudfront")
    batch = {"CallerReference": str(time.time()), "Paths": {"Quantity": 1, "Items": ["/*"]}}
    made = cloudfront.create_invalidation(DistributionId=site["Id"], InvalidationBatch=batch)
    waiter = cloudfront.get_waiter("invalidation_completed")
    waiter.wait(DistributionId=site["Id"], Id=made["Invalidation"]["Id"], WaiterConfig={"Delay": 1})


def test_what_is_not_emulated_is_a_501_with_its_name(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as caught:
        client(cloud, "cloudfront").list_streaming_distributions()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListStreamingDistributions" in str(caught.value)
