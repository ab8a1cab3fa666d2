"""The stories that the demo tells, chapter by chapter.

Invariant: no two facts have one name, whichever story they are of.
"""

from app.demo.playbill import Chapter, Story
from app.demo.scenes import (
    addresses,
    answering,
    asking,
    consenting,
    counting,
    drafting,
    following,
    going_live,
    handing,
    leaving,
    lines,
    masks,
    opening,
    publishing,
    record,
    removing,
    repeating,
    sending,
    serving,
    staffing,
    supervising,
    waiting,
)
from app.demo.setting import Setting
from app.demo.tongue import ENGLISH, NORWEGIAN
from protocol.ids import AccountId

FIRST = Story(
    "first",
    "Samtale demo",
    ENGLISH,
    Setting(
        AccountId("samtale_demo"), "app_samtale_demo", "counter.yaml", tag="counter", locale="en",
        agents={"Ingrid": "ingrid@demo.samtale.example", "Jonas": "jonas@demo.samtale.example"},
    ),
    (
        Chapter("priority", "Two chatflows have one tag: the higher priority serves", opening.priority),
        Chapter("consent_first", "Nothing said before consent is kept anywhere", opening.consent),
        Chapter("capacity_and_queue", "Two agents have one conversation each; the third waits", waiting.capacity),
        Chapter("offer_expires", "An offer that nobody answers goes on", waiting.expiry),
        Chapter("passing_by", "Typing, receipts and presence pass by", lines.passing),
        Chapter("line_cut", "The line is cut in mid-send", lines.cut),
        Chapter("same_send_same_seq", "The same send, repeated, is one message", repeating.repeat),
        Chapter("transfer", "A colleague takes over", handing.transfer),
        Chapter("close_and_reopen", "Closed, and opened again", handing.reopening),
        Chapter("replay_equal", "Every log, played again, gives the stored state", record.replay),
    ),
)  # fmt: skip
SECOND = Story(
    "second",
    "Samtale på kundesenteret",
    NORWEGIAN,
    Setting(
        AccountId("samtale_demo_desk"), "app_samtale_demo_desk", "desk.yaml", tag="sykkel", locale="nb-NO",
        agents={
            "Ingrid": "ingrid.lie@desk.samtale.example",
            "Jonas": "jonas.berg@desk.samtale.example",
            "Amira": "amira.haddad@desk.samtale.example",
            "Kari": "kari.moen@desk.samtale.example",
        },
    ),
    (
        Chapter("shared_tag", "To samtaleflyter har samme merkelapp: den øverste gjelder", serving.shared_tag),
        Chapter("language", "Telefonen spør på norsk og får svar på norsk", serving.language),
        Chapter("welcome", "Velkomsten er det første som står i loggen", serving.welcome),
        Chapter("seat_required", "Uten plass, ingen plass i turen", staffing.seat_required),
        Chapter("turns", "To medarbeidere og et lag, etter tur", staffing.turns),
        Chapter("explicit_consent", "Ikke et ord før ja", consenting.explicit),
        Chapter("communicate", "Boksen på kortet", consenting.communicate),
        Chapter("email_after_delay", "Adressen, etter en liten stund", addresses.after_delay),
        Chapter("marketing_contacts", "Ny kontakt, gammel kontakt", addresses.marketing),
        Chapter("analytics", "Hvilken telefon det er, er ditt eget valg", consenting.analytics),
        Chapter("transfer_to_team", "Verkstedet tar over", staffing.to_team),
        Chapter("close_button", "Krysset lukker ingenting", masks.close_button),
        Chapter("among_colleagues", "Det som blir mellom kolleger", masks.among_colleagues),
        Chapter("quick_replies", "Et trykk er et svar", answering.quick_replies),
        Chapter("canned", "Et fast svar, fylt ut", answering.canned),
        Chapter("ticket", "Hver samtale er en sak", following.ticket),
        Chapter("survey", "Hvordan gikk det?", following.survey),
        Chapter("supervisor", "Den som ser til", supervising.supervisor),
        Chapter("snooze_and_wake", "Et øyeblikks hvile", supervising.snooze),
        Chapter("redaction", "Sladdet", removing.redaction),
        Chapter("versions", "Ny versjon midt i en samtale", publishing.versions),
        Chapter("block", "Solbrilleselgeren", removing.block),
        Chapter("alias", "Bak merket", masks.alias),
        Chapter("withdrawal", "Et samtykke kan trekkes", consenting.withdrawal),
        Chapter("desk_replay_equal", "Hver logg, spilt om igjen", record.desk_replay),
    ),
)  # fmt: skip
THIRD = Story(
    "third",
    "Samtale over REST",
    ENGLISH,
    Setting(
        AccountId("samtale_demo_office"), "app_samtale_demo_office", "office.yaml", tag="reception", locale="en",
        agents={"Ida": "ida@office.samtale.example"},
    ),
    (
        Chapter("key_made", "A key opens what it is for", asking.key_made),
        Chapter("draft_checked", "A draft with mistakes in it", drafting.checked),
        Chapter("previewed", "Tried out before anybody sees it", drafting.previewed),
        Chapter("published_live", "Published, seen, and taken back", going_live.published),
        Chapter("two_admins", "Two admins, one chatflow", going_live.two_admins),
        Chapter("attachment", "A picture, and what was behind it", sending.attachment),
        Chapter("report_read", "Three visitors, counted", counting.report),
        Chapter("exported_and_erased", "Everything about Aino, and then nothing", leaving.erased),
        Chapter("audited", "Who did it", asking.audited),
        Chapter("office_replay_equal", "Every log, played again", record.replay),
    ),
)  # fmt: skip
STORIES = (FIRST, SECOND, THIRD)
