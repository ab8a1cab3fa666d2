"""An account's configuration as Redis knows it: its bytes in its cell, and the names that lead to it.

Invariant: bytes are only ever replaced by those of a higher version, whoever brings them and in whatever order.
"""

from protocol.bus.commands import COMMAND_ENCODER, PublishConfig
from protocol.bus.config import CONFIG_ENCODER, AccountConfig
from store.redis import scripts
from store.redis.connection import Connection
from store.redis.keys import APPS, LOGINS, SERVERS


async def publish(line: Connection, config: AccountConfig) -> bool:
    """Bring `config` into its cell and tell the cell's owner; False if this version or a later one is there already."""
    pack = COMMAND_ENCODER.encode([PublishConfig(config.account, config.version)])
    version = scripts.ConfigVersion(config.account, config.version, CONFIG_ENCODER.encode(config), pack)
    return await scripts.publish_config(line, config.cell, version)


async def name(line: Connection, config: AccountConfig) -> None:
    """Let gateways find the account by the keys of its apps and servers, and its logins. `line`: to no cell's keys."""
    where = f"{config.cell} {config.account}"
    apps = [part for app in config.apps for part in (app.key, where)]
    if apps:
        await line.call("HSET", APPS, *apps)
    servers = [part for app in config.apps for key in app.server_keys for part in (key, where)]
    if servers:
        await line.call("HSET", SERVERS, *servers)
    logins = [part for agent in config.agents for part in (agent.email.lower(), f"{where} {agent.id}")]
    if logins:
        await line.call("HSET", LOGINS, *logins)
