"""CloudFront's cache: the key, how long things stay, errors, revalidation, compression, ranges."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from typing import Any

import brotli
import pytest

from runner.local.wire import Request, Response
from tests.cloudfront_site import (
    DISABLED,
    SAFE,
    World,
    behaviour,
    config,
    custom_origin,
    listed,
    text,
)

Site = Callable[..., str]


@pytest.fixture
def world() -> World:
    return World()


class Counting:
    """An origin that counts, and answers what it is told."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
def site(world: World) -> Site:
    """Makes a site of one origin; its host."""

    def make(answer: Callable[[Request], Response], *, errors: Any = (), **more: Any) -> str:
        world.answers["origin.example.com"] = Counting(answer)
        more.setdefault("policy", world.policy())
        made = world.distribute(
            **config(
                custom_origin(),
                default=behaviour("site", **more),
                CustomErrorResponses=listed(*errors),
            )
        )
        return str(made["DomainName"])

    return make


def asked(world: World) -> int:
    origin: Any = world.answers["origin.example.com"]
    return len(origin.requests)


def verdict(response: Response) -> str:
    return response.header("x-cache").removesuffix(" from cloudfront")


class TestKey:
    def test_query_cookies_and_headers_that_the_policy_does_not_name_are_no_part(
        self, world: World, site: Site
    ) -> None:
        host = site(lambda _r: text(cache_control="max-age=60"))
        world.get(host, "/a?x=1", cookie="a=1", accept_language="de")
        second = world.get(host, "/a?x=2", cookie="a=2", accept_language="fr")
        assert verdict(second) == "Hit"

    @pytest.mark.parametrize(
        ("policy", "one", "other"),
        [
            ({"queries": ["x"]}, {"path": "/a?x=1"}, {"path": "/a?x=2"}),
            ({"headers": ["x-draw"]}, {"x_draw": "1"}, {"x_draw": "2"}),
            ({"headers": ["x-draw"]}, {}, {"x_draw": ""}),
            ({"cookies": ["pin"]}, {"cookie": "pin=1"}, {"cookie": "pin=2; y=1"}),
        ],
    )
    def test_what_it_names_is(
        self, world: World, site: Site, policy: Any, one: Any, other: Any
    ) -> None:
        host = site(lambda _r: text(cache_control="max-age=60"), policy=world.policy("p", **policy))
        for request in (one, other, one, other):
            last = world.get(host, **{"path": "/a", **request})
        assert verdict(last) == "Hit"
        assert asked(world) == 2

    def test_distributions_share_nothing(self, world: World, site: Site) -> None:
        first = site(lambda _r: text(cache_control="max-age=60"))
        wanted = config(custom_origin(), default=behaviour("site"), reference="two")
        second = world.distribute(**wanted)["DomainName"]
        world.get(first, "/a")
        assert verdict(world.get(second, "/a")) == "Miss"

    def test_aliases_of_one_distribution_share_everything(self, world: World) -> None:
        world.answers["origin.example.com"] = lambda _r: text(cache_control="max-age=60")
        shown = {"ACMCertificateArn": world.certificate("*.example.com")}
        made = world.distribute(
            **config(custom_origin(), default=behaviour("site"), ViewerCertificate=shown,
                     Aliases=listed("www.example.com"))
        )  # fmt: skip
        world.get(made["DomainName"], "/a")
        assert verdict(world.get("www.example.com", "/a")) == "Hit"

    def test_a_head_is_answered_by_a_stored_get_but_not_the_other_way(
        self, world: World, site: Site
    ) -> None:
        host = site(lambda _r: text("body", cache_control="max-age=60"))
        world.ask(host, "/a", method="HEAD")
        assert verdict(world.ask(host, "/a", method="HEAD")) == "Hit"
        assert world.get(host, "/a").body == b"body"
        head = world.ask(host, "/a", method="HEAD")
        assert (verdict(head), head.body, head.header("content-length")) == ("Hit", b"", "4")


