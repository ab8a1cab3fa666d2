"""Ready replies and their variables; who may say something at all."""

from msgspec.structs import replace

from engine.core import phases
from protocol.bus.config import AccountConfig, Canned, Heading
from protocol.bus.decisions import First, Refusal
from protocol.bus.records import Profile
from protocol.wire.codes import Code
from protocol.wire.kinds import Option, QuickReplies
from tests.kit.desks import ALIAS, helpdesk, talked
from tests.kit.threads import Thread
from tests.kit.workplace import ANN, BO, replies, sends


def ready(thread: Thread, canned: str = "hello") -> str:
    """What the visitor reads of a ready reply."""
    (message,) = thread.ask(replies(ANN, 2, thread.state.id, "", canned=canned))
    return message.text


def known(thread: Thread, name: str) -> Thread:
    """The same, with a visitor whose name the company vouched for."""
    assert thread.visitor is not None
    thread.visitor = replace(thread.visitor, profile=Profile(name))
    return thread


def test_canned_under_an_alias() -> None:
    """A ready reply is filled in as the visitor may see it: the agent by the alias."""
    assert ready(known(talked(), "Kari")) == f"Hi Kari, {ALIAS} here at Support."


def test_canned_by_name() -> None:
    """Without an alias the agent's own name is filled in."""
    own = helpdesk(heading=Heading("assigned_agent"))
    assert ready(known(talked(own), "Kari")) == "Hi Kari, Ann here at Support."


def test_canned_names_the_conversation() -> None:
    """{conversation} is the conversation's id."""
    thread = talked()
    assert ready(thread, "number") == f"Your case is {thread.state.id}"


def test_canned_for_a_stranger() -> None:
    """Where the visitor has no name, none is left out clumsily."""
    assert ready(talked()) == f"Hi, {ALIAS} here at Support."


def test_canned_in_the_visitors_language() -> None:
    """A ready reply is in the conversation's locale, along the chain."""
    thread = Thread(config=helpdesk())
    thread.ask(replace(sends(), locale="nb-NO"))
    thread.assign(ANN)
    assert ready(known(thread, "Kari")) == f"Hei Kari, dette er {ALIAS}."


def test_braces_that_are_no_variable() -> None:
    """What stands in braces and is no variable stays as it is, and a name is never filled in twice."""
    config: AccountConfig = replace(helpdesk(), canned=[Canned("odd", {"en": "{code} {visitor}"})])
    assert ready(known(talked(config), "{agent}"), "odd") == "{code} {agent}"


def test_unknown_canned() -> None:
    """An unknown ready reply is refused, and so is one with words of its own."""
    thread = talked()
    for changes in ({"canned": "nope"}, {"canned": "hello", "text": "and"}):
        assert thread.ask(replies(ANN, 2, thread.state.id, **{"text": "", **changes})) == Refusal(Code.BAD_CONTENT)


def test_versions_keep_their_language() -> None:
    """A running conversation goes on in the language of its own version, though a newer one has another."""
    config = replace(helpdesk(), canned=[Canned("hello", {"de": "Hallo", "en": "Hi"})])
    thread = Thread(config=config)
    thread.ask(replace(sends(), locale="sv"))
    thread.assign(ANN)
    newer = [replace(flow, version=4, language="de") for flow in config.chatflows]
    thread.config = replace(config, chatflows=newer, past=config.chatflows)
    assert ready(thread) == "Hi"


def test_nobody_elses_conversation() -> None:
    """Only who has the conversation speaks in it."""
    thread = talked()
    assert thread.ask(replies(BO, 1, thread.state.id)) == Refusal(Code.NOT_ASSIGNED)


def test_who_left_the_inbox() -> None:
    """Who lost access to the inbox finds nothing there, though the conversation is still theirs."""
    thread = talked()
    config = thread.config
    thread.config = replace(config, inboxes=[replace(config.inboxes[0], agents=[BO])])
    assert isinstance(thread.state.phase, phases.Talking)
    assert thread.ask(replies(ANN, 2, thread.state.id)) == Refusal(Code.NOT_FOUND)


def test_a_bad_reply_claims_nothing() -> None:
    """What cannot be said does not take the conversation either."""
    thread = Thread(config=helpdesk())
    thread.ask(sends())
    bad = QuickReplies([Option("a b", "x")])
    assert thread.ask(replies(ANN, 1, thread.state.id, "", content=bad)) == Refusal(Code.BAD_CONTENT)
    assert isinstance(thread.ask(replies(ANN, 1, thread.state.id)), First)


def test_blocked_visitor() -> None:
    """A blocked visitor is refused, whatever they say."""
    thread = talked()
    assert thread.visitor is not None
    thread.visitor = replace(thread.visitor, blocked=True)
    assert thread.ask(sends(2)) == Refusal(Code.BLOCKED)
