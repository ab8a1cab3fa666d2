"""Message kinds: their plain form, what makes one invalid, and what visitors may answer."""

from typing import Any

import pytest

from engine.core.contents import plain_form
from protocol.bus.decisions import Refusal
from protocol.wire.codes import Code
from protocol.wire.content import Message
from protocol.wire.kinds import (
    ArticleLink,
    Button,
    Buttons,
    Card,
    Carousel,
    Choice,
    Form,
    FormField,
    FormValues,
    Option,
    QuickReplies,
)
from tests.kit.desks import talked
from tests.kit.threads import Thread
from tests.kit.workplace import ANN, replies, sends

RED, BLUE = Option("red", "Red"), Option("blue", "Blue", "#00f")
SIZES = [Option("s", "Small"), Option("l", "Large")]
OPENS, CHOOSES = Button("map", "Map", "https://nordvik.example/map"), Button("call", "Call me")
FORM = Form(
    "Order",
    [
        FormField("mail", "E-mail", "email", required=True),
        FormField("size", "Size", "choice", options=SIZES),
        FormField("day", "Day", "date"),
        FormField("count", "How many", "number"),
        FormField("phone", "Phone", "phone"),
        FormField("note", "Note"),
    ],
)


@pytest.mark.parametrize(
    ("said", "lead", "plain"),
    [
        (QuickReplies([RED, BLUE]), "Which?", "Which?\n- Red\n- Blue"),
        (QuickReplies([RED]), "", "- Red"),
        (Buttons([OPENS, CHOOSES]), "", "- Map: https://nordvik.example/map\n- Call me"),
        (Card("Skis", "Long ones", "https://nordvik.example/s.png", [CHOOSES]), "",
         "Skis\nLong ones\nhttps://nordvik.example/s.png\n- Call me"),
        (Carousel([Card("One"), Card("Two")]), "See", "See\nOne\n\nTwo"),
        (FORM, "", "Order\n- E-mail *\n- Size (Small, Large)\n- Day\n- How many\n- Phone\n- Note"),
        (ArticleLink("Returns", "https://nordvik.example/r", "How to"), "",
         "Returns\nHow to\nhttps://nordvik.example/r"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_plain_form(said: Any, lead: str, plain: str) -> None:
    """Each kind has a plain form that leaves nothing out, behind what the agent wrote."""
    assert plain_form(said, lead) == plain


@pytest.mark.parametrize(
    "said",
    [
        QuickReplies([]),
        QuickReplies([Option(str(number), "x") for number in range(14)]),
        QuickReplies([RED, RED]),
        QuickReplies([Option("a b", "x")]),
        QuickReplies([Option("a", " ")]),
        QuickReplies([Option("a", "x" * 81)]),
        Buttons([]),
        Buttons([Button(str(number), "x") for number in range(6)]),
        Buttons([Button("a", "x", "javascript:alert(1)")]),
        Buttons([Button("a", "x", "http://nordvik.example")]),
        Card(""),
        Card("x" * 101),
        Card("x", image="http://nordvik.example/s.png"),
        Card("x", "y" * 1_001),
        Carousel([Card("One")]),
        Carousel([Card("x")] * 11),
        Carousel([Card("One", buttons=[CHOOSES]), Card("Two", buttons=[CHOOSES])]),
        Form("", [FormField("a", "A")]),
        Form("x", []),
        Form("x", [FormField("a", "A"), FormField("a", "B")]),
        Form("x", [FormField("a", "A", "choice")]),
        Form("x", [FormField("a", "A", options=SIZES)]),
        ArticleLink("x", "ftp://nordvik.example"),
        ArticleLink("", "https://nordvik.example"),
    ],
    ids=lambda said: type(said).__name__,
)
def test_no_plain_form(said: Any) -> None:
    """What is not as the protocol says has no plain form, and is refused."""
    assert plain_form(said) is None
    thread = talked()
    assert thread.ask(replies(ANN, 2, thread.state.id, "", content=said)) == Refusal(Code.BAD_CONTENT)


@pytest.mark.parametrize("url", ["https://nordvik.example/a?b=1", "tel:+4712345678", "mailto:hei@nordvik.example"])
def test_addresses_of_buttons(url: str) -> None:
    """A button opens a page, a telephone or a mail."""
    assert plain_form(Buttons([Button("a", "x", url)])) == f"- x: {url}"


def test_too_long_a_form() -> None:
    """A plain form above 10,000 characters is none."""
    assert plain_form(QuickReplies([RED]), "x" * 9_995) is None


def asked(said: Any) -> Thread:
    """A conversation in which Ann asked something at seq 6."""
    thread = talked()
    (message,) = thread.ask(replies(ANN, 2, thread.state.id, "", content=said))
    assert (message.content, thread.log[-1].seq) == (said, thread.state.seq)
    return thread


def answers(thread: Thread, said: Any, n: int = 2) -> Any:
    """Kari answers; the text she sends is not the one that counts."""
    return thread.ask(sends(n, "whatever", content=said))


def test_choice() -> None:
    """A chosen quick reply is a message with the option's label for its text."""
    thread = asked(QuickReplies([RED, BLUE]))
    (message,) = answers(thread, Choice(thread.state.seq, "blue"))
    assert (message.text, message.content.option) == ("Blue", "blue")


def test_quick_replies_pass() -> None:
    """Quick replies may be chosen until something else was said, by either."""
    for words in (lambda thread: sends(2), lambda thread: replies(ANN, 3, thread.state.id)):
        thread = asked(QuickReplies([RED]))
        of = thread.state.seq
        thread.ask(words(thread))
        assert answers(thread, Choice(of, "red"), 3) == Refusal(Code.BAD_CONTENT)


def test_chosen_once() -> None:
    """A quick reply is chosen once."""
    thread = asked(QuickReplies([RED]))
    of = thread.state.seq
    answers(thread, Choice(of, "red"))
    assert answers(thread, Choice(of, "red"), 3) == Refusal(Code.BAD_CONTENT)


def test_buttons_stay() -> None:
    """A button may be pressed after other things were said, and one that opens an address chooses nothing."""
    thread = asked(Carousel([Card("One", buttons=[OPENS]), Card("Two", buttons=[CHOOSES])]))
    of = thread.state.seq
    thread.ask(sends(2))
    assert answers(thread, Choice(of, "call"), 3)[0].text == "Call me"
    assert answers(thread, Choice(of, "map"), 4) == Refusal(Code.BAD_CONTENT)


def test_buttons_do_not_stay_for_ever() -> None:
    """A hundred entries later a button can no longer be pressed."""
    thread = asked(Buttons([CHOOSES]))
    of = thread.state.seq
    for n in range(101):
        thread.ask(sends(n + 2))
    assert answers(thread, Choice(of, "call"), 200) == Refusal(Code.BAD_CONTENT)


@pytest.mark.parametrize(("of", "option"), [(1, "red"), (99, "red"), (6, "green")])
def test_choice_of_what_was_not_asked(of: int, option: str) -> None:
    """A choice must name a message that asks, and one of its options."""
    assert answers(asked(QuickReplies([RED])), Choice(of, option)) == Refusal(Code.BAD_CONTENT)


def test_form_filled() -> None:
    """A filled form is a message that lists what was filled in, with choices by their labels."""
    thread = asked(FORM)
    values = {"mail": " kari@nordvik.example ", "size": "l", "day": "2026-02-28", "count": "-2,5", "phone": "+47 22 22"}
    (message,) = answers(thread, FormValues(thread.state.seq, values))
    assert message.text.splitlines() == [
        "E-mail: kari@nordvik.example", "Size: Large", "Day: 2026-02-28", "How many: -2,5", "Phone: +47 22 22",
    ]  # fmt: skip


def test_form_once() -> None:
    """A form is filled in once, also after other things were said."""
    thread = asked(FORM)
    of = thread.state.seq
    thread.ask(sends(2))
    assert isinstance(answers(thread, FormValues(of, {"mail": "k@n.example"}), 3)[0], Message)
    assert answers(thread, FormValues(of, {"mail": "k@n.example"}), 4) == Refusal(Code.BAD_CONTENT)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"mail": "no address"},
        {"mail": "k@n.example", "other": "x"},
        {"mail": "k@n.example", "size": "m"},
        {"mail": "k@n.example", "day": "2026-02-30"},
        {"mail": "k@n.example", "day": "20260228"},
        {"mail": "k@n.example", "count": "many"},
        {"mail": "k@n.example", "phone": "call me"},
        {"mail": "k@n.example", "note": "x" * 2_001},
    ],
    ids=lambda values: "-".join(values) or "nothing",
)
def test_form_filled_wrongly(values: dict[str, str]) -> None:
    """A form needs its required fields, takes no others, and each value is of its field's kind."""
    thread = asked(FORM)
    assert answers(thread, FormValues(thread.state.seq, values)) == Refusal(Code.BAD_CONTENT)
