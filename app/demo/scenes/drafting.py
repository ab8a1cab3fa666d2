"""A chatflow before anybody gets it: what keeps it from being published, and how it would look."""

import secrets

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.rest import Rest, keyed
from app.demo.scenes.flows import TEXT, WELCOME, drafted, edit


async def checked(cast: Cast) -> str:
    """Each mistake is told at its field: of its form when it is written, of what it leads to before it is published."""
    async with keyed(cast, "the demo") as rest, drafted(rest) as name:
        draft = f"/chatflows/{name}/draft"
        wrong = await rest.ask("PATCH", draft, {"display": {"accent": "green"}}, "*")
        cast.narrator.sees("Mona", f"{wrong.status}: {_told(wrong.body['errors'])}")
        await edit(rest, name, {"survey": "by_mail", "welcome": {"nb": "Hei"}})
        found = await rest.does("POST", f"/chatflows/{name}/check")
        cast.narrator.sees("Mona", _told(found["errors"]))
        refused = (await rest.ask("POST", f"/chatflows/{name}/publish")).status
        await edit(rest, name, {"survey": None, "welcome": {"en": WELCOME}})
        mended = await rest.does("POST", f"/chatflows/{name}/check")
    at = [error["pointer"] for error in [*wrong.body["errors"], *found["errors"]]]
    require({"/display/accent", "/survey"} <= set(at), f"mistakes were told at {at}")
    require((wrong.status, found["valid"], refused, mended["valid"]) == (422, False, 422, True), "what is wrong passed")
    return f"{len(at)} mistakes, told at {', '.join(at)}; publishing was refused until they were mended"


def _told(errors: list[dict[str, str]]) -> str:
    return "; ".join(f"{error['pointer']} {error['detail']}" for error in errors)


async def previewed(cast: Cast) -> str:
    """Whoever has the token goes through the draft; the account has nothing of it, and no phone of its sees it."""
    planted = f"tried-{secrets.token_hex(12)}"
    async with keyed(cast, "the demo") as rest, drafted(rest) as name, cast.phone("Tom", tag=name) as onlooker:
        begun = await rest.does("POST", f"/chatflows/{name}/preview")
        cast.narrator.does("Mona", f"puts the token {begun['token'][:9]}… into a phone of her own")
        async with cast.trying(begun["token"]) as phone:
            flow = await cast.pulse.until("the preview is shown", lambda: phone.client.chatflow)
            cast.narrator.says("the app", flow.welcome or "")
            require((flow.welcome, flow.consent and flow.consent.text) == (WELCOME, TEXT), f"shown is {flow}")
            await phone.agrees()
            await phone.says(f"Just trying: {planted}")
            await phone.sees(phone.conversation, samtale.EmailAsked)
            await phone.outcome(phone.client.answer_email(f"{planted}@example.org"), "gives an address")
        await cast.record.stored()
        traces = await _traces(rest, name, planted)
        require(onlooker.client.chatflow is None, "a phone of the account is served the draft")
        await rest.does("DELETE", f"/previews/{begun['id']}")
    require(not traces, f"it is in {traces}")
    return (
        "gone through with consent, a word and an address; no contact, consent or figure of the account has any of it"
    )


async def _traces(rest: Rest, chatflow: str, planted: str) -> list[str]:
    """Return what of the account tells of a preview."""
    asked = ("/consents/export.csv", f"/contacts?email={planted}@example.org", f"/consents?chatflow={chatflow}")
    found = {path: str(await rest.does("GET", path)) for path in asked}
    rows = (await rest.does("GET", f"/reports/steps?chatflow={chatflow}"))["rows"]
    lists = [path for path, text in found.items() if planted in text or "'id'" in text]
    return [*lists, *(["/reports/steps"] if rows else [])]
