"""Finding a rule by its path gives what trying one after the other gives, for whatever rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.entry.entry import rule_for
from runner.entry.index import Rules, rule_of
from runner.entry.release import Site
from runner.entry.rules import Rule, Visit

SEGMENTS = ["a", "b", "%61", "a.html", "index.html", "v1.2", "ä", "%C3%A4", "", ":x", "%3Ax", "*"]
QUERIES: list[list[list[str]]] = [
    [], [], [], [["q", "1"]], [["q", "2"]], [["q", ":q"]], [["p", ":p"], ["q", "1"]],
]  # fmt: skip
PATHS = st.lists(st.sampled_from(SEGMENTS), max_size=4).map(lambda it: "/" + "/".join(it))
TARGETS = st.sampled_from(["/t", "/:x", "/:splat", "/a", "/a/b"])


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    sources = draw(st.lists(PATHS, min_size=1, max_size=4))
    rule = st.fixed_dictionaries(
        {
            "source": st.sampled_from(
                [*sources, *(f"{each.rstrip('/')}/{end}" for each in sources for end in ":y*")]
            ),
            "target": TARGETS,
            "status": st.sampled_from([200, 301, 404]),
            "force": st.booleans(),
            "query": st.sampled_from(QUERIES),
            "countries": st.sampled_from([[], [], ["de"]]),
            "languages": st.sampled_from([[], [], ["en"]]),
        }
    )
    return draw(st.lists(rule, min_size=1, max_size=12))


VISITS = st.builds(
    Visit,
    path=PATHS,
    query=st.sampled_from(["", "q=1", "q=2&q=1", "p=x&q=1", "p=%00"]),
    country=st.sampled_from(["", "de"]),
    language=st.sampled_from(["", "en-gb"]),
)


class OneByOne(Rules):
    """All rules for every visit, which is what an index must not differ from."""

    def __init__(self, raw: list[dict[str, Any]]) -> None:
        self._all = tuple(map(rule_of, raw))

    def about(self, path: str, query: str = "") -> Any:
        return iter(self._all)


def site(rules: Rules) -> Site:
    return Site(release="", files={}, rules=rules, headers={}, routing={}, not_found="")


@given(raw=rules(), visit=VISITS, shadowed=st.booleans())
def test_the_first_rule_that_matches_is_found_and_what_it_depends_on(
    raw: list[dict[str, Any]], visit: Visit, shadowed: bool
) -> None:
    tried = rule_for(site(OneByOne(raw)), visit, shadowed=shadowed)
    assert rule_for(site(Rules(raw)), visit, shadowed=shadowed) == tried


def rule(source: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "target": "/t", "status": 301, **more}


def about(path: str, raw: list[dict[str, Any]], query: str = "") -> list[Rule]:
    return list(Rules(raw).about(path, query))


def test_a_visit_looks_at_no_rule_of_another_path() -> None:
    raw = [rule(f"/blog/{number}/{end}") for number in range(1_000) for end in (":x", "*", "a")]
    assert [each.source for each in about("/blog/7/a", raw)] == [
        "/blog/7/:x",
        "/blog/7/*",
        "/blog/7/a",
    ]


def test_of_a_thousand_articles_by_number_a_visit_looks_at_its_own_and_at_the_first() -> None:
    raw = [rule("/article", query=[["id", str(number)]]) for number in range(1_000)]
    asked = [each.query for each in about("/article", raw, "id=7")]
    assert asked == [(("id", "0"),), (("id", "7"),)]
    assert len(about("/article", raw)) == 1  # the answer depends on the query all the same
