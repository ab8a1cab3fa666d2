"""The commands as people use them: two terminals that chat, and the tools that say what is and what was."""

import asyncio
from pathlib import Path

import pytest

from tests.kit.commands import Ended, Terminal, run_samtale, run_samtale_for_one_line
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import RunningSamtale, bare_environment, free_port

pytestmark = pytest.mark.xdist_group("cli")


def phone(server: RunningSamtale, name: str, *options: str, in_pty: bool = False) -> Terminal:
    """A visitor's terminal."""
    arguments = ("visitor", "--server", server.url, "--as", name, "--locale", "en", *options)
    return Terminal(*arguments, environment=server.environment, in_pty=in_pty)


def desk(server: RunningSamtale, agent: str, password: str, *options: str, in_pty: bool = False) -> Terminal:
    """An agent's terminal."""
    arguments = ("agent", "--server", server.url, f"{agent}@nordvik.example", "--password", password, *options)
    return Terminal(*arguments, environment=server.environment, in_pty=in_pty)


@pytest.mark.parametrize("in_pty", [False, True], ids=["pipes", "terminals"])
async def test_two_terminals_chat(samtale_server: RunningSamtale, in_pty: bool) -> None:
    """Consent, place, offer, messages, receipts, transfer, close and reopen, as a newcomer sees them."""
    name = f"chat-{in_pty}"
    json = () if in_pty else ("--json",)
    async with phone(samtale_server, name, *json, in_pty=in_pty) as visitor:
        await visitor.shows("/agree: I agree   /decline: Not now")
        visitor.type("too early")
        await visitor.shows("not sent, “too early”: You have to agree before you can write.")
        visitor.type("/agree")
        await visitor.shows("— I agree")
        visitor.type("Where is my card?")
        await visitor.shows("you: Where is my card?")
        await visitor.shows("You are next in line.")
        async with desk(samtale_server, "kari", "kari-kari", *json, in_pty=in_pty) as kari:
            await kari.shows("is offered to you: /accept or /decline")
            await kari.shows("visitor: Where is my card?")
            kari.type("/accept")
            await kari.shows("is yours, and in front")
            await visitor.shows("You are now talking with Kari Nilsen.")
            await visitor.shows("✓ Read")
            kari.type("It is on its way")
            await visitor.shows("Kari Nilsen: It is on its way")
            await kari.shows("✓ read")
            visitor.type("Thanks")
            await kari.shows("visitor: Thanks")
            await visitor.shows("✓ Read")
            async with desk(samtale_server, "ola", "ola-ola-ola", *json, in_pty=in_pty) as ola:
                await ola.shows("connected; colleagues: ")
                kari.type("/transfer nobody")
                await kari.shows("no colleague is called nobody: Ola Berg, Liv Dahl")
                kari.type("/transfer Ola knows cards")
                await ola.shows("Kari Nilsen hands it to you: knows cards")
                await visitor.shows("You are now talking with Ola Berg.")
                ola.type("Ola here")
                await visitor.shows("Ola Berg: Ola here")
                ola.type("/close")
                await visitor.shows("Ola Berg ended the conversation.")
                ola.type("/quit")
                assert await ola.ended() == 0
            visitor.type("One more thing")
            await visitor.shows("The conversation is open again.")
            visitor.type("/close")
            await visitor.shows("You ended the conversation.")
            await kari.shows("closed by visitor; a message opens it again")
            visitor.type("/quit")
            assert await visitor.ended() == 0
            kari.type("/quit")
            assert await kari.ended() == 0


async def test_who_types_is_seen_typing(samtale_server: RunningSamtale) -> None:
    """In a terminal the other side is told from the first key on, both ways."""
    async with phone(samtale_server, "typing", "--tag", "plain", in_pty=True) as visitor:
        await visitor.shows("Hello. Just write.")
        visitor.type("hello")
        await visitor.shows("you: hello")
        async with desk(samtale_server, "kari", "kari-kari", in_pty=True) as kari:
            await kari.shows("is offered to you")
            kari.type("/accept")
            await kari.shows("is yours, and in front")
            kari.type("let me", enter=False)
            await visitor.shows("Kari Nilsen is typing…")
            visitor.type("I wa", enter=False)
            await kari.shows("the visitor is typing …")
            kari.type(" see")
            await visitor.shows("Kari Nilsen: let me see")
            visitor.type("it")
            await kari.shows("visitor: I wait")
            kari.type("/close")
            await visitor.shows("Kari Nilsen ended the conversation.")


