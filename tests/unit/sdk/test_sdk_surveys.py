"""How it went: answered once, from wherever the phone is."""

import pytest
import samtale

from tests.unit.sdk.memory_line import Network
from tests.unit.sdk.phones import ack, client, event, opened, until

ASKED = {"ask": 1, "survey": "s", "version": 1, "scale": "faces", "question": "How?", "until_ms": 9}


async def test_a_survey_is_an_event_with_its_question(network: Network, visitor: samtale.VisitorClient) -> None:
    """The number, scale, question and what to say after a score."""
    line, _ = await opened(network)
    line.say("event", **event(1, "survey_asked", **ASKED, thanks={"any": "Thanks!"}))
    body = (await until(visitor, samtale.LogEvent)).body
    assert body == samtale.SurveyAsked(1, "s", 1, "faces", "How?", 9, {}, {"any": "Thanks!"})


async def test_each_thing_to_do_with_a_survey_has_its_frame(network: Network, visitor: samtale.VisitorClient) -> None:
    """Seen, dismissed, answered, commented: in the conversation's numbers."""
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    visitor.see_survey("c1", 1)
    visitor.answer_survey("c1", 1, 2)
    visitor.comment_survey("c1", 1, "Quick!")
    visitor.dismiss_survey("c1", 2)
    said = [await line.hear("survey") for _ in range(4)]
    assert [frame["n"] for frame in said] == [1, 2, 3, 4]
    assert [(frame["action"], frame.get("score"), frame.get("text")) for frame in said] == [
        ("seen", None, None),
        ("answer", 2, None),
        ("comment", None, "Quick!"),
        ("dismiss", None, None),
    ]


async def test_an_answer_given_in_a_tunnel_is_delivered_by_the_next_life_of_the_app(network: Network) -> None:
    """It is in the store until its outcome, under one id."""
    store = samtale.MemoryStore()
    async with client(network, store=store) as visitor:
        line, _ = await opened(network)
        await until(visitor, samtale.Connected)
        visitor.answer_survey("c1", 1, 2)
        first = await line.hear("survey")
    async with client(network, store=store):
        line, _ = await opened(network)
        assert await line.hear("survey") == first


async def test_an_answer_goes_to_the_conversation_that_asked(network: Network, visitor: samtale.VisitorClient) -> None:
    """Though the user talks in another one by now."""
    line, _ = await opened(network, conversation="c2")
    await until(visitor, samtale.Connected)
    visitor.answer_survey("c1", 1, 0)
    answer = await line.hear("survey")
    line.say("ack", **ack(answer))
    visitor.send("hei")
    assert (answer["conversation"], (await line.hear("send"))["conversation"]) == ("c1", "c2")


async def test_a_late_answer_is_told_so(network: Network, visitor: samtale.VisitorClient) -> None:
    """survey_over is raised to who asked."""
    line, _ = await opened(network)
    asked = visitor.answer_survey("c1", 1, 0)
    frame = await line.hear("survey")
    about = {"n": 1, "id": frame["id"], "conversation": "c1", "retryable": False, "text": ""}
    line.say("refused", code="survey_over", **about)
    with pytest.raises(samtale.RefusedError, match="survey_over"):
        await asked
