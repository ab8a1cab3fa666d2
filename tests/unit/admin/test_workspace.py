"""Workspace files: what is refused and where, what becomes of the rest."""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from admin.workspace import BadWorkspace, Means, apply, read
from admin.workspace.shape import Account
from protocol.bus import chatflow, staff
from protocol.bus.config import (
    AccountConfig,
    Agent,
    App,
    Canned,
    Chatflow,
    Consent,
    IdentityKey,
    Inbox,
    Rule,
    Subscription,
)  # fmt: skip
from protocol.bus.hours import Holiday, Hours
from protocol.bus.targeting import Device, serve
from protocol.ids import AccountId
from store.sql import tables
from store.sql.database import DirectDatabase
from store.sql.queries import accounts, jobs

NOW_MS = 1_700_000_000_000
NORDVIK = AccountId("nordvik")
EXAMPLE = resources.files("app").joinpath("examples/workspace.yaml").read_text(encoding="utf-8")

SMALL = """\
accounts:
  - id: nordvik
    name: Nordvik
    apps:
      - key: app_nordvik
        name: App
    agents:
      - id: kari
        name: Kari
        email: kari@nordvik.example
        password: kari-kari
    inboxes:
      - id: support
        name: Support
        agents: [kari]
    chatflows:
      - id: flow
        name: Flow
        inbox: support
        tags: [support]
        language: nb
"""

TEN_MISTAKES = """\
accounts:
  - id: nord vik
    name: Nordvik
    apps:
      - key: app_nordvik
        name: App
        colour: blue
        identity_keys:
          - {kid: k1, algorithm: HS256, material: short}
    agents:
      - id: kari
        name: Kari
        email: kari.nordvik.example
        password: "1234567"
        capacity: five
      - id: ola
        name: Ola
        email: ola@nordvik.example
        password: ola-ola-ola
        seat: no
    inboxes:
      - id: support
        name: Support
        agents: [kari, olav]
    rules:
      - id: first_line
        inbox: support
        name: First line
        agents: [kari]
    chatflows:
      - id: one
        name: One
        inbox: support
        tags: [support]
        priority: 1
        language: nb
      - id: two
        name: Two
        inbox: sales
        tags: [support]
        priority: 1
        language: nb
"""


@pytest.fixture
def config() -> Iterator[DirectDatabase]:
    database = DirectDatabase("sqlite://")
    database.run(tables.CONFIG.create_all)
    yield database
    database.engine.dispose()


def means(first: int = 0) -> Means:
    """Chance that repeats itself from `first` on."""
    numbers = iter(range(first, first + 1_000))
    return Means(4, lambda count: bytes([next(numbers) % 256]) * count, lambda: NOW_MS)


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadWorkspace) as refused:
        read(text)
    return [(mistake.line, mistake.path) for mistake in refused.value.mistakes]


def reason(text: str) -> str:
    with pytest.raises(BadWorkspace) as refused:
        read(text)
    [mistake] = refused.value.mistakes
    return str(mistake)


def present(config: DirectDatabase, account: AccountId = NORDVIK) -> AccountConfig:
    found = config.run(lambda sql: accounts.config(sql, account))
    assert found is not None
    return found


def test_ten_mistakes_are_ten_errors_at_their_lines() -> None:
    """Every mistake is named once, where it is, and no other follows from it."""
    assert mistakes(TEN_MISTAKES) == [
        (2, "accounts[1].id"),
        (7, "accounts[1].apps[1].colour"),
        (9, "accounts[1].apps[1].identity_keys[1].material"),
        (13, "accounts[1].agents[1].email"),
        (14, "accounts[1].agents[1].password"),
        (15, "accounts[1].agents[1].capacity"),
        (20, "accounts[1].agents[2].seat"),
        (24, "accounts[1].inboxes[1].agents[2]"),
        (39, "accounts[1].chatflows[2].inbox"),
        (41, "accounts[1].chatflows[2].priority"),
    ]