async def test_what_a_pipe_said_is_sent_before_it_ends(samtale_server: RunningSamtale) -> None:
    """And the next time the same phone reads the whole conversation."""
    said = "one\ntwo\n/close\n"
    first = await visitor_says(samtale_server, said)
    assert first.status == 0
    again = await visitor_says(samtale_server, "")
    for text in ("you: one", "you: two", "You ended the conversation."):
        assert text in first.out
        assert text in again.out


async def visitor_says(server: RunningSamtale, typed: str) -> Ended:
    arguments = ("visitor", "--server", server.url, "--as", "pipe", "--tag", "plain", "--locale", "en")
    return await run_samtale(*arguments, environment=server.environment, typed=typed)


async def test_one_phone_is_in_one_terminal(samtale_server: RunningSamtale) -> None:
    """A second would use up the first one's numbers; it says how to be somebody else."""
    async with phone(samtale_server, "held") as first:
        await first.shows("/quit leaves")
        options = ("visitor", "--server", samtale_server.url, "--as", "held")
        second = await run_samtale(*options, environment=samtale_server.environment)
    assert second.status == 2
    assert second.err == "samtale: another terminal is this phone; say --as NAME to be another visitor than held\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["visitor", "--app", "app_nobody"], "the credential is wrong: No app has this key. (app_unknown)"),
        (["visitor", "--token", "abc"], "the credential is wrong: "),
        (["visitor", "--as", "../elsewhere"], "--as ../elsewhere: letters, digits, _ . - are allowed"),
        (["agent", "kari@nordvik.example", "--password", "wrong"], "the e-mail or the password is wrong"),
        (["agent", "nobody@nordvik.example", "--password", "wrong"], "the e-mail or the password is wrong"),
    ],
)
async def test_who_is_not_let_in_is_told_in_one_line(
    samtale_server: RunningSamtale, arguments: list[str], why: str
) -> None:
    """Exit status 2, at once: it would not be let in later either."""
    ended = await run_samtale(*arguments, "--server", samtale_server.url, environment=samtale_server.environment)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"samtale: {why}")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("who", [["visitor"], ["agent", "kari@nordvik.example", "--password", "kari-kari"]])
@pytest.mark.parametrize("server", ["http://127.0.0.1:{free}", "nonsense", "http://127.0.0.1:abc"])
async def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path, who: list[str], server: str) -> None:
    """No endless trying: who never got in has nothing to wait for."""
    url = server.format(free=free_port())
    ended = await run_samtale(*who, "--server", url, environment=bare_environment() | {"SAMTALE_DATA": str(tmp_path)})
    why = "cannot be reached: nobody listens there" if "127.0.0.1:" in url and "abc" not in url else "is no address"
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"samtale: {url} {why}")
    assert ended.err.count("\n") == 1


async def test_a_tag_that_nobody_serves_is_said(samtale_server: RunningSamtale) -> None:
    """The line stays: conversations of other chatflows go on."""
    async with phone(samtale_server, "untagged", "--tag", "nobody") as visitor:
        await visitor.shows("nobody serves this tag (no_chatflow)")
        visitor.type("hello?")
        await visitor.shows("not sent, “hello?”")


async def test_replay_and_explain_say_what_was(samtale_server: RunningSamtale) -> None:
    """Each decision with its reasons; the log gives the stored state; an unknown conversation is said."""
    async with (talker := Phone(samtale_server.url)).client, (kari := Desk(samtale_server.url)).client:
        await soon(talker.client.send("explain me"))
        await kari.takes(talker.conversation)
        await soon(kari.client.close(talker.conversation))
    wanted, environment = talker.conversation, samtale_server.environment
    while (replayed := await run_samtale("replay", wanted, environment=environment)).status == 2:
        assert "the record has no conversation" in replayed.err  # the scribe is on its way
    assert replayed.status == 0
    assert "equal" in replayed.out
    assert "\n1 conversation, " in replayed.out
    everything = await run_samtale("replay", environment=environment)
    assert (everything.status, ": 0 differ" in everything.out) == (0, True), everything.out
    async with asyncio.timeout(120):
        while "Kari Nilsen" not in (explained := await run_samtale("explain", wanted, environment=environment)).out:
            assert explained.status == 0  # the scribe is on its way with the rest
    elsewhere = await run_samtale("explain", wanted, environment=environment | {"TZ": "ELSEWHERE-03:17"})
    assert elsewhere.out.split("  ")[0] != explained.out.split("  ")[0]  # the clock is the reader's, as in terminals
    for command in ("replay", "explain"):
        unknown = await run_samtale(command, "cnv_nobody", environment=environment)
        assert (unknown.status, unknown.err) == (2, "samtale: the record has no conversation cnv_nobody\n")


