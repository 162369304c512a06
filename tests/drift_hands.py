"""What hands do to a deployed site: they delete and change, one resource of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.drift_site import Site

NOTES = "jam-drift-production-notes"

Hand = Callable[[Site], object]


def api(site: Site) -> None:
    site.aws.api.delete_api(ApiId=site.api)


def stage(site: Site) -> None:
    stage = site.aws.api.get_stages(ApiId=site.api)["Items"][0]["StageName"]
    site.aws.api.delete_stage(ApiId=site.api, StageName=stage)


def role(site: Site, role: str) -> None:
    iam = site.aws.roles
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    iam.delete_role(RoleName=role)


def rights(site: Site) -> None:
    wild = {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}  # fmt: skip
    site.aws.roles.put_role_policy(
        RoleName=site.names.entry_role, PolicyName="jam", PolicyDocument=json.dumps(wild)
    )


def trust(site: Site) -> None:
    anyone = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
         "Action": "sts:AssumeRole"}]}  # fmt: skip
    site.aws.roles.update_assume_role_policy(
        RoleName=site.names.api_role, PolicyDocument=json.dumps(anyone)
    )


def alias(site: Site) -> None:
    code = {"FunctionName": site.names.entry}
    site.aws.functions.update_function_configuration(**code, MemorySize=512)
    waiter = site.aws.functions.get_waiter("function_updated_v2")
    waiter.wait(**code, WaiterConfig={"Delay": 1})
    version = site.aws.functions.publish_version(**code)["Version"]
    site.aws.functions.update_alias(**code, Name="live", FunctionVersion=version)


def function(site: Site, name: str) -> None:
    site.aws.functions.delete_function(FunctionName=name)


def hello(site: Site) -> str:
    return site.names.function("hello")


def off(site: Site) -> None:
    site.aws.functions.put_function_concurrency(
        FunctionName=hello(site), ReservedConcurrentExecutions=0
    )


def entry_off(site: Site) -> None:
    site.aws.functions.put_function_concurrency(
        FunctionName=site.names.entry, ReservedConcurrentExecutions=0
    )


def no_policy(site: Site) -> None:
    site.aws.s3.delete_bucket_policy(Bucket=site.names.bucket)


def other_policy(site: Site) -> None:
    found = json.loads(site.aws.s3.get_bucket_policy(Bucket=site.names.bucket)["Policy"])
    found["Statement"] = found["Statement"][:1]
    site.aws.s3.put_bucket_policy(Bucket=site.names.bucket, Policy=json.dumps(found))


def public(site: Site) -> None:
    site.aws.s3.delete_public_access_block(Bucket=site.names.bucket)


def changed(site: Site, change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    edge = site.aws.edge
    (one,) = edge.list_distributions()["DistributionList"]["Items"]
    now = edge.get_distribution_config(Id=one["Id"])
    config = now["DistributionConfig"]
    change(config)  # type: ignore[arg-type]
    edge.update_distribution(Id=one["Id"], IfMatch=now["ETag"], DistributionConfig=config)


def disabled(site: Site) -> None:
    changed(site, lambda config: config.update(Enabled=False))


def no_paths(site: Site) -> None:
    changed(site, lambda config: config.update(CacheBehaviors={"Quantity": 0}))


def no_router(site: Site) -> None:
    def without(config: dict) -> None:  # type: ignore[type-arg]
        config["DefaultCacheBehavior"]["FunctionAssociations"] = {"Quantity": 0}

    changed(site, without)


def no_headers(site: Site) -> None:
    """As a site was before there were any by default."""

    def without(config: dict) -> None:  # type: ignore[type-arg]
        for each in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]["Items"]):
            each.pop("ResponseHeadersPolicyId")

    changed(site, without)


def program(site: Site) -> None:
    edge, name = site.aws.edge, site.names.router
    now = edge.describe_function(Name=name, Stage="DEVELOPMENT")
    config = now["FunctionSummary"]["FunctionConfig"]
    code = b"function handler(event) { return event.request; }"
    etag = edge.update_function(
        Name=name, IfMatch=now["ETag"], FunctionConfig=config, FunctionCode=code
    )["ETag"]
    edge.publish_function(Name=name, IfMatch=etag)


def keys(site: Site, *, but: str = "") -> None:
    store, values = site.store, site.aws.values
    listed = [each["Key"] for each in values.list_keys(KvsARN=store)["Items"]]
    etag = values.describe_key_value_store(KvsARN=store)["ETag"]
    gone = [{"Key": each} for each in listed if each != but]
    values.update_keys(KvsARN=store, IfMatch=etag, Deletes=gone)  # type: ignore[arg-type]


def live_key(site: Site) -> None:
    store, values = site.store, site.aws.values
    etag = values.describe_key_value_store(KvsARN=store)["ETag"]
    values.put_key(KvsARN=store, IfMatch=etag, Key="live", Value="oops")


def log_group(site: Site) -> None:
    site.aws.logs.delete_log_group(logGroupName=f"/aws/lambda/{hello(site)}")


def entry_log(site: Site) -> None:
    site.aws.logs.delete_log_group(logGroupName=f"/aws/lambda/{site.names.entry}")


def schedule(site: Site) -> None:
    name = site.names.function("tick")
    site.aws.schedules.delete_schedule(Name=name, GroupName=site.names.schedules)


def schedule_off(site: Site) -> None:
    name = site.names.function("tick")
    found = site.aws.schedules.get_schedule(Name=name, GroupName=site.names.schedules)
    kept = ("Name", "GroupName", "FlexibleTimeWindow", "Target")
    wanted = {key: found[key] for key in kept}
    site.aws.schedules.update_schedule(**wanted, ScheduleExpression="rate(7 days)")


def group(site: Site) -> None:
    site.aws.schedules.delete_schedule_group(Name=site.names.schedules)


def queue(site: Site) -> None:
    url = site.aws.queues.get_queue_url(QueueName=site.names.dead_letters)["QueueUrl"]
    site.aws.queues.delete_queue(QueueUrl=url)


def alarm(site: Site) -> None:
    site.aws.metrics.delete_alarms(AlarmNames=[site.names.dead_letters])


def rule(site: Site) -> None:
    rule = site.names.guard_clock
    site.aws.rules.remove_targets(Rule=rule, Ids=["guard"])
    site.aws.rules.delete_rule(Name=rule)


def word(site: Site) -> None:
    site.aws.rules.disable_rule(Name=site.names.guard_word)


def guard_code(site: Site) -> None:
    found = site.aws.functions.get_function(FunctionName=site.names.entry)
    assert found
    site.aws.functions.update_function_configuration(
        FunctionName=site.names.guard, Description="by hand", Timeout=3
    )


def deployments(site: Site) -> None:
    site.aws.deployments.delete_application(applicationName=site.names.application)


def deployment_group(site: Site) -> None:
    site.aws.deployments.delete_deployment_group(
        applicationName=site.names.application, deploymentGroupName="production"
    )


def page(site: Site) -> None:
    key = f"production/releases/{site.release.id}/index.html"
    site.aws.s3.delete_object(Bucket=site.names.bucket, Key=key)


def other_page(site: Site) -> None:
    key = f"production/releases/{site.release.id}/index.html"
    site.aws.s3.put_object(Bucket=site.names.bucket, Key=key, Body=b"by hand")


def manifest(site: Site) -> None:
    key = f"production/releases/{site.release.id}/~release.json"
    site.aws.s3.delete_object(Bucket=site.names.bucket, Key=key)


def url_open(site: Site) -> None:
    site.aws.functions.update_function_url_config(
        FunctionName=site.names.entry, Qualifier="live", AuthType="NONE"
    )


def url_gone(site: Site) -> None:
    site.aws.functions.delete_function_url_config(
        FunctionName=site.names.function("flow"), Qualifier="live"
    )


def letters(site: Site) -> None:
    configs = site.aws.functions.list_function_event_invoke_configs(
        FunctionName=site.names.function("work")
    )["FunctionEventInvokeConfigs"]
    site.aws.functions.delete_function_event_invoke_config(
        FunctionName=site.names.function("work"),
        Qualifier=configs[0]["FunctionArn"].rpartition(":")[2],
    )


def unprotected(site: Site) -> None:
    site.aws.records.update_table(TableName=NOTES, DeletionProtectionEnabled=False)


def access(site: Site) -> None:
    edge = site.aws.edge
    listed = edge.list_origin_access_controls()["OriginAccessControlList"]["Items"]
    one = next(each for each in listed if each["Name"] == site.names.files_access)
    now = edge.get_origin_access_control(Id=one["Id"])
    config = now["OriginAccessControl"]["OriginAccessControlConfig"]
    config["SigningBehavior"] = "never"
    edge.update_origin_access_control(
        Id=one["Id"], IfMatch=now["ETag"], OriginAccessControlConfig=config
    )


def no_role(site: Site) -> None:
    role(site, site.names.entry_role)


def no_hello(site: Site) -> None:
    function(site, hello(site))


def no_entry(site: Site) -> None:
    function(site, site.names.entry)


def no_acceptor(site: Site) -> None:
    function(site, site.names.acceptor)


def no_guard(site: Site) -> None:
    function(site, site.names.guard)
