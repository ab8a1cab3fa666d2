"""Versions of chatflows: what makes one, what is kept, what comes back, and what people are told of it."""

from collections.abc import Callable, Iterator
from importlib import resources

import pytest
from msgspec.structs import replace

from admin.workspace import BadWorkspace, Means, apply
from admin.workspace.cautions import cautions
from admin.workspace.changes import changes, flow_changes
from admin.workspace.versions import KEPT, CannotPublish, publish_flows, rolled_back, switched, version_of
from app.explain import explain_device
from protocol.bus.chatflow import LIVE, Chatflow
from protocol.bus.config import AccountConfig, flow_at
from protocol.bus.targeting import Device
from protocol.ids import AccountId, ChatflowId
from store.sql import tables
from store.sql.database import DirectDatabase
from store.sql.queries import accounts

NORDVIK, FLOW = AccountId("nordvik"), ChatflowId("flow")
WORKSPACE = """\
accounts:
  - id: nordvik
    name: Nordvik
    apps: [{ key: app_nordvik, name: App }]
    agents:
      - { id: kari, name: Kari, email: kari@nordvik.example, password: kari-kari }
      - { id: ola, name: Ola, email: ola@nordvik.example, password: ola-ola-ola }
    inboxes:
      - { id: support, name: Support, agents: [kari, ola] }
    rules:
      - { id: turns, inbox: support, name: Turns, agents: [kari, ola] }
    hours:
      - { id: office, name: Office, time_zone: Europe/Oslo, week: { monday: ["08:00-16:00"] } }
    chatflows:
      - id: flow
        name: Flow
        inbox: support
        tags: [support]
        language: nb
        welcome: { nb: Hei }
"""
SECOND = "      - { id: other, name: Other, inbox: support, tags: [other], language: nb }\n"
Apply = Callable[..., AccountConfig]


@pytest.fixture
def database() -> Iterator[DirectDatabase]:
    opened = DirectDatabase("sqlite://")
    opened.run(tables.CONFIG.create_all)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def published(database: DirectDatabase) -> Apply:
    """Applies the workspace with something replaced, and returns the account as stored."""

    def publish(*replaced: tuple[str, str], more: str = "") -> AccountConfig:
        text = WORKSPACE + more
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        apply(text, database, Means(1, lambda count: b"k" * count, lambda: 0))
        found = database.run(lambda sql: accounts.config(sql, NORDVIK))
        assert found is not None
        return found

    return publish


def flow_of(config: AccountConfig) -> Chatflow:
    return next(flow for flow in config.chatflows if flow.id == FLOW)


def welcome(text: str) -> tuple[str, str]:
    return "welcome: { nb: Hei }", f"welcome: {{ nb: {text} }}"


def test_a_new_version_keeps_the_one_before(published: Apply) -> None:
    """Conversations that run on version 1 find it as it was."""
    first = flow_of(published())
    config = published(welcome("Hallo"))
    assert (flow_of(config).version, flow_of(config).welcome) == (2, {"nb": "Hallo"})
    assert flow_at(config, FLOW, 1) == first


def test_the_same_content_is_the_same_version(published: Apply) -> None:
    """Applying it again publishes nothing; going back to earlier words is a version of its own."""
    published()
    assert published().version == 1
    published(welcome("Hallo"))
    config = published()
    assert (flow_of(config).version, [flow.version for flow in config.past]) == (3, [2, 1])


@pytest.mark.parametrize(
    "live",
    ["enabled: false", "priority: 9", "former_tags: [old]", "rollout: { share: 5 }"],
)
def test_what_is_live_at_once_makes_no_version(published: Apply, live: str) -> None:
    """Enabled, priority, tags and rollout take effect without one."""
    published()
    config = published(("language: nb", f"language: nb\n        {live}"))
    assert (flow_of(config).version, config.past, config.version) == (1, [], 2)


def test_everything_else_makes_a_version(published: Apply) -> None:
    """Survey and consent texts included."""
    published()
    texts = "consent: { text: { nb: Vi lagrer. } }\n        survey: { id: s, name: S }"
    assert flow_of(published(("language: nb", f"language: nb\n        {texts}"))).version == 2
    assert set(LIVE) < set(Chatflow.__struct_fields__)


def test_the_newest_fifty_versions_before_the_present_one_are_kept(published: Apply) -> None:
    """No configuration grows without end."""
    config = published()
    for number in range(KEPT + 2):
        new = replace(flow_of(config), welcome={"nb": str(number)})
        newest, past = publish_flows([new], config)
        config = replace(config, chatflows=newest, past=past)
    assert [flow.version for flow in config.past] == list(range(KEPT + 2, 2, -1))


def test_a_chatflow_that_is_left_out_is_archived(published: Apply) -> None:
    """It starts nothing new, its conversations go on, and when it is back its versions count on."""
    published(more=SECOND)
    config = published()
    other = next(flow for flow in config.chatflows if flow.id == "other")
    assert (other.archived, other.enabled, other.version) == (True, False, 1)
    assert published().version == config.version
    back = published(("name: Other", "name: Another"), more=SECOND)
    other = next(flow for flow in back.chatflows if flow.id == "other")
    assert (other.archived, other.enabled, other.version) == (False, True, 2)


def test_rolling_back_publishes_the_old_content_as_the_next_version(published: Apply) -> None:
    """What is live at once stays as it is."""
    published()
    config = published(welcome("Hallo"), ("language: nb", "language: nb\n        priority: 4"))
    back = rolled_back(config, "flow", None)
    flow = flow_of(back)
    assert (flow.version, flow.welcome, flow.priority) == (3, {"nb": "Hei"}, 4)
    assert [before.version for before in back.past] == [2, 1]
    assert flow_of(rolled_back(back, "flow", 2)).welcome == {"nb": "Hallo"}
    assert rolled_back(back, "flow", 1) is back


