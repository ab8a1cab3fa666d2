"""The words of the two terminals: every kind of event, places, choices, forms, context."""

import json
from pathlib import Path
from typing import Any

import pytest
import samtale
from samtale.body import read_body

import protocol
from app.terminal.agent_words import of_body
from app.terminal.board import of_context
from app.terminal.console import Console
from app.terminal.form import FormFilling
from app.terminal.visitor_words import VisitorWords
from app.terminal.words import Reader, choices, numbered, of_refusal
from protocol.bus.catalogue import catalogue

FRAMES = json.loads((Path(protocol.__file__).parent / "vectors" / "frames.json").read_text(encoding="utf-8"))["vectors"]
EVENTS = [vector for vector in FRAMES if vector["json"]["t"] == "event"]
STAFF = [vector for vector in EVENTS if vector["sockets"] == ["agent"]]
KARI = Reader("agent", "agt_kari", {"agt_ola": "Ola Berg", "tea_cards": "Kort"})
PLAIN = "Vil du ha hjelp?\n- Ja, takk\n- Nei"


def entry(body: dict[str, Any], seq: int = 8) -> samtale.LogEvent:
    return samtale.LogEvent("cnv_1", seq, f"1.{seq}.0", 1767225600000, read_body(body))


@pytest.mark.parametrize("vector", EVENTS, ids=lambda vector: vector["name"])
def test_an_agent_is_told_of_every_kind(vector: dict[str, Any]) -> None:
    """Each has words of its own."""
    words = of_body(entry(vector["json"]["body"]), KARI)
    assert words is not None
    assert words[0].strip()


@pytest.mark.parametrize("vector", STAFF, ids=lambda vector: vector["name"])
def test_a_visitors_terminal_has_no_words_for_what_is_for_staff(vector: dict[str, Any]) -> None:
    """Should it ever be sent one."""
    assert VisitorWords().of_body(entry(vector["json"]["body"])) is None


def test_a_newer_kind_says_nothing() -> None:
    """To neither."""
    assert (of_body(entry({"kind": "hologram"}), KARI), VisitorWords().of_body(entry({"kind": "hologram"}))) == (
        None,
        None,
    )


def test_a_choice_has_the_number_by_which_it_is_chosen() -> None:
    """In the place of its dash; what opens an address has none."""
    options = [samtale.Option("yes", "Ja, takk"), samtale.Option("no", "Nei")]
    said = samtale.Message(samtale.Author("agent", "", "Nordvik"), PLAIN, samtale.QuickReplies(options))
    assert numbered(said) == "Vil du ha hjelp?\n1) Ja, takk\n2) Nei"
    buttons = [samtale.Button("call", "Ring meg"), samtale.Button("map", "Kart", "https://example.com")]
    assert choices(samtale.Card("Kort", buttons=buttons)) == [("call", "Ring meg")]
    assert choices(samtale.Carousel([samtale.Card("A", buttons=buttons[:1])])) == [("call", "Ring meg")]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (samtale.Place("c", 1), "You are next in line."),
        (samtale.Place("c", 3, wait_s=290), "You are number 3 in line. Expected wait: about 5 min."),
        (samtale.Place("c", 20, False, 10), "You are about number 20 in line. Expected wait: less than a minute."),
    ],
)
def test_a_place_with_the_wait_to_expect(place: samtale.Place, said: str) -> None:
    """In the words that are served, and in the same ones if none are."""
    served = catalogue()["en"].interface
    assert VisitorWords(served).of_place(place) == VisitorWords().of_place(place) == said


def test_a_visitor_is_told_in_their_language() -> None:
    """Who ended it, and why something was refused."""
    texts = catalogue()["nb"].interface
    closed = entry({"kind": "closed", "by": {"role": "agent", "id": "", "name": "Nordvik"}, "reason": "agent"})
    words = VisitorWords(texts).of_body(closed)
    assert words is not None
    assert words[0].endswith("— Nordvik avsluttet samtalen. Skriv for å åpne samtalen igjen.")
    early = samtale.Refused("consent_required", "Nothing is accepted.")
    assert of_refusal(early, "hei", texts) == "not sent, “hei”: Du må godta før du kan skrive."
    assert of_refusal(early, "hei") == "not sent, “hei”: Nothing is accepted. (consent_required)"


def test_what_is_known_of_a_visitor_is_said_in_a_few_lines() -> None:
    """Who, with which phone, where, and what they did last; an address that nobody vouched for is called so."""
    known = samtale.Context(
        "c", "v", True, "ios", "3.2", "nb-NO", "Kort", {"plan": "gold"}, {"model": "A1"},
        [samtale.Breadcrumb(1, "opened"), samtale.Breadcrumb(2, "pressed Block")], "con", "Mia", "mia@x.no", False, True, ["c0"],
    )  # fmt: skip
    assert of_context(known) == [
        "the visitor is Mia · mia@x.no (not verified) · ios 3.2 nb-NO · BLOCKED",
        "on Kort, plan=gold, device.model=A1, 1 other conversation",
        "opened → pressed Block",
    ]
    assert of_context(samtale.Context("c", "v", False)) == ["the visitor is unknown"]


def test_a_form_takes_a_line_for_each_field() -> None:
    """Options by number or by name; a required field is not left out."""
    fields = [
        samtale.FormField("name", "Name", required=True),
        samtale.FormField(
            "size", "Size", "choice", options=[samtale.Option("s", "Small"), samtale.Option("l", "Large")]
        ),
        samtale.FormField("more", "More"),
    ]
    form = samtale.Form("You", fields)
    filling = FormFilling(entry(EVENTS[0]["json"]["body"]), form, Console(lambda: "", lambda _: None))
    for line in ("/skip", "Mia", "large", "/skip"):
        assert not filling.is_whole
        filling.take(line)
    assert (filling.is_whole, filling.values) == (True, {"name": "Mia", "size": "l"})
