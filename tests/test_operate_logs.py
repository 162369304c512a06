"""Log lines of several functions: in order, once each, through trouble, harmless to terminals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.aws.deployed import Deployed
from runner.aws.log_events import LogEvent
from runner.errors import JamError, aws_error, busy_error
from runner.operate.logs import (
    LATE,
    LONGEST,
    SHORTEST,
    TROUBLE,
    Following,
    Line,
    recent,
    seconds_of,
)
from runner.report.log_lines import document, shown
from runner.report.printable import printable

ONE = Deployed(name="one", function="jam-s--one-1", version="1")
TWO = Deployed(name="two", function="jam-s--two-2", version="5")
EXPIRED = busy_error("JAM-CREDS-EXPIRED", "The credentials are no longer valid.", hint="Get new.")
DENIED = aws_error("JAM-DENIED", "AWS does not let you.", hint="Ask.")


def event(at: int, text: str = "", identity: str = "") -> LogEvent:
    return LogEvent(id=identity or f"{at}{text}", at=at, version="1", message=text or str(at))


def texts(lines: list[Line]) -> list[str]:
    return [line.event.message for line in lines]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)]
)
def test_a_span_of_time_has_a_number_and_a_unit(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["10", "m", "1w", "-1m", "1.5h", "", "1m\n", "٣m"])
def test_any_other_span_is_refused_with_the_ones_there_are(text):
    with pytest.raises(JamError) as caught:
        seconds_of(text)
    assert caught.value.code == "JAM-DURATION"
    assert "10m" in caught.value.hint


def test_lines_of_several_functions_are_one_stream_by_time():
    logged = {"one": [event(1), event(4), event(5)], "two": [event(2), event(3), event(9)]}
    found = list(recent((ONE, TWO), lambda each, _: iter(logged[each.name]), since=0))
    assert texts(found) == ["1", "2", "3", "4", "5", "9"]
    assert [line.function for line in found[:3]] == ["one", "two", "two"]


def test_later_pages_are_read_only_when_somebody_reads_on():
    read: list[int] = []

    def look(_: Deployed, since: int) -> Iterator[LogEvent]:
        for at in range(since, 1_000_000):
            read.append(at)
            yield event(at)

    assert texts(list(islice(recent((ONE,), look, since=5), 3))) == ["5", "6", "7"]
    assert len(read) < 10


@dataclass
class Cloud:
    """Log groups that grow while somebody follows; each round is one look at every function."""

    rounds: list[dict[str, list[LogEvent]] | JamError]
    slept: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    renewed: int = 0

    def follow(self, *functions: Deployed, since: int = 0) -> Following:
        return Following(
            functions=functions,
            renew=self._renew,
            say=self.said.append,
            clock=lambda: sum(self.slept),
            sleep=self.slept.append,
            since=since,
        )

    def _renew(self):
        self.renewed += 1
        return self._look

    def _look(self, function: Deployed, since: int) -> Iterator[LogEvent]:
        self.starts.append(since)
        now = self.rounds[min(len(self.slept), len(self.rounds) - 1)]
        if isinstance(now, JamError):
            raise now
        return (each for each in now.get(function.name, []) if each.at >= since)


def test_each_line_comes_once_although_each_look_goes_back():
    first = {"one": [event(100_000)]}
    second = {"one": [event(99_000, "late"), event(100_000), event(101_000)]}
    cloud = Cloud([first, second, second, {"one": [*second["one"], event(102_000)]}])
    assert texts(list(islice(cloud.follow(ONE), 4))) == ["100000", "late", "101000", "102000"]
    assert cloud.starts[1] == 100_000 - LATE


def test_a_look_never_goes_back_beyond_what_was_asked_for():
    cloud = Cloud([{"one": [event(100_000)]}, {"one": [event(100_001)]}])
    list(islice(cloud.follow(ONE, since=99_990), 2))
    assert cloud.starts == [99_990, 99_990]


def test_looks_become_rarer_while_nothing_comes_and_frequent_again_when_something_does():
    quiet: dict[str, list[LogEvent]] = {}
    cloud = Cloud([*[quiet] * 9, {"one": [event(1)]}, {"one": [event(1), event(2)]}])
    assert texts(list(islice(cloud.follow(ONE), 2))) == ["1", "2"]
    assert cloud.slept[0] < cloud.slept[4] < cloud.slept[8] == LONGEST
    assert cloud.slept[9] == SHORTEST


def test_many_functions_are_asked_no_more_than_five_times_a_second():
    many = [Deployed(name=str(n), function=f"f{n}", version="1") for n in range(60)]
    cloud = Cloud([{"0": [event(1)]}, {"0": [event(2)]}])
    list(islice(cloud.follow(*many), 2))
    assert cloud.slept == [12.0]


def test_expired_credentials_are_said_once_and_new_ones_are_tried():
    cloud = Cloud([{"one": [event(1)]}, EXPIRED, EXPIRED, {"one": [event(1), event(2)]}])
    assert texts(list(islice(cloud.follow(ONE), 2))) == ["1", "2"]
    assert [said.split(".")[0] for said in cloud.said] == [
        "The credentials are no longer valid",
        "The log goes on",
    ]
    assert "Get new." in cloud.said[0]
    assert cloud.renewed == 3


def test_what_lasts_too_long_ends_following_with_its_own_error():
    cloud = Cloud([EXPIRED])
    with pytest.raises(JamError) as caught:
        list(cloud.follow(ONE))
    assert caught.value.code == "JAM-CREDS-EXPIRED"
    assert TROUBLE < sum(cloud.slept) < TROUBLE + 60


def test_a_denial_ends_following_at_once():
    with pytest.raises(JamError) as caught:
        list(Cloud([DENIED]).follow(ONE))
    assert caught.value.code == "JAM-DENIED"


def test_a_line_has_time_function_and_version_in_front():
    line = Line(function="notes/[id]", event=event(1_700_000_000_123, "hello\n"))
    assert shown(line, width=14, colour=False) == "22:13:20.123 notes/[id]@1   │ hello"


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb"])
def test_several_lines_of_a_text_stand_below_each_other(text):
    line = Line(function="f", event=event(1_700_000_000_000, text))
    assert shown(line, width=3, colour=False) == "22:13:20.000 f@1 │ a\n                 │ b"


def test_colour_is_only_in_what_we_add():
    line = Line(function="f", event=event(1_700_000_000_000, "\x1b[31mred"))
    assert "\x1b" not in shown(line, width=3, colour=False)
    assert shown(line, width=3, colour=True).endswith("\x1b[0m \\u001b[31mred")


def test_a_function_has_the_same_colour_in_every_line():
    heads = {
        shown(Line(function="f", event=event(at)), width=3, colour=True).split("m", 3)[2]
        for at in (1, 1)
    }
    assert len(heads) == 1


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain ✓ ünïcode 日本 👩‍💻\n\tx", "plain ✓ ünïcode 日本 👩‍💻\n\tx"),
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\x9b31m", "\\u009b31m"),
        ("back\x08\x7f\r", "back\\u0008\\u007f\\u000d"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066\u2069\u2028\ufeff", "\\u2066\\u2069\\u2028\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\udb40\\udc41"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text, safe):
    assert printable(text) == safe


@given(st.text())
def test_no_text_has_control_characters_left(text):
    safe = printable(text)
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in safe if each not in "\n\t")
    safe.encode()


@given(st.text())
def test_json_means_the_same_when_it_is_made_printable(text):
    line = Line(function="f", event=event(1, text or "x"))
    written = json.dumps(document(line), ensure_ascii=False)
    assert json.loads(printable(written)) == document(line)