TTLS: list[tuple[str, tuple[int, int, int], dict[str, str], int | None]] = [
    ("s-maxage before max-age", (0, 0, 1000), {"cache_control": "max-age=1, s-maxage=100"}, 100),
    ("max-age", (0, 0, 1000), {"cache_control": "public, max-age=100"}, 100),
    ("max-age before Expires", (0, 0, 1000),
     {"cache_control": "max-age=100", "expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, 100),
    ("Expires", (0, 0, 10**6), {"expires": "Tue, 14 Nov 2023 22:15:10 GMT"}, 100),
    ("not beyond MaxTTL", (0, 0, 50), {"cache_control": "max-age=100"}, 50),
    ("not below MinTTL", (30, 30, 1000), {"cache_control": "max-age=1"}, 30),
    ("DefaultTTL without headers", (0, 100, 1000), {}, 100),
    ("DefaultTTL with other directives", (0, 100, 1000), {"cache_control": "public"}, 100),
    ("no-store", (0, 100, 1000), {"cache_control": "no-store, max-age=100"}, None),
    ("no-cache", (0, 100, 1000), {"cache_control": "no-cache"}, None),
    ("private", (0, 100, 1000), {"cache_control": "private, max-age=100"}, None),
    ("MinTTL stores what is private", (30, 30, 1000), {"cache_control": "private, no-store"}, 30),
]  # fmt: skip


@pytest.mark.parametrize(("ttls", "headers", "seconds"), [t[1:] for t in TTLS],
                         ids=[t[0] for t in TTLS])  # fmt: skip
def test_an_object_stays_as_long_as(
    world: World, site: Site, ttls: tuple[int, int, int], headers: dict[str, str],
    seconds: int | None,
) -> None:  # fmt: skip
    host = site(lambda _r: text(**headers), policy=world.policy("ttl", ttls=ttls))
    world.get(host)
    if seconds is None:
        assert verdict(world.get(host)) == "Miss"
        return
    world.later(seconds - 1)
    assert verdict(world.get(host)) == "Hit"
    world.later(2)
    assert verdict(world.get(host)) == "Miss"


def test_age_tells_how_long_it_has_been_stored(world: World, site: Site) -> None:
    host = site(lambda _r: text(cache_control="max-age=60"))
    assert world.get(host).header("age") == ""
    world.later(7)
    assert world.get(host).header("age") == "7"


def test_caching_disabled_asks_every_time(world: World, site: Site) -> None:
    host = site(lambda _r: text(cache_control="max-age=60"), policy=DISABLED)
    assert [verdict(world.get(host)) for _ in range(3)] == ["Miss"] * 3
    assert asked(world) == 3


def test_other_methods_are_never_stored(world: World, site: Site) -> None:
    host = site(lambda _r: text(cache_control="max-age=60"), methods=SAFE)
    for _ in range(2):
        assert verdict(world.ask(host, method="OPTIONS")) == "Miss"


class TestErrors:
    @pytest.mark.parametrize("status", [400, 403, 404, 410, 500, 502, 503])
    def test_an_error_is_stored_for_ten_seconds(
        self, world: World, site: Site, status: int
    ) -> None:
        host = site(lambda _r: text(status=status))
        world.get(host)
        world.later(9)
        assert verdict(world.get(host)) == "Error"
        assert asked(world) == 1
        world.later(2)
        world.get(host)
        assert asked(world) == 2

    @pytest.mark.parametrize(
        ("status", "times"), [(404, 2), (410, 2), (414, 2), (501, 2), (400, 1), (403, 1), (503, 1)]
    )
    def test_no_store_keeps_only_404_410_414_and_501_out(
        self, world: World, site: Site, status: int, times: int
    ) -> None:
        host = site(lambda _r: text(status=status, cache_control="private, no-store"))
        world.get(host)
        world.get(host)
        assert asked(world) == times

    @pytest.mark.parametrize("status", [401, 416, 429])
    def test_some_errors_are_never_stored(self, world: World, site: Site, status: int) -> None:
        host = site(lambda _r: text(status=status, cache_control="max-age=60"))
        world.get(host)
        world.get(host)
        assert asked(world) == 2

    def test_a_configured_zero_stores_nothing(self, world: World, site: Site) -> None:
        errors = [{"ErrorCode": 503, "ErrorCachingMinTTL": 0}]
        host = site(lambda _r: text(status=503), errors=errors)
        world.get(host)
        world.get(host)
        assert asked(world) == 2

    def test_max_age_makes_it_longer_but_not_shorter(self, world: World, site: Site) -> None:
        host = site(lambda r: text(status=404, cache_control=f"max-age={r.path[1:]}"))
        world.get(host, "/60")
        world.get(host, "/1")
        world.later(9)
        world.get(host, "/1")
        world.later(40)
        world.get(host, "/60")
        assert asked(world) == 2

    def test_a_custom_page_replaces_it(self, world: World, site: Site) -> None:
        errors = [{"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "200"}]
        host = site(
            lambda r: text("oh no") if r.path == "/404.html" else text(status=404), errors=errors
        )
        shown = world.get(host, "/missing")
        assert (shown.status, shown.body, verdict(shown)) == (200, b"oh no", "Error")
        world.get(host, "/missing")
        assert asked(world) == 2

    def test_without_its_page_the_error_stays_what_it_is(self, world: World, site: Site) -> None:
        errors = [{"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "200"}]
        host = site(lambda _r: text("plain", status=404), errors=errors)
        assert (world.get(host, "/missing").status, world.get(host, "/m").body) == (404, b"plain")


class TestRevalidation:
    @staticmethod
    def answer(request: Request) -> Response:
        if request.header("if-none-match") == '"one"':
            return Response(status=304, headers=(("cache-control", "max-age=20"),))
        return text("body", etag='"one"', cache_control="max-age=10")

    def test_an_unchanged_object_lives_on(self, world: World, site: Site) -> None:
        host = site(self.answer)
        world.get(host)
        world.later(11)
        again = world.get(host)
        assert (verdict(again), again.status, again.body) == ("RefreshHit", 200, b"body")
        world.later(19)
        assert verdict(world.get(host)) == "Hit"

    def test_max_age_0_asks_on_every_request(self, world: World, site: Site) -> None:
        host = site(lambda r: Response(status=304) if r.header("if-none-match")
                    else text(etag='"one"', cache_control="max-age=0"))  # fmt: skip
        assert [verdict(world.get(host)) for _ in range(3)] == ["Miss", "RefreshHit", "RefreshHit"]

    def test_the_origin_is_asked_with_its_own_etag_after_compression(
        self, world: World, site: Site
    ) -> None:
        host = site(
            lambda r: Response(status=304) if r.header("if-none-match") == '"one"'
            else text("x" * 2000, etag='"one"', cache_control="max-age=1"), compress=True,
        )  # fmt: skip
        first = world.get(host, accept_encoding="gzip")
        assert first.header("etag") == 'W/"one"'
        world.later(2)
        again = world.get(host, accept_encoding="gzip")
        assert (verdict(again), again.body) == ("RefreshHit", first.body)

    def test_a_5xx_lets_the_expired_object_live_on(self, world: World, site: Site) -> None:
        answers = [text("good", cache_control="max-age=1"), text(status=503), text("new")]
        host = site(lambda _r: answers.pop(0))
        world.get(host)
        world.later(2)
        assert world.get(host).body == b"good"
        world.later(9)
        assert world.get(host).body == b"good"
        world.later(2)
        assert world.get(host).body == b"new"

    def test_a_4xx_replaces_it(self, world: World, site: Site) -> None:
        answers = [text("good", cache_control="max-age=1"), text(status=404)]
        host = site(lambda _r: answers.pop(0))
        world.get(host)
        world.later(2)
        assert world.get(host).status == 404


class TestCollapsing:
    def together(self, world: World, host: str, times: int = 6, **headers: str) -> list[Response]:
        """Simultaneous requests: the origin answers when all have been sent, or after a moment."""
        got: list[Response] = []
        threads = [
            threading.Thread(target=lambda: got.append(world.get(host, **headers)))
            for _ in range(times)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return got

    def slowly(self, **headers: str) -> Callable[[Request], Response]:
        def answer(_request: Request) -> Response:
            threading.Event().wait(0.2)
            return text(**headers)

        return answer

    def test_simultaneous_requests_share_one(self, world: World, site: Site) -> None:
        host = site(self.slowly(cache_control="max-age=60"))
        got = self.together(world, host)
        assert asked(world) == 1
        assert sorted(map(verdict, got)) == ["Hit"] * 5 + ["Miss"]

    @pytest.mark.parametrize("control", ["private", "no-store", "no-cache"])
    def test_not_what_is_private(self, world: World, site: Site, control: str) -> None:
        host = site(self.slowly(cache_control=control))
        self.together(world, host)
        assert asked(world) == 6

    def test_not_with_caching_disabled(self, world: World, site: Site) -> None:
        host = site(self.slowly(), policy=DISABLED)
        self.together(world, host)
        assert asked(world) == 6

    def test_not_when_cookies_are_forwarded(self, world: World, site: Site) -> None:
        forward = world.forwarding(cookies=["jam-pin"])
        host = site(self.slowly(cache_control="max-age=60"), forward=forward)
        self.together(world, host)
        assert asked(world) == 6

    def test_not_with_keys_of_their_own(self, world: World, site: Site) -> None:
        policy = world.policy("draws", headers=["x-draw"])
        host = site(self.slowly(cache_control="max-age=60"), policy=policy)
        threads = [threading.Thread(target=world.get, args=(host,), kwargs={"x_draw": str(number)})
                   for number in range(4)]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert asked(world) == 4


class TestCompression:
    @pytest.mark.parametrize(
        ("accept", "encoding", "read"),
        [("gzip, deflate, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)],
    )
    def test_brotli_goes_before_gzip(
        self, world: World, site: Site, accept: str, encoding: str, read: Callable[[bytes], bytes]
    ) -> None:
        host = site(lambda _r: text("x" * 1000, etag='"e"'), compress=True)
        got = world.get(host, accept_encoding=accept)
        assert got.header("content-encoding") == encoding
        assert read(got.body) == b"x" * 1000
        assert got.header("etag") == 'W/"e"'
        assert got.header("content-length") == str(len(got.body))

    @pytest.mark.parametrize(
        "answer",
        [
            text("x" * 999),
            text("x" * 10_000_001),
            text("x" * 2000, content_type="image/png"),
            text("x" * 2000, content_encoding="identity"),
            text("x" * 2000, status=500),
        ],
        ids=["too small", "too large", "a picture", "encoded already", "an error"],
    )
    def test_some_things_stay_as_they_are(self, world: World, site: Site, answer: Response) -> None:
        host = site(lambda _r: answer, compress=True)
        assert len(world.get(host, accept_encoding="br").body) == len(answer.body)

    def test_a_policy_without_encodings_compresses_nothing(self, world: World, site: Site) -> None:
        host = site(lambda _r: text("x" * 2000), compress=True, policy=DISABLED)
        assert world.get(host, accept_encoding="br").header("content-encoding") == ""

    def test_each_encoding_is_stored_on_its_own(self, world: World, site: Site) -> None:
        host = site(lambda _r: text("x" * 2000, cache_control="max-age=60"), compress=True)
        for accept in ("br, gzip", "gzip, br", "gzip", "identity", "deflate"):
            world.get(host, accept_encoding=accept)
        origin: Any = world.answers["origin.example.com"]
        sent = [request.header("accept-encoding") for request in origin.requests]
        assert sent == ["br,gzip", "gzip", "identity"]


class TestConditionsAndRanges:
    @pytest.fixture
    def host(self, world: World, site: Site) -> str:
        made = site(
            lambda _r: text("0123456789", etag='"e"', cache_control="max-age=60",
                            last_modified="Tue, 14 Nov 2023 22:00:00 GMT")
        )  # fmt: skip
        world.get(made)
        return made

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"if_none_match": '"e"'}, 304),
            ({"if_none_match": 'W/"e", "f"'}, 304),
            ({"if_none_match": "*"}, 304),
            ({"if_none_match": '"f"'}, 200),
            ({"if_modified_since": "Tue, 14 Nov 2023 22:00:00 GMT"}, 304),
            ({"if_modified_since": "Tue, 14 Nov 2023 21:00:00 GMT"}, 200),
            ({"if_none_match": '"f"', "if_modified_since": "Tue, 14 Nov 2023 23:00:00 GMT"}, 200),
            ({"if_modified_since": "yesterday"}, 200),
        ],
    )
    def test_conditions(
        self, world: World, host: str, headers: dict[str, str], status: int
    ) -> None:
        got = world.get(host, **headers)
        assert got.status == status
        assert bool(got.body) == (status == 200)
        assert got.header("etag") == '"e"'

    @pytest.mark.parametrize(
        ("wanted", "status", "body"),
        [
            ("bytes=0-3", 206, b"0123"),
            ("bytes=7-", 206, b"789"),
            ("bytes=-2", 206, b"89"),
            ("bytes=5-99", 206, b"56789"),
            ("bytes=10-", 416, b""),
            ("bytes=5-2", 200, b"0123456789"),
            ("bytes=0-1,4-5", 200, b"0123456789"),
            ("lines=1-2", 200, b"0123456789"),
        ],
    )
    def test_ranges_of_what_is_stored(
        self, world: World, host: str, wanted: str, status: int, body: bytes
    ) -> None:
        got = world.get(host, range=wanted)
        assert (got.status, got.body, verdict(got)) == (status, body, "Hit")
        assert asked(world) == 1

    def test_if_range_with_another_etag_gets_the_whole(self, world: World, host: str) -> None:
        assert world.get(host, range="bytes=0-3", if_range='"other"').status == 200

    def test_a_range_of_what_is_not_stored_goes_to_the_origin(
        self, world: World, site: Site
    ) -> None:
        host = site(
            lambda r: Response(status=206, body=b"ab") if r.header("range") else text("abc")
        )
        assert world.get(host, range="bytes=0-1").status == 206
        assert world.get(host).body == b"abc"

    def test_an_origin_without_ranges_gives_the_whole_which_is_stored(
        self, world: World, site: Site
    ) -> None:
        host = site(lambda _r: text("abc", cache_control="max-age=60"))
        assert world.get(host, range="bytes=0-1").status in (200, 206)
        assert world.get(host, range="bytes=0-1").body == b"ab"
        assert asked(world) == 1


def test_a_stored_set_cookie_goes_to_everyone(world: World, site: Site) -> None:
    forward = world.forwarding(cookies=["jam-pin"])
    host = site(
        lambda _r: text(set_cookie="jam-pin=a", cache_control="max-age=60"), forward=forward
    )
    world.get(host)
    assert world.get(host).header("set-cookie") == "jam-pin=a"


def test_without_forwarded_cookies_set_cookie_is_removed(world: World, site: Site) -> None:
    host = site(lambda _r: text(set_cookie="jam-pin=a"))
    assert world.get(host).header("set-cookie") == ""


def test_a_stored_redirect_goes_to_everyone(world: World, site: Site) -> None:
    forward = world.forwarding(queries=["*"])
    host = site(lambda r: text(status=301, location=f"/new?{r.query}", cache_control="max-age=60"),
                forward=forward)  # fmt: skip
    world.get(host, "/old?mine=1")
    assert world.get(host, "/old?yours=2").header("location") == "/new?mine=1"


def test_counts_are_kept_for_each_distribution(world: World, site: Site) -> None:
    host = site(lambda r: text(status=404 if r.path == "/no" else 200, cache_control="max-age=60"))
    for path in ("/a", "/a", "/no"):
        world.get(host, path)
    identity = world.call("ListDistributions")["DistributionList"]["Items"][0]["Id"]
    counts = world.edge.log.counts(identity)
    wanted = {"requests": 3, "hit": 1, "miss": 1, "error": 1, "origin_requests": 2}
    assert {name: counts[name] for name in wanted} == wanted


def test_a_reset_forgets_everything(world: World, site: Site) -> None:
    host = site(lambda _r: text(cache_control="max-age=60"))
    world.get(host)
    for service in world.cloudfront.services:
        service.reset()
    assert not world.edge.owns(host)
    assert world.cloudfront.inspect() == {"distributions": {}, "stored": 0}
