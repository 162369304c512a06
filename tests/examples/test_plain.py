"""examples/plain and examples/manual-rollback: released by a push, taken back by a person."""

from __future__ import annotations

from collections.abc import Callable

from tests.examples.repository import Repository

Example = Callable[[str], Repository]


def test_plain_pages_are_released_and_shown_as_they_are_written(example: Example) -> None:
    bakery = example("plain")
    (ran,) = bakery.push()
    url = ran.deployed.outputs["url"]
    assert "Bread that takes its time" in bakery.page(url)
    hours = bakery.visit(url, "/hours")
    assert b"the dough rests" in hours.body
    assert hours.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert bakery.visit(url, "/opening-hours").headers["location"] == "/hours"
    missing = bakery.visit(url, "/cake")
    assert (missing.status, b"Sold out" in missing.body) == (404, True)
    assert bakery.visit(url, "/jam.toml").status == 404


def test_a_person_goes_back_holds_production_and_frees_it_again(example: Example) -> None:
    ferry = example("manual-rollback")
    (first,) = ferry.push()
    url = first.deployed.outputs["url"]
    page = ferry.main / "public" / "index.html"
    page.write_text(page.read_text().replace("Not in a storm.", "Also in a storm."))
    (second,) = ferry.push()
    assert "Also in a storm." in ferry.page(url)

    (listed,) = ferry.by_hand()
    assert first.deployed.outputs["release"][:8] in listed.deployed.summary
    (back,) = ferry.by_hand(command="rollback")
    assert back.deployed.outputs["release"] == first.deployed.outputs["release"]
    assert "Not in a storm." in ferry.page(url)
    assert back.job.group != second.job.group  # it does not queue behind the run that went forward

    page.write_text(page.read_text().replace("Also", "Perhaps"))
    (held,) = ferry.push()
    assert held.deployed.outputs["outcome"] == "held"
    assert "Not in a storm." in ferry.page(url)
    (freed,) = ferry.by_hand(command="unhold")
    assert freed.deployed.outputs["outcome"] == ""
    (third,) = ferry.push()
    assert third.deployed.outputs["outcome"] == "live"
    assert "Perhaps in a storm." in ferry.page(url)

    (there,) = ferry.by_hand(command="rollback", release=second.deployed.outputs["release"][:8])
    assert there.deployed.outputs["release"] == second.deployed.outputs["release"]
    assert "Also in a storm." in ferry.page(url)