def test_a_refused_file_changes_nothing(config: DirectDatabase) -> None:
    """All or nothing: accounts that were right are not applied either."""
    other = SMALL.removeprefix("accounts:\n").replace("nordvik", "fjord")
    with pytest.raises(BadWorkspace):
        apply(SMALL.replace("language: nb", "language: norsk") + other, config, means())
    assert config.run(accounts.count) == 0


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("    name: Nordvik\n", "", "line 2: accounts[1]: name is missing"),
        ("name: Nordvik", "name: 12", "must be text (put it in quotes), not a number"),
        ("name: Nordvik", "name: [a]", "must be text, not a list"),
        ("name: Nordvik", "name:", "must be text, not empty"),
        ("name: Nordvik", "name: N\n    name: M", "line 4: accounts[1].name: is here for the second time"),
        ("tags: [support]", "tags: []", "needs at least 1"),
        ("tags: [support]", "tags: [a, a]", "a is here for the second time"),
        ("tags: [support]", "tags: support", "must be a list, not text"),
        ("tags: [support]", f"tags: [{'x' * 65}]", "has 65 characters; 1 to 64 are allowed"),
        ("language: nb", "language: norsk", "is not a locale"),
        ("language: nb", "language: nb\n        priority: 0", "is 0; 1 to 2000000 are allowed"),
        ("language: nb", "language: nb\n        priority: 0x1", "plain digits"),
        ("language: nb", "language: nb\n        rule: second_line", "there is no rule second_line"),
        ("language: nb", "language: nb\n        welcome: {en: Hello}", "has no text in nb"),
        ("language: nb", "language: nb\n        welcome: {norsk: Hei}", "norsk is not a locale"),
        ("language: nb", "language: nb\n        welcome: Hei", "a text per locale"),
        ("language: nb", "language: nb\n        consent: {mode: maybe}", "must be one of: off, explicit, legit"),
        ("language: nb", "language: nb\n        consent: explicit", "must be named fields, not text"),
        ("language: nb", "language: nb\n        reopen_window_s: 2592001", "0 to 2592000 are allowed"),
        ("name: App", "name: App\n        origins: ['http://shop.example']", "is not an exact origin"),
        ("agents: [kari]", "agents: [ola]", "there is no agent ola"),
    ],
)
def test_each_kind_of_mistake_says_what_is_wrong(before: str, after: str, says: str) -> None:
    """One mistake, one error, in words that help."""
    assert says in reason(SMALL.replace(before, after, 1))


RULE = "    rules:\n      - {id: r, inbox: support, name: R, agents: [AGENTS]}\n"


def test_a_rule_that_names_somebody_without_a_seat_is_refused() -> None:
    """seat_required: nobody can be routed to without one."""
    text = SMALL.replace("password: kari-kari", "password: kari-kari\n        seat: false")
    assert "seat_required: kari" in reason(text + RULE.replace("AGENTS", "kari"))


def test_a_rule_that_names_somebody_without_access_is_refused() -> None:
    """Being in turn for an inbox needs access to it."""
    text = SMALL.replace("agents: [kari]", "agents: []") + RULE.replace("AGENTS", "kari")
    assert "kari has no access to the inbox support" in reason(text)


def test_names_used_twice_are_refused_across_accounts() -> None:
    """An app key leads to one account, and so does an agent's e-mail, whatever its case."""
    second = SMALL.removeprefix("accounts:\n").replace("id: nordvik", "id: other").replace("kari@", "Kari@")
    assert mistakes(SMALL + second) == [(25, "accounts[2].apps[1].key"), (30, "accounts[2].agents[1].email")]


def test_names_of_accounts_outside_the_file_are_refused(config: DirectDatabase) -> None:
    """What another account holds cannot be taken by a second file."""
    apply(SMALL, config, means())
    with pytest.raises(BadWorkspace) as refused:
        apply(SMALL.replace("id: nordvik", "id: other"), config, means())
    assert [mistake.path for mistake in refused.value.mistakes] == [
        "accounts[1].apps[1].key",
        "accounts[1].agents[1].email",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("accounts: [", "no YAML"),
        ("a: &x [1]\nb: *x\n", "write it out"),
        ("&x [*x]", "write it out"),
        ("- accounts", "must be named fields, not a list"),
        ("accounts: 3", "line 1: accounts: must be a list, not a number"),
        ("{[a]: b}", "is no field here"),
        ("\x00", "no YAML"),
        ("accounts: []", "needs at least 1"),
    ],
)
def test_what_is_no_workspace_is_refused_with_a_reason(text: str, says: str) -> None:
    """Whatever the text, there is an answer and no crash."""
    with pytest.raises(BadWorkspace) as refused:
        read(text)
    assert says in str(refused.value)