async def test_doctor_finds_nothing_to_mend_in_a_sound_installation(samtale_server: RunningSamtale) -> None:
    """Durability level, every cell and its distance to SQL are named."""
    ended = await run_samtale("doctor", environment=samtale_server.environment)
    assert ended.status == 0, ended.out
    for part in ("durability level process", "cell c07: ready", "1 engine lives", "nothing must be mended"):
        assert part in ended.out


async def test_doctor_is_silent_when_nobody_reads_on(samtale_server: RunningSamtale) -> None:
    """As in `samtale doctor | head -1`: no trace of what was open."""
    assert await run_samtale_for_one_line("doctor", environment=samtale_server.environment) == ""


async def test_doctor_says_what_is_wrong_where_nothing_runs(tmp_path: Path) -> None:
    """Exit status 1, and nothing is made by looking."""
    nowhere = tmp_path / "none"
    ended = await run_samtale("doctor", environment=bare_environment() | {"SAMTALE_DATA": str(nowhere)})
    assert ended.status == 1
    assert f"SQL: there is no installation in {nowhere}" in ended.out
    assert "2 of these must be mended" in ended.out
    assert not nowhere.exists()


@pytest.mark.parametrize("command", ["replay", "explain", "apply", "report"])
async def test_a_tool_says_that_no_installation_is_here(tmp_path: Path, command: str) -> None:
    """A directory that holds a phone's memory is none, and is none afterwards."""
    (tmp_path / "phones").mkdir()
    what = {"replay": [], "explain": ["cnv_nobody"], "apply": [__file__], "report": ["surveys"]}[command]
    ended = await run_samtale(command, *what, environment=bare_environment() | {"SAMTALE_DATA": str(tmp_path)})
    why = f"samtale: there is no installation in {tmp_path}: samtale run begins one\n"
    assert (ended.status, ended.out, ended.err) == (2, "", why)
    assert [file.name for file in tmp_path.iterdir()] == ["phones"]


async def test_apply_lists_mistakes_with_their_lines_and_changes_nothing(
    samtale_server: RunningSamtale, tmp_path: Path
) -> None:
    """Two mistakes in the example: both named; the right one is in effect already."""
    right = Path(__file__).parents[2] / "app/examples/workspace.yaml"
    lines = right.read_text().splitlines(keepends=True)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("".join(lines).replace("inbox: support\n", "inbox: nowhere\n", 1).replace("kid:", "kidd:", 1))
    environment = samtale_server.environment
    refused = await run_samtale("apply", str(wrong), environment=environment)
    assert (refused.status, refused.out) == (2, "")
    assert "mistakes, nothing was changed" in refused.err
    assert "nowhere" in refused.err
    assert "kidd" in refused.err
    unchanged = await run_samtale("apply", str(right), environment=environment)
    assert (unchanged.status, unchanged.out) == (0, "nordvik: version 1, unchanged\nfjord: version 1, unchanged\n")
    checked = await run_samtale("apply", "--check", str(right), environment=environment)
    assert (checked.status, "is valid; nothing was changed" in checked.out) == (0, True)
    missing = await run_samtale("apply", str(tmp_path / "none.yaml"), environment=environment)
    assert (missing.status, "none.yaml" in missing.err) == (2, True)


@pytest.mark.parametrize("group", [[], ["chatflow"], ["contact"]])
async def test_the_list_of_commands_cuts_no_sentence_off(group: list[str]) -> None:
    """At the width of a plain terminal."""
    ended = await run_samtale(*group, "--help", environment=bare_environment() | {"COLUMNS": "80"})
    assert (ended.status, ended.err) == (0, "")
    assert "..." not in ended.out.partition("Commands:")[2]


async def test_settings_lists_every_setting_and_hides_passwords(tmp_path: Path) -> None:
    """A name that is none is pointed out."""
    environment = bare_environment() | {"SAMTALE_REDIS_URL": "redis://:secret@h", "SAMTALE_REDSI_URL": "x"}
    ended = await run_samtale("settings", environment=environment)
    assert ended.status == 0
    assert "SAMTALE_REDIS_URL" in ended.out
    assert "secret" not in ended.out
    assert ended.err == "SAMTALE_REDSI_URL is set, and no setting\n"
