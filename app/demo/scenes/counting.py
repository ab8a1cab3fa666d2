"""What reports say of what just happened: three visitors, counted where they came to."""

import samtale

from app.demo.cast import Cast
from app.demo.facts import require
from app.demo.rest import Rest, keyed
from app.demo.scenes.flows import reader, served


async def report(cast: Cast) -> str:
    """Two agree and write, one of whom is answered; one says no: steps, consents and conversations say so."""
    async with keyed(cast, "the demo") as rest, served(rest) as name:
        async with (
            reader(cast, "Tom", name) as tom,
            reader(cast, "Aino", name) as aino,
            reader(cast, "Leo", name) as leo,
        ):
            cast.narrator.does("Leo", "does not agree, and leaves")
            await leo.outcome(leo.client.answer_consent(False), "does not agree")
            for phone, words in ((tom, "Do you have a printer?"), (aino, "Are you open on Sunday?")):
                await phone.agrees()
                await phone.says(words)
            ida = cast.desk("Ida")
            await ida.gets(tom.conversation)
            await ida.says(tom.conversation, "On the second floor.")
            await tom.hears(tom.conversation, "On the second floor.")
            await ida.closes(tom.conversation)
            await tom.sees(tom.conversation, samtale.Closed)
        await cast.record.stored()
        found = await _counted(rest, name)
        content = await rest.does("GET", f"/reports/steps.csv?chatflow={name}")
    for report, row in found.items():
        cast.narrator.sees(report, ", ".join(f"{value} {column}" for column, value in row.items()))
    require(found["conversations"] == {"conversations": 2, "replied": 1, "closed": 1}, f"counted: {found}")
    require(found["consent_rates"] == {"asked": 3, "granted": 2, "declined": 1}, f"counted: {found}")
    require(found["first_response"] == {"asked": 2, "replied": 1, "reply_rate": 0.5}, f"counted: {found}")
    require(b"process" in content, "the same as CSV has other rows")
    return "asked 3, granted 2, declined 1; conversations 2, replied 1, closed 1; reply rate 0.5; as JSON and as CSV"


async def _counted(rest: Rest, chatflow: str) -> dict[str, dict[str, float]]:
    """Return, of each report, the columns that the scene is about."""
    columns = {
        "conversations": ("conversations", "replied", "closed"),
        "first_response": ("asked", "replied", "reply_rate"),
        "consent_rates": ("asked", "granted", "declined"),
    }
    found: dict[str, dict[str, float]] = {}
    for report, wanted in columns.items():
        rows = (await rest.does("GET", f"/reports/{report}?chatflow={chatflow}"))["rows"]
        row: dict[str, float] = next((row for row in rows if row.get("purpose", "process") == "process"), {})
        found[report] = {column: row.get(column, 0) for column in wanted}
    return found
