"""The two terminals on a help desk: every step, the desk's orders, the survey, and the company's first word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import samtale

from tests.kit.commands import Terminal, run_samtale
from tests.kit.persons import soon
from tests.kit.samtale_servers import RunningSamtale

pytestmark = pytest.mark.xdist_group("terminals")

KEY = "demo-only-key-of-fjords-own-servers"
PASSWORDS = {"siri": "siri-siri", "per": "per-per-per", "amira": "amira-amira", "jon": "jon-jon-jon"}


def phone(server: RunningSamtale, name: str, tag: str, *options: str) -> Terminal:
    """A visitor's terminal in the app of Fjord Kraft."""
    about = ("--server", server.url, "--as", name, "--app", "app_fjord", "--tag", tag, "--locale", "en")
    return Terminal("visitor", *about, *options, environment=server.environment)


def desk(server: RunningSamtale, agent: str) -> Terminal:
    """An agent's terminal at Fjord Kraft. One person may log in five times a minute: tests take turns."""
    about = ("--server", server.url, f"{agent}@fjord.example", "--password", PASSWORDS[agent])
    return Terminal("agent", *about, environment=server.environment)


@asynccontextmanager
async def talking(
    server: RunningSamtale, name: str, agent: str, end: str = "/close"
) -> AsyncIterator[tuple[Terminal, Terminal]]:
    """Yield a visitor who has said who they are, and the agent who has taken the conversation and has it in front."""
    async with phone(server, name, "desk") as visitor:
        await visitor.shows("Hello! Just write.")
        visitor.type(f"I am {name}")
        await visitor.shows(f"you: I am {name}")
        async with desk(server, agent) as there:
            await there.shows("connected; colleagues: ")
            listed = await there.shows("cnv_")
            there.type(f"/claim {listed.rsplit(chr(10), 1)[-1].split()[0]}")
            await there.shows("is yours, and in front")
            yield visitor, there
            if end:
                there.type(end)
                await there.shows("is yours no longer")


async def test_a_visitor_is_led_through_every_step(samtale_server: RunningSamtale) -> None:
    """One question at a time, in order: the phone, the consent with its box, the address; then the chat."""
    async with phone(samtale_server, "steps", "steps") as visitor:
        await visitor.shows("/remember: Remember me on this device   /forget: Do not remember me")
        visitor.type("/remember")
        await visitor.shows("[ ] Yes, you may e-mail me about")
        await visitor.shows("/agree: I agree   /decline: Not now")
        visitor.type("too early")
        await visitor.shows("not sent, “too early”: You have to agree before you can write.")
        visitor.type("/tick")
        await visitor.shows("[x] Yes, you may e-mail me about")
        visitor.type("/agree")
        await visitor.shows("write your address")
        visitor.type("mia at example")
        await visitor.shows("not done: This answer cannot be used.")
        visitor.type("mia@example.com")
        await visitor.shows("Thank you. We can reach you at mia@example.com.")
        visitor.type("Hello")
        await visitor.shows("you: Hello")
        visitor.type("/close")
        await visitor.shows("You ended the conversation. Write to open the conversation again.")


async def test_who_may_not_be_remembered_is_somebody_else_next_time(samtale_server: RunningSamtale) -> None:
    """Declined, the chat works; another terminal as the same phone is asked again."""
    for _ in range(2):
        async with phone(samtale_server, "forgetful", "steps") as visitor:
            await visitor.shows("/forget: Do not remember me")
            visitor.type("/forget")
            await visitor.shows("— Do not remember me")


async def test_nobody_is_there_to_begin_with(samtale_server: RunningSamtale) -> None:
    """What is said then is said why not, and when somebody is."""
    async with phone(samtale_server, "night", "night") as visitor:
        await visitor.shows("We are not here right now.")
        visitor.type("/email mia@example.com")
        await visitor.shows("not done: Nobody can answer right now.")


