"""What an idle mobile session costs: memory of every process with many phones connected, against none.

Invariant: a session counts once it was admitted and has caught up, as a phone's does that shows the chat and says
nothing.
"""

import asyncio

from loadtests.bench.account import APP, TAG
from loadtests.bench.figures import Result
from loadtests.bench.house import House, house
from loadtests.chaos.installation import Size
from loadtests.lean.people import Phone
from loadtests.load import processes
from loadtests.load.processes import ROLES

WARM_UP = 100  # come and go before anything is measured
AT_ONCE = 50
TARGET_KIB = 24


async def measure(name: str, command: str, sessions: int) -> Result:
    """Admit `sessions` phones and tell what they cost."""
    result = Result(name, command, f"{sessions:,} mobile sessions admitted and idle, 1 gateway, 1 engine, 1 worker")
    async with house(Size(1, 1, 1), agents=1) as found:
        for phone in await _admitted(found, range(WARM_UP)):
            phone.leave()
        await found.until_stored()
        before, data = processes.by_role(found.installation), await found.valkey_bytes()
        phones = await _admitted(found, range(WARM_UP, WARM_UP + sessions))
        await found.until_stored()
        used = processes.since(before, processes.by_role(found.installation))
        data = await found.valkey_bytes() - data
        for role in ROLES:
            note = f"by its own account {data / sessions / 1024:.1f}" if role == "valkey" else ""
            result.add(f"{role}, per session", used[role].rss_bytes / sessions / 1024, "KiB", note)
        total = sum(each.rss_bytes for each in used.values())
        result.add("all processes, per session", total / sessions / 1024, "KiB", f"target {TARGET_KIB}")
        refused = [why for phone in phones for why in (*phone.refusals.elements(), *phone.troubles)]
        result.add("sessions refused or lost", len(refused), "", ", ".join(sorted(set(refused))))
        for phone in phones:
            phone.leave()
    return result


async def _admitted(found: House, numbers: range) -> list[Phone]:
    phones = [Phone(APP, TAG, f"bench-device-key-{number:08d}") for number in numbers]
    some = asyncio.Semaphore(AT_ONCE)

    async def come(phone: Phone) -> None:
        async with some:
            await phone.begin(found.installation.gateway_urls[0])

    await asyncio.gather(*map(come, phones))
    return phones