def test_nothing_is_rolled_back_to_what_is_not_there(published: Apply) -> None:
    """Neither to a version that is not kept, nor to one that names what is gone."""
    published(("language: nb", "language: nb\n        availability: { kind: office_hours, hours: office }"))
    hours = WORKSPACE[WORKSPACE.index("    hours:") : WORKSPACE.index("    chatflows:")]
    config = published((hours, ""))
    with pytest.raises(CannotPublish, match="flow, version 3: there is no hours office any more"):
        rolled_back(config, "flow", None)
    with pytest.raises(CannotPublish, match="flow has no version 7; kept are 2, 1"):
        version_of(config, "flow", 7)
    with pytest.raises(CannotPublish, match="nordvik has no chatflow nix"):
        rolled_back(config, "nix", None)


def test_switching_a_chatflow_makes_no_version_of_it(published: Apply) -> None:
    """It is live at once; what is already so changes nothing."""
    config = published()
    off = switched(config, "flow", on=False)
    assert (flow_of(off).enabled, flow_of(off).version, off.version) == (False, 1, 2)
    assert switched(off, "flow", on=False) is off
    assert flow_of(switched(off, "flow", on=True)).enabled


def test_a_change_is_told_field_by_field(published: Apply) -> None:
    """Old and new, the version it makes, what is added and removed; of secrets only that they changed."""
    before = published()
    after = published(
        welcome("Hallo"),
        ("name: Kari", "name: Kari Nilsen"),
        ("password: kari-kari", "password: kari-kari-kari"),
        ("08:00-16:00", "08:00-17:00"),
        ("      - { id: ola, name: Ola, email: ola@nordvik.example, password: ola-ola-ola }\n", ""),
        ("[kari, ola]", "[kari]"),
        ("    name: Nordvik\n", "    name: Nordvik\n    data_privacy: false\n"),
        more=SECOND,
    )
    assert changes(before, after) == [
        "data_privacy: yes → no",
        "inbox support:",
        "  agents: −ola",
        "agent kari:",
        "  name: “Kari” → “Kari Nilsen”",
        "  password: changed",
        "agent ola: removed",
        "opening hours office:",
        "  week.monday: +08:00-17:00, −08:00-16:00",
        "rule turns:",
        "  agents: −ola",
        "chatflow flow: version 1 → 2",
        "  welcome.nb: “Hei” → “Hallo”",
        "chatflow other: added",
    ]
    assert changes(after, published(welcome("Hallo"), ("name: Kari", "name: Kari Nilsen")))[-1] == (
        "chatflow other: archived; conversations under it go on"
    )


def test_what_is_live_at_once_is_told_as_that(published: Apply) -> None:
    """A change without a version says so."""
    before = flow_of(published())
    after = flow_of(published(("language: nb", "language: nb\n        rollout: { share: 5 }")))
    assert flow_changes(before, after) == ["chatflow flow: live at once", "  rollout.share: 100 → 5"]


@pytest.mark.parametrize(
    ("replaced", "says"),
    [
        (("    name: Nordvik\n", "    name: Nordvik\n    data_privacy: false\n"),
         "chatflow flow: its consent to process is hidden, for data_privacy is off"),
        (("language: nb", "language: nb\n        welcome_always: true\n        consent: { text: { nb: Ja?, en: Yes? } }"),
         "chatflow flow: welcome has no text in en; readers get it in nb"),
        (("language: nb", "language: nb\n        availability: { kind: always, hours: office }"),
         "chatflow flow: its hours do not count, for its availability is always"),
        (("password: kari-kari }", "password: kari-kari, seat: false }"),
         "rule turns: kari has no seat and is passed over"),
    ],
)  # fmt: skip
def test_what_may_not_be_meant_is_pointed_out(published: Apply, replaced: tuple[str, str], says: str) -> None:
    """It is allowed, and said."""
    assert cautions(published()) == []
    assert cautions(published(replaced)) == [says]


def test_a_seat_that_is_taken_away_later_warns_on_each_rule(published: Apply) -> None:
    """A rule may not be given somebody without a seat; who loses it is passed over, and the rule is no mistake."""
    unseated = ("password: kari-kari }", "password: kari-kari, seat: false }")
    with pytest.raises(BadWorkspace, match="seat_required: kari"):
        published(unseated)
    published()
    assert cautions(published(unseated)) == ["rule turns: kari has no seat and is passed over"]
    assert published(unseated).version == 2


def test_the_example_says_nothing_that_is_not_meant(database: DirectDatabase) -> None:
    """No caution about it: it is what people begin with."""
    text = resources.files("app").joinpath("examples/workspace.yaml").read_text(encoding="utf-8")
    done = apply(text, database, Means(1, lambda count: b"k" * count, lambda: 0))
    assert [cautions(one.after) for one in done] == [[], []]


def test_explain_says_what_a_device_gets_and_why_not_the_others(published: Apply) -> None:
    """The chatflow, its version, and a reason for each that was passed over."""
    config = published(
        ("tags: [support]\n", "tags: [support]\n        priority: 2\n"),
        more=SECOND.replace("tags: [other]", "tags: [support], priority: 1, targeting: { platforms: [android] }"),
    )
    device = Device("ios", "1.0", "nb-NO", "dev_1", 0)
    assert explain_device(config, "support", device) == [
        "support: chatflow flow, version 1",
        "  other is passed over (platform): for android; the device is ios",
    ]
    assert explain_device(config, "sales", device) == ["sales: no chatflow"]
