"""For how many days an account keeps closed conversations.

Invariant: it is changed over what was seen, or knowingly over whatever there is: what is erased does not come back.
"""

from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct

from admin.http.operations import Call, Operation
from admin.http.replies import Reply, shown
from admin.office import Office
from admin.people.desk import plain
from store.sql.queries import audit_log, erasures
from store.sql.queries.audit_log import Deed


class Retention(Struct, forbid_unknown_fields=True):
    """After how many days a conversation that stays closed is erased; null: it is kept."""

    days: Annotated[int, Meta(ge=1, le=36_500)] | None


def operations(office: Office) -> list[Operation]:
    """Return what can be asked about retention."""

    async def retention(call: Call) -> Reply:
        days = await office.config.read(partial(erasures.days_kept, account=call.caller.account))
        return shown(plain(Retention(days)))

    async def retain(call: Call) -> Reply:
        account, days = call.caller.account, call.body.days
        line = f"days: {'for ever' if days is None else days}"
        deed = Deed(office.now_ms(), call.caller.actor, "retention.set", "retention", (line,))

        def write(sql: Any) -> Reply:
            audit_log.add(sql, account, deed)
            call.guard(plain(Retention(erasures.days_kept(sql, account))))
            erasures.keep_days(sql, account, days)
            return shown(plain(Retention(days)))

        return await office.config.transact(write)

    return [
        Operation("GET", "/retention", "get_retention", "Say how long closed conversations are kept", retention,
                  "settings.read", answer=Retention, tag="account"),
        Operation("PUT", "/retention", "set_retention", "Set how long closed conversations are kept", retain,
                  "settings.edit", Retention, Retention, problems=(412, 428), guarded=True, tag="account"),
    ]  # fmt: skip
