"""Who comes with a preview token: where it leads, whatever app and tag they name (SPEC 3.1).

Invariant: a token leads into the hidden account of whoever made it, and nowhere else; one that has ended, or never was,
leads nowhere, and nothing tells the two apart.
"""

from functools import partial

from msgspec.structs import replace

from gateway.doors import Turned
from gateway.services import Services
from protocol.bus.config import AccountConfig
from protocol.ids import preview_of, secret_hash
from protocol.wire import client
from protocol.wire.codes import Code
from store.redis.connection import Away
from store.sql.queries import accounts, previews
from store.sql.queries.previews import Preview

PATIENCE_S = 3.0  # for what was just begun to reach its cell; a hello must be answered within 5 s


async def preview_at(services: Services, token: str) -> tuple[Preview, AccountConfig] | None:
    """Return the preview of that token and the hidden account that it is shown in, or None. Raises Away, StoreAway."""
    outside = services.outside
    find = partial(previews.of_token, hashed=secret_hash(token), now_ms=outside.now_ms())
    preview = await outside.config.read(find)
    if preview is None:
        return None
    stored = await outside.config.read(partial(accounts.config, account=preview_of(preview.account)))
    if stored is None:
        raise Away("a preview has no account")
    return preview, await services.configs.arrived(stored, PATIENCE_S)


async def previewed(services: Services, hello: client.Hello) -> tuple[client.Hello, int]:
    """Return the hello with the app and the tag that its preview token stands for, and until when it does.

    Raises Turned, Away and StoreAway.
    """
    found = await preview_at(services, hello.preview)
    if found is None:
        raise Turned(Code.TOKEN_INVALID)
    preview, config = found
    return replace(hello, app_key=config.apps[0].key, tag=preview.id), preview.ends_at_ms
