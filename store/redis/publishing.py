"""An account's configuration as Redis knows it: its bytes in its cell, and the names that lead to it.

Invariant: bytes are only ever replaced by those of a higher version, whoever brings them and in whatever order.
"""

from protocol.bus.commands import COMMAND_ENCODER, PublishConfig
from protocol.bus.config import CONFIG_ENCODER, AccountConfig
from store.redis import scripts
from store.redis.connection import Connection
from store.redis.keys import APPS, LOGINS


async def publish(line: Connection, config: AccountConfig) -> bool:
    """Bring `config` into its cell and tell the cell's owner; False if this version or a later one is there already."""
    pack = COMMAND_ENCODER.encode([PublishConfig(config.account, config.version)])
    version = scripts.ConfigVersion(config.account, config.version, CONFIG_ENCODER.encode(config), pack)
    return await scripts.publish_config(line, config.cell, version)


async def name(line: Connection, config: AccountConfig) -> None:
    """Let gateways find the account by its app keys and its agents' logins. `line`: to the keys of no cell."""
    where = f"{config.cell} {config.account}"
    apps = [part for app in config.apps for part in (app.key, where)]
    if apps:
        await line.call("HSET", APPS, *apps)
    logins = [part for agent in config.agents for part in (agent.email.lower(), f"{where} {agent.id}")]
    if logins:
        await line.call("HSET", LOGINS, *logins)
