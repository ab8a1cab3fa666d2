"""Who may ask over REST, and what is kept of what they did."""

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.rest import Rest, keyed
from app.demo.scenes.flows import served


async def key_made(cast: Cast) -> str:
    """A key lets in those who show it, to what it is for, until it is revoked."""
    gateway = cast.stage.gateways[0]
    nobody = (await Rest(gateway).ask("GET", "/chatflows")).status
    async with keyed(cast, "the demo") as rest:
        there = await rest.does("GET", "/chatflows")
        cast.narrator.does("Mona", f"makes a key, and reads {len(there['items'])} chatflows with it")
        made = await rest.does("POST", "/keys", {"name": "only reads", "scopes": ["settings.read"], "days": 1})
        narrow = Rest(gateway, made["secret"])
        reads = (await narrow.ask("GET", "/chatflows")).status
        writes = await narrow.ask("POST", "/chatflows/reception/publish")
        cast.narrator.sees("Mona", f"with one that only reads: {reads} to read, {writes.status} to publish")
        await rest.does("DELETE", f"/keys/{made['id']}")
        after = (await narrow.ask("GET", "/chatflows")).status
        listed = str(await rest.does("GET", "/keys"))
        require(made["secret"] not in listed, "a key that was made can be read again")
    statuses = (nobody, reads, writes.status, after)
    require(statuses == (401, 200, 403, 401), f"the answers were {statuses}")
    return "without a key 401; one that only reads: 200 to read, 403 to publish, 401 once revoked; none is shown twice"


async def audited(cast: Cast) -> str:
    """Whoever does something to the account is in its log, which shows whether anybody touched it."""
    async with keyed(cast, "the demo") as rest:
        async with served(rest) as name:
            pass
        entries = (await rest.does("GET", "/audit?limit=200"))["items"]
        about = [entry for entry in entries if entry["target"] == f"chatflows/{name}"]
        state = await rest.does("GET", "/audit/check")
    actions = [entry["action"].removeprefix("chatflow.") for entry in reversed(about)]
    cast.narrator.sees("the log", ", ".join(actions))
    require("published" in actions, f"the log says {actions}")
    actors = {entry["actor"].partition(":")[0] for entry in about}
    require(actors == {"key"}, f"the log says it was {actors}")
    require(not state["broken"], f"entries were changed: {state['broken']}")
    return (
        f"{len(actions)} entries about one chatflow, by the key that did it; {state['entries']} in a chain, none broken"
    )