def test_no_mistake_repeats_a_secret() -> None:
    """Terminals are looked at and logs are kept."""
    text = TEN_MISTAKES.replace("1234567", "hush-77").replace("material: short", "material: hush-hush")
    with pytest.raises(BadWorkspace) as refused:
        read(text)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("algorithm", "material", "says"),
    [
        ("RS256", "not a key", "is not a public key in PEM form"),
        ("ES256", "-----BEGIN PRIVATE KEY-----", "is a private key"),
        ("EdDSA", "{rsa}", "is not a key for EdDSA"),
        ("HS256", "x" * 31, "needs at least 32 bytes"),
    ],
)
def test_an_identity_key_that_cannot_work_is_refused(algorithm: str, material: str, says: str) -> None:
    """A wrong key would refuse every visitor later, and nobody would know why."""
    key = f'{{kid: k, algorithm: {algorithm}, material: "{material.format(rsa=rsa_pem())}"}}'
    assert says in reason(SMALL.replace("name: App", f"name: App\n        identity_keys: [{key}]"))


def test_a_right_public_key_is_taken() -> None:
    """An RSA key of 2048 bits serves RS256."""
    key = f'{{kid: k, algorithm: RS256, material: "{rsa_pem()}"}}'
    [account] = read(SMALL.replace("name: App", f"name: App\n        identity_keys: [{key}]")).accounts
    assert account.thing.apps[0].thing.identity_keys[0].kid == "k"


def test_the_same_file_twice_changes_nothing(config: DirectDatabase) -> None:
    """No new version, no job, not even another hash of the same password."""
    [applied] = apply(SMALL, config, means())
    first = present(config)
    [again] = apply(SMALL, config, means(100))
    assert (applied.changed, again.changed, again.after) == (True, False, first)
    assert present(config) == first
    assert config.run(lambda sql: jobs.waiting(sql, "config")) == 1


def test_a_change_makes_the_next_version_and_a_job(config: DirectDatabase) -> None:
    """The account's key and cell stay what they were for ever."""
    apply(SMALL, config, means())
    first = present(config)
    [applied] = apply(SMALL.replace("name: Kari", "name: Kari N"), config, means(100))
    second = present(config)
    assert (applied.changed, applied.after, second.version) == (True, second, 2)
    assert (second.id_key, second.cell, second.agents[0].password) == (
        first.id_key,
        first.cell,
        first.agents[0].password,
    )
    assert config.run(lambda sql: jobs.waiting(sql, "config")) == 2


def test_a_chatflows_version_counts_what_is_versioned(config: DirectDatabase) -> None:
    """Texts make a new version; enabled, priority and tags are live at once and make none."""
    live = SMALL.replace("tags: [support]", "tags: [support, more]\n        enabled: false\n        priority: 7")
    for text in (SMALL, live, live.replace("name: Flow", "name: Flow\n        welcome: {nb: Hei}")):
        apply(text, config, means())
    flow = present(config).chatflows[0]
    assert (flow.version, flow.priority, flow.enabled) == (2, 7, False)


def test_what_is_left_out_gets_its_default(config: DirectDatabase) -> None:
    """A rule for the inbox, the account's name as heading, explicit consent in the catalogue's words, last place."""
    apply(SMALL, config, means())
    account = present(config)
    [flow], [rule] = account.chatflows, account.rules
    assert (rule.id, rule.inbox, flow.rule) == ("support.default", "support", "support.default")
    assert (flow.heading.name, flow.enabled, flow.version) == ("Nordvik", True, 1)
    assert (flow.consent.mode, flow.consent.text) == ("explicit", {})


