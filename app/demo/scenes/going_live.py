"""A draft goes live, and is taken back; and two admins who edit one draft."""

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.rest import Rest, keyed
from app.demo.scenes.flows import WELCOME, drafted, edit, served, shown_after
from app.demo.scenes.guests import shown

_NEW_WELCOME = "Hello. We are open until eight today."


async def published(cast: Cast) -> str:
    """A phone that is open sees it, and sees it taken back."""
    async with keyed(cast, "the demo") as rest, drafted(rest) as name, cast.phone("Tom", tag=name) as phone:
        require(phone.client.chatflow is None, "the phone is served a draft")
        cast.narrator.sees("Tom", "no chatflow yet")
        await rest.does("POST", f"/chatflows/{name}/publish")
        enabled = await shown_after(phone, 1, rest.does("PATCH", f"/chatflows/{name}", {"enabled": True}, "*"))
        cast.narrator.says("the app", shown(phone).welcome or "")
        await edit(rest, name, {"welcome": {"en": _NEW_WELCOME}})
        newer = await shown_after(phone, 2, rest.does("POST", f"/chatflows/{name}/publish"))
        cast.narrator.says("the app", shown(phone).welcome or "")
        require(shown(phone).welcome == _NEW_WELCOME, "version 2 has other words")
        undone = await shown_after(phone, 3, rest.does("POST", f"/chatflows/{name}/roll-back"))
        cast.narrator.says("the app", shown(phone).welcome or "")
        require(shown(phone).welcome == WELCOME, "rolled back, it has other words")
    return (
        f"seen at an open phone: enabled after {enabled} ms, published after {newer} ms, taken back after {undone} ms"
    )


async def two_admins(cast: Cast) -> str:
    """Both read, both write: the second is shown the difference, and nothing of the first one's work is lost."""
    mona, per = Rest(cast.stage.gateways[0]), Rest(cast.stage.gateways[0])
    await mona.log_in("mona@office.samtale.example", "mona-in-the-demo")
    await per.log_in("per@office.samtale.example", "per-in-the-demo")
    async with served(mona) as name:
        flow, draft = f"/chatflows/{name}", f"/chatflows/{name}/draft"
        read = (await mona.ask("GET", flow)).etag
        cast.narrator.does("Mona", f"edits the welcome: “{_NEW_WELCOME}”")
        await mona.does("PATCH", draft, {"welcome": {"en": _NEW_WELCOME}}, read)
        cast.narrator.does("Per", "edits what he read before that")
        late = await per.ask("PATCH", draft, {"welcome": {"en": "Hi!"}, "close_button": False}, read)
        require(late.status == 412, f"the second write was answered {late.status}")
        told = [each["pointer"] for each in late.body["difference"]]
        cast.narrator.sees("Per", f"{late.status}: {', '.join(told)}")
        now = await per.ask("GET", flow)
        await per.does("PATCH", draft, {"close_button": False}, now.etag)
        both = (await mona.does("GET", flow))["draft"]
    require((both["welcome"], both["close_button"]) == ({"en": _NEW_WELCOME}, False), f"the draft is {both}")
    return (
        f"412 for the second, with {', '.join(sorted(told))} as they are and as he wanted them; then both edits stood"
    )