async def test_orders_at_the_desk(samtale_server: RunningSamtale) -> None:
    """Ready reply, choices by number, note, tag, priority, ticket, field, who is next; the visitor sees what is theirs."""
    async with talking(samtale_server, "Mia", "siri") as (visitor, siri):
        siri.type("/canned hello")
        await visitor.shows("Fjord Kraft: Hello, this is Fjord Kraft. What can I help you with?")
        siri.type("/replies Which bill? | May | June")
        await visitor.shows("Fjord Kraft: Which bill?\n       1) May\n       2) June")
        visitor.type("2")
        await siri.shows("visitor: June")
        for order, shown in [
            ("/note @Per knows this one", "▍you note: @Per Vik @Per knows this one"),
            ("/tag +bill +june -may", "you tagged it: +bill +june"),
            ("/priority urgent", "you set the priority: urgent"),
            ("/ticket closed", "you set the ticket: closed"),
            ("/field case=4711", "you set case=4711"),
            ("/who in_turn", "next by in_turn: "),
            ("/whisper Nobody else is here", "▍you whisper: Nobody else is here"),
            ("/snooze 5", "you put it off until"),
            ("/wake", "it is awake again (agent)"),
        ]:
            siri.type(order)
            await siri.shows(shown)
        siri.type("June it is")
        seen = await visitor.shows("Fjord Kraft: June it is")
        assert "knows this one" not in seen
        assert "Siri" not in seen


@pytest.mark.parametrize(
    ("order", "agent", "how"),
    [
        ("/priority at once", "per", "/priority low|normal|high|urgent"),
        ("/transfer nobody", "per", "no colleague is called nobody: Siri Moen"),
        ("/transfer team nobody please", "per", "no team is called nobody: Faktura"),
        ("/redact this", "amira", "/redact N"),
        ("/replies Which?", "amira", "/replies QUESTION | CHOICE | CHOICE …"),
        ("/open 99", "amira", "there is no conversation 99: /list"),
        ("/nonsense", "jon", "Write, and Enter sends to the conversation in front."),
    ],
)
async def test_an_order_that_is_none_says_how_it_is_given(
    samtale_server: RunningSamtale, order: str, agent: str, how: str
) -> None:
    """And asks nothing of the server."""
    async with talking(samtale_server, f"order{len(order)}", agent) as (_, there):
        there.type(order)
        await there.shows(how)


async def test_a_removed_message_is_gone_from_both(samtale_server: RunningSamtale) -> None:
    """By the number behind it; whoever reads anew finds nothing there."""
    async with talking(samtale_server, "redacted", "amira") as (visitor, siri):
        visitor.type("My number is 4925")
        line = await siri.shows("visitor: My number is 4925  #")
        assert line
        siri.type(f"/redact {(await siri.shows(chr(10))).strip()}")
        await visitor.shows("The message was removed.")
        async with phone(samtale_server, "another", "desk"):
            pass  # somebody else is not told
        visitor.type("/quit")
        assert await visitor.ended() == 0
        async with phone(samtale_server, "redacted", "desk") as again:
            read = await again.shows("(removed)")
    assert "4925" not in read


async def test_colleagues_see_each_other(samtale_server: RunningSamtale) -> None:
    """Who else looks, who types, who is mentioned, and a supervisor's whisper."""
    async with talking(samtale_server, "shared", "siri") as (_, siri), desk(samtale_server, "per") as per:
        await per.shows("connected; colleagues: ")
        await per.shows("assigned   Siri Moen")  # his feeds are read: what is told from now on he hears
        siri.type("/note @Per: look at this")
        await per.shows("you are mentioned in conversation ")
        per.type(f"/open {(await per.shows(':'))[:-1]}")
        await siri.shows("Per Vik looks at it, too")
        siri.type("/whisper I have it")
        await per.shows("Siri Moen whispers: I have it")


async def test_what_the_app_tells_is_at_the_desk(samtale_server: RunningSamtale) -> None:
    """The screen, properties, and the last things the user did."""
    async with talking(samtale_server, "context", "jon") as (visitor, siri):
        visitor.type("/screen Bills")
        visitor.type("/set plan=gold")
        visitor.type("/did opened June")
        await siri.shows("on Bills, plan=gold")
        await siri.shows("opened June")
        visitor.type("/analytics yes")
        await visitor.shows("done")


async def test_a_survey_in_a_terminal(samtale_server: RunningSamtale) -> None:
    """Asked as the conversation closes, scored by number, thanked for, and commented on."""
    async with talking(samtale_server, "survey", "jon", end="") as (visitor, jon):
        jon.type("Good day")
        await visitor.shows("Fjord Kraft: Good day")
        jon.type("/close ticket")
        await visitor.shows("How was our help?")
        await visitor.shows("0 Unhappy  1 Neutral  2 Happy   (/rate N, /later)")
        await jon.shows("survey 1 was seen")
        visitor.type("/rate 0")
        await visitor.shows("Thank you for your answer!")
        await visitor.shows("What went wrong?  (/comment TEXT)")
        visitor.type("/comment It took a day")
        await jon.shows("survey 1: 0")
        await jon.shows("survey 1: “It took a day”")
        visitor.type("/rate 2")
        # The first as soon as this phone has heard of the comment too.
        await visitor.shows_like("nothing is asked|This survey is over")


