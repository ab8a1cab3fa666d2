"""An installation on one cluster-enabled Valkey with four cells: the whole story, for accounts in different cells."""

import asyncio
from pathlib import Path

import pytest
import samtale

from store.redis.server import EmbeddedValkey
from tests.kit.commands import run_samtale
from tests.kit.persons import Desk, Phone, soon
from tests.kit.samtale_servers import Installation

ACCOUNT = """
  - id: {name}
    name: {name}
    apps: [{{key: app_{name}, name: App}}]
    agents:
      - {{id: ann, name: Ann, email: ann@{name}.example, password: ann-ann-ann}}
      - {{id: bo, name: Bo, email: bo@{name}.example, password: bo-bo-bo-bo}}
    inboxes: [{{id: support, name: Support, agents: [ann, bo]}}]
    rules: [{{id: all, inbox: support, name: All, agents: [ann, bo], offer_timeout_s: 30}}]
    chatflows:
      - id: help
        name: Help
        inbox: support
        tags: [help]
        language: en
        welcome: {{en: Welcome}}
        consent: {{mode: explicit, text: {{en: Do you agree?}}}}
"""
ACCOUNTS = ["north", "south", "west"]


async def test_accounts_in_different_cells_live_their_story(tmp_path: Path, valkey_cluster: EmbeddedValkey) -> None:
    """Consent, send, offer, accept, reply, transfer, close, reopen; each log replays equal, and doctor is content."""
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("accounts:" + "".join(ACCOUNT.format(name=name) for name in ACCOUNTS))
    installation = Installation(tmp_path / "data", "--empty", redis_url=valkey_cluster.url, cells="4")
    async with installation as running:
        environment = installation.environment | {"SAMTALE_DATA": str(running.data)}
        applied = await run_samtale("apply", str(workspace), environment=environment)
        assert (applied.status, "in effect now" in applied.out) == (0, True), applied.err
        epochs = await asyncio.gather(*(story(running.url, name) for name in ACCOUNTS))
        assert [len(epoch) for epoch in epochs] == [1, 1, 1]
        doctor = await run_samtale("doctor", environment=environment)
        assert (doctor.status, "nothing must be mended" in doctor.out) == (0, True), doctor.out
        assert len({line for line in doctor.out.splitlines() if "cell c" in line and "commit 0," not in line}) == 3
    replayed = await run_samtale("replay", environment=environment)
    assert (replayed.status, ": 0 differ" in replayed.out) == (0, True), replayed.out


async def story(url: str, account: str) -> set[str]:
    """Play it in one account; return the epochs of its events."""
    phone = Phone(url, tag="help", app_key=f"app_{account}")
    ann, bo = Desk(url, f"ann@{account}.example", "ann-ann-ann"), Desk(url, f"bo@{account}.example", "bo-bo-bo-bo")
    async with phone.client, ann.client:
        await ann.told(samtale.Connected)
        await phone.told(samtale.Connected)
        with pytest.raises(samtale.RefusedError, match="consent_required"):
            await soon(phone.client.send("too early"))
        await soon(phone.client.answer_consent(True))
        await soon(phone.client.send("hello"))
        offered = await ann.until(lambda event: getattr(event, "what", "") == "offered")
        await soon(ann.client.accept(offered.key.removeprefix("offer:")))
        conversation = phone.conversation
        await phone.reads(conversation, samtale.Assigned)
        await soon(ann.client.send(conversation, "hello back"))
        await phone.hears("hello back")
        async with bo.client:
            await bo.told(samtale.Connected)
            await soon(ann.client.transfer(conversation, "bo", "yours"))
            await bo.reads(conversation, samtale.Transferred)
            await soon(bo.client.send(conversation, "now me"))
            await phone.hears("now me")
            closed = await soon(bo.client.close(conversation))
            await soon(phone.client.send("once more"))
            await phone.reads(conversation, samtale.Reopened, closed.seq)
            await phone.hears("once more")
    log = phone.log(conversation)
    assert phone.texts(conversation) == ["hello", "hello back", "now me", "once more"]
    return {entry.id.split(".")[0] for entry in log}
