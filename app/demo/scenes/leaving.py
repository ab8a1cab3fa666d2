"""Somebody asks what is kept of them, and then to be forgotten."""

import io
import secrets
import zipfile
from typing import Any

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.rest import Rest, keyed
from app.demo.scenes.flows import reader, served
from app.demo.traces import places_with


async def erased(cast: Cast) -> str:
    """The export holds what they said; after the erasure no file, key or row does, and the log still has its order."""
    planted = f"dear-{secrets.token_hex(12)}"
    async with keyed(cast, "the demo") as rest, served(rest) as name, reader(cast, "Aino", name) as phone:
        await phone.agrees()
        await phone.says(f"My diary says {planted}")
        conversation = phone.conversation
        await phone.sees(conversation, samtale.EmailAsked)
        await phone.outcome(phone.client.answer_email(f"{planted}@example.org"), "gives an address")
        await cast.record.stored()
        [contact] = (await rest.does("GET", f"/contacts?email={planted}@example.org"))["items"]
        held = await _exported(rest, contact["id"], planted)
        cast.narrator.sees("Mona", f"the export: {', '.join(held[:3])} and {len(held) - 3} more")
        before = await places_with(cast.stage.settings, planted)
        cast.narrator.does("Mona", f"erases her; what she said is in {len(before)} places")
        asked = await rest.does("POST", f"/contacts/{contact['id']}/erasure")
        done = await rest.until(f"/erasures/{asked['id']}", lambda erasure: erasure["done_at_ms"] is not None)
        took_s = (done["done_at_ms"] - done["asked_at_ms"]) / 1000
        await phone.sees(conversation, samtale.Erased)
        cast.narrator.sees("Aino", "the app forgets the conversation")
        after = await places_with(cast.stage.settings, planted)
    require(len(before) > 2, f"the search is blind: it is only in {before}")
    require(not after, f"it is still in {after}")
    _in_order(phone.log(conversation))
    return (
        f"{len(held)} files exported; in {len(before)} places before, in none {took_s:.1f} s later; the log is in order"
    )


async def _exported(rest: Rest, contact: str, planted: str) -> list[str]:
    """Return the names of the files of a person's export; NotSo if none holds what they said."""
    with zipfile.ZipFile(io.BytesIO(await rest.does("GET", f"/contacts/{contact}/export"))) as archive:
        names = archive.namelist()
        require(any(planted.encode() in archive.read(name) for name in names), "the export does not hold what was said")
    return [name.rpartition("/")[2] for name in names]


def _in_order(log: list[Any]) -> None:
    seqs = [event.seq for event in log]
    require(seqs == sorted(set(seqs)), f"the log was read as {seqs}")
