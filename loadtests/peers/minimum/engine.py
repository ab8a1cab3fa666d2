"""The minimum's engine: reads many, looks up where each agent is, appends one pack per gateway. No step, no state kept.

Invariant: a conversation's messages leave in the order in which they came.
"""

from collections import defaultdict

from loadtests.peers.minimum.bus import (
    INBOX,
    JOIN,
    MAX_ENTRIES,
    PACK,
    Tail,
    connect,
    decode_join,
    decode_pack,
    encode,
    outbox,
)


async def run(url: str) -> None:
    """Carry messages from the inbox to the gateways until cancelled."""
    tail, line = Tail(await connect(url), INBOX), await connect(url)
    gateways: dict[str, str] = {}
    print("carrying", flush=True)
    while True:
        packs: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for field, value in await tail.more():
            if field == JOIN:
                conversation, gateway = decode_join(value)
                gateways[conversation] = gateway
            else:
                for message in decode_pack(value):
                    packs[gateways[message[0]]].append(message)
        for gateway, pack in packs.items():
            line.send("XADD", outbox(gateway), "MAXLEN", "~", MAX_ENTRIES, "*", PACK, encode(pack))