def test_off_seeks_nobody(config: DirectDatabase) -> None:
    """`rule: off` leaves conversations to be claimed."""
    apply(SMALL.replace("language: nb", "language: nb\n        rule: off"), config, means())
    assert present(config).chatflows[0].rule is None


def test_passwords_are_stored_as_hashes(config: DirectDatabase) -> None:
    """A changed password is hashed anew; a hash is taken as it is."""
    apply(SMALL, config, means())
    first = present(config).agents[0].password
    assert PasswordHasher().verify(first, "kari-kari")
    apply(SMALL.replace("kari-kari", "kari-kari-2"), config, means())
    assert PasswordHasher().verify(present(config).agents[0].password, "kari-kari-2")
    apply(SMALL.replace("kari-kari", first), config, means())
    assert present(config).agents[0].password == first


def test_accounts_spread_over_the_cells(config: DirectDatabase) -> None:
    """A new account goes where the fewest are; one that is there stays."""
    text = "accounts:\n"
    for name in ("nordvik", "fjord", "skog", "hav", "berg"):
        text += SMALL.removeprefix("accounts:\n").replace("nordvik", name)
    apply(text, config, means())
    names = [AccountId(name) for name in ("nordvik", "fjord", "skog", "hav", "berg")]
    assert [present(config, name).cell for name in names] == ["c00", "c01", "c02", "c03", "c00"]


def test_an_app_key_may_move_between_accounts_of_one_file(config: DirectDatabase) -> None:
    """Names are given up before others take them."""
    second = SMALL.removeprefix("accounts:\n").replace("nordvik", "fjord")
    apply(SMALL + second, config, means())
    swapped = (SMALL + second).replace("app_nordvik", "X").replace("app_fjord", "app_nordvik").replace("X", "app_fjord")
    apply(swapped, config, means())
    keys, _ = config.run(accounts.owners)
    assert keys == {"app_fjord": "nordvik", "app_nordvik": "fjord"}


def test_the_example_is_what_the_demo_needs(config: DirectDatabase) -> None:
    """Two chatflows on one tag, three kinds of consent, three agents and an identity key."""
    apply(EXAMPLE, config, means())
    account = present(config)
    on_support = [flow.id for flow in account.chatflows if "support" in flow.tags]
    phone = Device("ios", "1.0", "nb-NO", "dev_1", NOW_MS)
    served = {tag: serve(account, tag, phone).flow for tag in ("support", "help", "plain")}
    modes = {tag: flow.consent.mode for tag, flow in served.items() if flow is not None}
    assert on_support == ["support_main", "support_spare"]
    assert modes == {"support": "explicit", "help": "legitimate_interest", "plain": "off"}
    assert served["support"] is not None
    assert set(served["support"].consent.text) == {"nb", "en"}
    assert [agent.name.split()[0] for agent in account.agents] == ["Kari", "Ola", "Liv"]
    assert not account.rules[0].auto_accept
    assert account.apps[0].identity_keys[0].algorithm == "HS256"


def test_the_file_in_the_docs_is_right_and_every_field_is_explained() -> None:
    """docs/howto/workspace.md: its smallest file applies, its parts fit into it, no field is missing from its tables."""
    page = (Path(__file__).parents[3] / "docs/howto/workspace.md").read_text(encoding="utf-8")
    example, *parts = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    whole = example + "".join(f"    {line}\n" for part in parts for line in part.splitlines())
    assert [placed.thing.id for placed in read(whole).accounts] == ["nordvik"]
    kinds = [
        App, IdentityKey, Inbox, Agent, staff.Team, Rule, staff.Overflow, Hours, Holiday, Chatflow, Consent,
        chatflow.Communicate, chatflow.Storage, chatflow.EmailCapture, chatflow.Heading, chatflow.Display,
        chatflow.Availability, chatflow.Survey, chatflow.Targeting, chatflow.Rollout, Subscription, Canned, Account,
    ]  # fmt: skip
    fields = {field for kind in kinds for field in kind.__struct_fields__} - {"version", "archived"}
    tables = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    said = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", tables))))
    assert fields - said == set()


def rsa_pem() -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = generate_private_key(65_537, 2_048).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().replace("\n", "\\n")
