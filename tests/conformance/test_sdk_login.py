"""The Python SDK against a running help desk: a user logs in where they talked, is known elsewhere, and logs out."""

import asyncio
import secrets
import time
from typing import Any

import samtale

from tests.conformance.test_sdk import says, until
from tests.conformance.test_sdk_whole import PATIENCE_S, desk, phone, pytestmark
from tests.kit.signing import claims, sign

__all__ = ["pytestmark"]


def token_of(app_key: str) -> samtale.phone.TokenHook:
    """Return a hook that gives tokens of somebody new."""
    subject = f"customer-{secrets.token_hex(4)}"

    async def token() -> str:
        now_s = int(time.time())
        about = {"sub": subject, "aud": app_key, "iat": now_s, "exp": now_s + 600}
        return sign(claims(**about), key="demo-only-secret-of-fjord-for-production", kid="fjord-1")

    return token


async def connected(client: samtale.VisitorClient) -> Any:
    """Wait for the next `Connected`."""
    return await until(client, lambda event: isinstance(event, samtale.Connected))


async def test_a_user_logs_in_where_they_talked(server_url: str, known: dict[str, str]) -> None:
    """The thread goes on under their name, the agent sees who it is, another phone of theirs reads all of it in order, and
    the next person on the phone nothing."""
    app_key = known["desk_app_key"]
    token, here = token_of(app_key), phone(server_url, app_key, "desk")
    there = samtale.VisitorClient(server_url, app_key=app_key, tag="desk", token=token)
    async with asyncio.timeout(2 * PATIENCE_S), desk(server_url, known) as agent:
        async with here:
            nobody = (await connected(here)).who
            await here.send("Hei")
            chat = here.conversation
            await agent.claim(chat)
            await agent.send(chat, "What is your customer number?")
            await until(here, says("What is your customer number?"))
            here.log_in(token)
            said = here.send("I have logged in")
            user = await connected(here)
            assert user.who != nobody
            assert ((await said).conversation, here.conversation) == (chat, chat)
            seen = await until(agent, lambda event: isinstance(event, samtale.Context) and event.visitor == user.who)
            assert (seen.conversation, seen.identified) == (chat, True)
            await agent.send(chat, "Then I see it.")
            await until(here, says("Then I see it."))
            async with there:
                assert (await connected(there)).who == user.who
                texts = ["Hei", "What is your customer number?", "I have logged in", "Then I see it."]
                assert [(await until(there, says(text))).conversation for text in texts] == [chat] * len(texts)
            here.log_out()
            await until(here, lambda event: isinstance(event, samtale.Forgotten))
        async with here:
            next_one = await connected(here)
            assert next_one.who not in (nobody, user.who)
            assert next_one.conversation != chat
            assert not here.reader.positions.keys() & {chat}
        await agent.close(chat)