async def test_a_form_is_filled_in_field_by_field(samtale_server: RunningSamtale) -> None:
    """A required field is not skipped, a choice is made by its number, and the whole is sent at once."""
    fields = [
        samtale.FormField("name", "Name", required=True),
        samtale.FormField("since", "Since", "date"),
        samtale.FormField(
            "kind", "Kind", "choice", options=[samtale.Option("h", "House"), samtale.Option("f", "Flat")]
        ),
    ]
    agent = samtale.AgentClient(samtale_server.url, email="per@fjord.example", password="per-per-per")
    async with phone(samtale_server, "form", "desk") as visitor, agent:
        await visitor.shows("Hello! Just write.")
        visitor.type("I move")
        conversation = await _waiting(agent)
        await soon(agent.claim(conversation))
        await soon(agent.send(conversation, content=samtale.Form("Moving", fields)))
        await visitor.shows("/fill")
        visitor.type("/fill")
        await visitor.shows("Name *:")
        visitor.type("/skip")
        await visitor.shows("this one is needed")
        visitor.type("Mia")
        await visitor.shows("Since  (date):")
        visitor.type("/skip")
        await visitor.shows("Kind  (1) House  2) Flat):")
        visitor.type("2")
        await visitor.shows("you: Name: Mia\n       Kind: Flat")
        await soon(agent.close(conversation))


async def _waiting(agent: samtale.AgentClient) -> str:
    """Return the conversation that nobody has, as soon as there is one."""
    async for _ in agent.events():
        for feed, rows in agent.feeds.items():
            for row in rows.values():
                if feed.startswith("inbox:") and row["status"] == "unassigned":
                    return str(row["conversation"])
    raise AssertionError("the events ended")


async def test_the_close_button_closes_nothing_and_leaving_asks_once(samtale_server: RunningSamtale) -> None:
    """/x is the app's business; who leaves is asked whether the phone may remember them, and may leave anyway."""
    async with phone(samtale_server, "exit", "support") as visitor:
        await visitor.shows("/agree: I agree")
        visitor.type("/x")
        await visitor.shows("its close button was pressed; the conversation goes on")
        visitor.type("/quit")
        await visitor.shows("(/remember or /forget; /quit leaves)")
        visitor.type("/quit")
        assert await visitor.ended() == 0


async def test_a_file_goes_from_one_terminal_to_the_other(samtale_server: RunningSamtale, tmp_path: Path) -> None:
    """Sent with a caption, shown by its name, saved as it is; a second time beside the first."""
    sent, saved = tmp_path / "a reading.txt", tmp_path / "saved"
    sent.write_text("4711 kWh", encoding="utf-8")
    saved.mkdir()
    async with talking(samtale_server, "files", "per") as (visitor, there):
        visitor.type(f'/file "{sent}" My meter')
        await visitor.shows("you: My meter")
        await there.shows("[a reading.txt, 1 kB]")
        for name in ("a reading.txt", "a reading (2).txt"):
            there.type(f"/save {saved}")
            await there.shows(f"saved {saved / name}")
        assert {path.name: path.read_text() for path in saved.iterdir()} == {
            "a reading.txt": "4711 kWh",
            "a reading (2).txt": "4711 kWh",
        }
        visitor.type(f"/file {tmp_path / 'none.txt'}")
        await visitor.shows("not sent, none.txt: ")


async def test_the_company_says_the_first_word(samtale_server: RunningSamtale) -> None:
    """`samtale start` prints where it stands; a wrong key and a tag that nobody serves are said in one line."""
    say = ("start", "customer-1", "Your meter is here.", "--server", samtale_server.url, "--tag", "desk")
    said = await run_samtale(*say, "--key", KEY, environment=samtale_server.environment)
    assert (said.status, said.out.startswith("said in cnv_"), said.err) == (0, True, "")
    again = await run_samtale(*say, "--key", KEY, environment=samtale_server.environment)
    assert again.out.split()[2] == said.out.split()[2]
    wrong = await run_samtale(*say, "--key", "guessed", environment=samtale_server.environment)
    assert (wrong.status, "(unauthenticated)" in wrong.err, "guessed" in wrong.err) == (2, True, False)
    nowhere = await run_samtale(*say[:-1], "nowhere", "--key", KEY, environment=samtale_server.environment)
    assert (nowhere.status, "(no_chatflow)" in nowhere.err) == (2, True)
    keyless = await run_samtale(*say, environment=samtale_server.environment)
    assert (keyless.status, "a server key of the app is needed" in keyless.err) == (2, True)
