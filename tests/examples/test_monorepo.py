"""examples/monorepo: two sites of one repository, and one comment over both."""

from __future__ import annotations

from collections.abc import Callable

from tests.examples.repository import Repository


def test_two_sites_share_a_repository_and_a_comment(example: Callable[[str], Repository]) -> None:
    goods = example("monorepo")
    shop, handbook = (each.deployed.outputs["url"] for each in goods.push())
    assert "Rope, lamps, enamel" in goods.page(shop)
    assert "Thirty days" in goods.page(handbook, "/returns")
    assert goods.page(shop, "/style.css") == goods.page(handbook, "/style.css")

    goods.hands.push("change")
    number = goods.hands.open("change")
    tree = goods.branch("change")
    page = tree / "handbook" / "pages" / "returns.html"
    page.write_text(page.read_text().replace("Thirty", "Sixty"))
    shown = goods.on_pull("opened", number, tree)
    previews = [each.deployed.outputs["url"] for each in shown]
    assert len({each.job.group for each in shown}) == 2
    assert "Sixty days" in goods.page(previews[1], "/returns")
    assert "Thirty days" in goods.page(handbook, "/returns")
    (comment,) = goods.at.comments(number)
    for site, url in zip(("harbour-shop", "harbour-handbook"), previews, strict=True):
        assert site in comment
        assert url in comment

    goods.hands.close(number)
    closed = goods.on_pull("closed", number, tree)
    assert [each.deployed.outputs["outcome"] for each in closed] == ["removed", "removed"]
    assert {goods.visit(each).status for each in previews} == {404}
    (comment,) = goods.at.comments(number)
    assert comment.count("removed") >= 2
