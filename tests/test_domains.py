"""A site's own names: which belong together, what a plan does about them, where the others lead."""

from __future__ import annotations

from typing import Any

import pytest

from runner.aws.domain_lacks import Lack, Standing
from runner.aws.zones import Record, in_the_way, missing
from runner.config.twins import twin
from runner.domains import lacking
from runner.edge import router_code
from runner.local.javascript import EdgeFunction
from runner.plan.domains import named, unnamed
from runner.plan.live import Live
from tests.edge_events import request_event

HOSTS = ("example.com", "www.example.com")
TWINS = [
    ("example.com", "www.example.com"),
    ("www.example.com", "example.com"),
    ("example.co.uk", "www.example.co.uk"),
    ("www.example.co.uk", "example.co.uk"),
    ("app.example.com", ""),
    ("www.app.example.com", ""),
    ("co.uk", ""),
    ("example.unheard-of", "www.example.unheard-of"),
]


@pytest.mark.parametrize(("host", "other"), TWINS)
def test_visitors_type_a_domain_with_www_or_without(host: str, other: str) -> None:
    assert twin(host) == other


PLANS: list[tuple[str, tuple[str, ...], Live, list[str]]] = [
    ("no name", (), Live(), []),
    ("new names", HOSTS, Live(), ["have", "prove", "serve", "lead"]),
    ("names that wait", HOSTS, Live(domains=HOSTS), ["have", "prove", "serve", "lead"]),
    ("names that work", HOSTS, Live(domains=HOSTS, domains_work=True), []),
    ("one name less", HOSTS[:1], Live(domains=HOSTS, domains_work=True),
     ["have", "prove", "serve", "lead", "let"]),
    ("no name any more", (), Live(domains=HOSTS, domains_work=True), ["let"]),
]  # fmt: skip


@pytest.mark.parametrize(("hosts", "live", "steps"), [row[1:] for row in PLANS],
                         ids=[row[0] for row in PLANS])  # fmt: skip
def test_a_plan_sees_to_names_until_they_work(
    hosts: tuple[str, ...], live: Live, steps: list[str]
) -> None:
    told = [*named(hosts, live), *unnamed(hosts, live)]
    assert [str(step).partition(" ")[0] for step in told] == steps


ALIAS = Record(name="example.com", target="d1.cloudfront.net", is_alias=True)
PROOF = Record(name="_a.example.com", target="_b.acm-validations.aws")


def alias(kind: str, target: str, **more: Any) -> dict[str, Any]:
    return {"Name": "example.com.", "Type": kind, "AliasTarget": {"DNSName": target}, **more}


def plain(kind: str, *values: str) -> dict[str, Any]:
    return {"Name": "x.", "Type": kind, "ResourceRecords": [{"Value": each} for each in values]}


OURS = (alias("A", "d1.cloudfront.net."), alias("AAAA", "D1.cloudfront.net"))
RECORDS: list[tuple[str, Record, tuple[Any, ...], tuple[str, ...], str]] = [
    ("nothing", ALIAS, (), ("A", "AAAA"), ""),
    ("both of ours", ALIAS, OURS, (), ""),
    ("one of ours", ALIAS, OURS[:1], ("AAAA",), ""),
    ("mail beside it", ALIAS, (*OURS, plain("MX", "10 mail.example.com")), (), ""),
    ("an old host", ALIAS, (plain("A", "192.0.2.1"),), ("A", "AAAA"), "A 192.0.2.1"),
    ("another distribution", ALIAS, (alias("A", "d2.cloudfront.net."),), ("A", "AAAA"),
     "A d2.cloudfront.net"),
    ("one of several by weight", ALIAS,
     (alias("A", "d1.cloudfront.net.", SetIdentifier="half", Weight=1),), ("A", "AAAA"),
     "A d1.cloudfront.net"),
    ("the proof", PROOF, (plain("CNAME", "_b.acm-validations.aws."),), (), ""),
    ("an old proof", PROOF, (plain("CNAME", "_c.acm-validations.aws."),), ("CNAME",),
     "CNAME _c.acm-validations.aws"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "there", "lacks", "rival"), [row[1:] for row in RECORDS],
                         ids=[row[0] for row in RECORDS])  # fmt: skip
def test_a_record_is_ours_by_its_value_and_others_are_in_its_way(
    record: Record, there: tuple[Any, ...], lacks: tuple[str, ...], rival: str
) -> None:
    assert missing(record, there) == lacks
    assert in_the_way(record, there) == rival


def test_names_in_another_dns_lack_a_record_only_where_a_visitor_does_not_get_there() -> None:
    www = Record(name="www.example.com", target="d1.cloudfront.net", is_alias=True)
    stand = Standing(attached=HOSTS, elsewhere=(ALIAS, www))
    assert lacking(stand, HOSTS, lambda _host: True) == ()
    (told,) = lacking(stand, HOSTS, lambda host: host == "example.com")
    assert "CNAME  www.example.com  ->  d1.cloudfront.net" in str(told)
    first = Lack(message="the certificate waits", hint="Wait.")
    both = Standing(lacks=(first,), attached=HOSTS, elsewhere=(ALIAS,))
    assert [each.record for each in lacking(both, HOSTS, lambda _host: False)] == [None, ALIAS]


MOVES = [
    ("GET", "/", {}, 301, "https://example.com/"),
    ("GET", "/a%20b/c.css", {}, 301, "https://example.com/a%20b/c.css"),
    ("GET", "/a", {"b": {"value": "c&d"}}, 301, "https://example.com/a?b=c&d"),
    ("POST", "/.functions/x", {}, 308, "https://example.com/.functions/x"),
    ("GET", "//evil.example/", {}, 301, "https://example.com//evil.example/"),
    ("GET", "/\u00e9\r\nx: y", {}, 301, "https://example.com/%C3%A9%0D%0Ax:%20y"),
]


@pytest.mark.parametrize(("method", "uri", "query", "status", "location"), MOVES)
def test_other_names_lead_to_the_first_with_path_and_query(
    method: str, uri: str, query: dict[str, Any], status: int, location: str
) -> None:
    router = EdgeFunction(router_code(HOSTS), dict)
    event = request_event(uri, {"host": "WWW.example.com"}, query=query, method=method)
    found = router.run(event)
    assert found["statusCode"] == status
    assert found["headers"]["location"]["value"] == location


@pytest.mark.parametrize("host", ["example.com", "d1.cloudfront.net", "other.example.net", ""])
def test_what_is_none_of_the_others_is_served(host: str) -> None:
    router = EdgeFunction(router_code(HOSTS), dict)
    assert "statusCode" not in router.run(request_event("/", {"host": host}))
