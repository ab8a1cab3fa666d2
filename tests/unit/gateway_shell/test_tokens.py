"""Visitors' tokens: what proves somebody, and what does not."""

import base64
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ports import Claims
from gateway.tokens import verify
from protocol.bus.config import AccountConfig, IdentityKey
from protocol.bus.decisions import Refusal
from protocol.bus.minting import KID, MAX_LIFE_S, keys_of, minting_key
from protocol.bus.records import Profile
from protocol.ids import AccountId, AgentId, CellName
from protocol.wire.codes import Code
from tests.kit.signing import ALGORITHMS, NOW_S, SECRET, app, claims, private_pem, public_pem, sign

NOBODY = Profile(subject="user-17")  # of whom nothing is vouched for
INVALID, EXPIRED = Refusal(Code.TOKEN_INVALID), Refusal(Code.TOKEN_EXPIRED)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_signed_with_a_registered_key_proves_its_subject(algorithm: str) -> None:
    """Each algorithm a company may register works."""
    key = next(key for key in app().identity_keys if key.kid == algorithm)
    assert verify(app(), app().identity_keys, sign(claims(), algorithm), NOW_S) == Claims(
        "user-17", NOW_S + 900, key, NOBODY
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_signed_anew_with_another_key_proves_nothing(algorithm: str) -> None:
    """The claims may be right; the signature is not the company's."""
    signed = sign(claims(), algorithm).split(".")
    other = sign(claims(sub="user-18"), algorithm).split(".")
    assert verify(app(), app().identity_keys, ".".join([signed[0], other[1], signed[2]]), NOW_S) == INVALID
    assert verify(app(), app().identity_keys, sign(claims(), key="another secret of 32 characters!"), NOW_S) == INVALID


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_no_shared_secret(algorithm: str) -> None:
    """HS256 over the public PEM, under its kid, is the classic confusion."""
    signed = f"{part({'alg': 'HS256', 'kid': algorithm})}.{part(claims())}"
    mac = hmac.new(public_pem(algorithm).encode(), signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert verify(app(), app().identity_keys, token, NOW_S) == INVALID


@pytest.mark.parametrize("alg", ["none", "None", "", "HS512", "RS256", "ES256"])
def test_the_registered_key_alone_names_the_algorithm(alg: str) -> None:
    """A header that says another, or none, proves nothing."""
    signed = sign(claims()).split(".")
    head = part({"alg": alg, "kid": "HS256"})
    assert verify(app(), app().identity_keys, ".".join([head, signed[1], signed[2]]), NOW_S) == INVALID
    assert verify(app(), app().identity_keys, ".".join([head, signed[1], ""]), NOW_S) == INVALID


@pytest.mark.parametrize("head", [{"kid": "unknown"}, {"kid": None}, {"kid": 7}, {"kid": ["HS256"]}])
def test_a_key_must_be_named_and_registered(head: dict[str, Any]) -> None:
    """`kid` missing, of another type or unknown: no key is tried."""
    token = sign(claims()).split(".")
    forged = part({"alg": "HS256"} | {name: value for name, value in head.items() if value is not None})
    assert verify(app(), app().identity_keys, ".".join([forged, token[1], token[2]]), NOW_S) == INVALID


def test_a_key_that_the_token_brings_along_is_ignored() -> None:
    """`jwk` in the header names a key that nobody registered."""
    token = sign(claims(), key="another secret of 32 characters!", jwk={"kty": "oct", "k": "eA"})
    assert verify(app(), app().identity_keys, token, NOW_S) == INVALID


def test_an_unknown_critical_header_is_refused() -> None:
    """RFC 7515: who does not understand `crit` must refuse."""
    signed = sign(claims()).split(".")
    head = part({"alg": "HS256", "kid": "HS256", "crit": ["exp"], "exp": 1})
    assert verify(app(), app().identity_keys, ".".join([head, *signed[1:]]), NOW_S) == INVALID


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "aud"])
def test_every_required_claim_is_required(claim: str) -> None:
    """A token without one of them proves nothing, well signed or not."""
    assert verify(app(), app().identity_keys, sign(claims(**{claim: None})), NOW_S) == INVALID


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": ""},
        {"sub": "x" * 129},
        {"sub": 17},
        {"sub": "a\x00b"},
        {"aud": "app_other"},
        {"aud": []},
        {"aud": ["app_other"]},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": NOW_S + 3_601},
        {"iat": NOW_S + 31, "exp": NOW_S + 900},
        {"nbf": NOW_S + 31},
        {"exp": NOW_S - 100, "iat": NOW_S - 100},
        {"exp": 1e300},
    ],
)
def test_claims_out_of_bounds_prove_nothing(wrong: dict[str, Any]) -> None:
    """Types, audience, beginning and at most an hour of life are checked."""
    assert verify(app(), app().identity_keys, sign(claims(**wrong)), NOW_S) == INVALID


def test_an_hour_from_a_clock_half_a_minute_ahead_is_accepted() -> None:
    """The bounds themselves are inside."""
    token = sign(claims(iat=NOW_S + 30, nbf=NOW_S + 30, exp=NOW_S + 30 + 3_600))
    assert verify(app(), app().identity_keys, token, NOW_S) == Claims(
        "user-17", NOW_S + 3_630, app().identity_keys[0], NOBODY
    )


def test_a_token_expires_half_a_minute_after_it_says() -> None:
    """Leeway is 30 s; then it is expired, which is worth trying again with a new one."""
    token = sign(claims())
    assert isinstance(verify(app(), app().identity_keys, token, NOW_S + 929), Claims)
    assert verify(app(), app().identity_keys, token, NOW_S + 930) == EXPIRED


def test_only_a_token_right_in_all_else_is_expired() -> None:
    """A forged one says nothing of its age."""
    late = NOW_S + 5_000
    assert verify(app(), app().identity_keys, sign(claims(), key="another secret of 32 characters!"), late) == INVALID
    assert verify(app(), app().identity_keys, sign(claims(aud="app_other")), late) == INVALID


def test_the_audience_is_the_apps_own_if_it_has_one() -> None:
    """Else it is the app key; one of several is enough."""
    named = app(audience="https://shop.example")
    assert isinstance(verify(named, named.identity_keys, sign(claims(aud="https://shop.example")), NOW_S), Claims)
    assert verify(named, named.identity_keys, sign(claims()), NOW_S) == INVALID
    assert isinstance(verify(app(), app().identity_keys, sign(claims(aud=["x", "app_shop"])), NOW_S), Claims)


def test_two_keys_overlap_while_a_company_rotates() -> None:
    """Old and new are good as long as both are registered, and each only under its own kid."""
    fresh = "a new shared secret of 32 chars."
    both = app(IdentityKey("2025", "HS256", SECRET), IdentityKey("2026", "HS256", fresh))
    assert isinstance(verify(both, both.identity_keys, sign(claims(), kid="2025"), NOW_S), Claims)
    assert isinstance(verify(both, both.identity_keys, sign(claims(), kid="2026", key=fresh), NOW_S), Claims)
    assert verify(both, both.identity_keys, sign(claims(), kid="2025", key=fresh), NOW_S) == INVALID
    after = app(IdentityKey("2026", "HS256", fresh))
    assert verify(after, after.identity_keys, sign(claims(), kid="2025"), NOW_S) == INVALID


def test_an_app_without_keys_identifies_nobody() -> None:
    """Identified visitors need a registered key."""
    none = app(IdentityKey("x", "HS256", SECRET))
    none.identity_keys.clear()
    assert verify(none, none.identity_keys, sign(claims()), NOW_S) == INVALID


def test_a_key_that_cannot_be_read_proves_nothing() -> None:
    """A broken registration refuses; it does not raise."""
    broken = app(IdentityKey("RS256", "RS256", "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n"))
    assert verify(broken, broken.identity_keys, sign(claims(), "RS256"), NOW_S) == INVALID


def test_the_private_half_is_not_needed() -> None:
    """What is registered is public: it differs from what signs."""
    assert "PRIVATE" in private_pem("ES256")
    assert "PRIVATE" not in public_pem("ES256")


@settings(deadline=None)  # the first token reads a key
@given(st.text(max_size=400) | st.lists(st.text(max_size=60), min_size=2, max_size=4).map(".".join))
def test_no_text_makes_it_raise(token: str) -> None:
    """Whatever a client sends as a token is refused."""
    assert verify(app(), app().identity_keys, token, NOW_S) == INVALID


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_no_header_makes_it_raise(head: Any) -> None:
    """A header may be any JSON."""
    signed = sign(claims()).split(".")
    assert verify(app(), app().identity_keys, ".".join([part(head), *signed[1:]]), NOW_S) == INVALID


def test_no_depth_makes_it_raise() -> None:
    """A header nested as deep as a frame allows is refused like any other."""
    head = base64.urlsafe_b64encode(b'{"kid":' + b"[" * 3_000).rstrip(b"=").decode()
    assert verify(app(), app().identity_keys, f"{head}.e30.e30", NOW_S) == INVALID


@pytest.mark.parametrize("payload", [[], "user-17", 7, None])
def test_signed_json_that_is_no_object_proves_nothing(payload: Any) -> None:
    """A signature does not make claims of it."""
    signed = f"{part({'alg': 'HS256', 'kid': 'HS256'})}.{part(payload)}"
    mac = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    assert (
        verify(app(), app().identity_keys, f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}", NOW_S)
        == INVALID
    )


@pytest.mark.parametrize(
    ("said", "vouched"),
    [
        ({"name": "  Kari Nordmann ", "owner": "agt_ann"}, Profile("Kari Nordmann", "", AgentId("agt_ann"), "user-17")),
        (
            {"email": "Kari@nordvik.example", "email_verified": True},
            Profile("", "Kari@nordvik.example", None, "user-17"),
        ),
        ({"email": "kari@nordvik.example"}, NOBODY),
        ({"email": "kari@nordvik.example", "email_verified": "true"}, NOBODY),
        ({"email": "kari", "email_verified": True}, NOBODY),
        ({"name": 17, "owner": "no id", "email": ["a@b.example"], "email_verified": True}, NOBODY),
        ({"name": "K" * 101}, Profile("K" * 100, subject="user-17")),
    ],
)
def test_what_a_token_vouches_for(said: dict[str, Any], vouched: Profile) -> None:
    """Name, owner and a verified address; whatever else stands there costs nobody their way in."""
    found = verify(app(), app().identity_keys, sign(claims(**said)), NOW_S)
    assert isinstance(found, Claims)
    assert found.profile == vouched


def test_a_minted_token_lives_longer_and_only_in_its_app() -> None:
    """Up to twelve hours; the key of another app, or of another account, proves nothing."""
    config = AccountConfig(AccountId("acc"), "A", 1, CellName("c00"), b"k" * 32, [app()], [], [], [], [])
    other = msgspec.structs.replace(app(), key="app_other")
    key = minting_key(config, app())
    long = claims(exp=NOW_S + MAX_LIFE_S, iat=NOW_S)
    token = sign(long, kid=KID, key=key.material)
    assert isinstance(verify(app(), keys_of(config, app()), token, NOW_S), Claims)
    assert verify(app(), keys_of(config, other), token, NOW_S) == INVALID
    stranger = msgspec.structs.replace(config, id_key=b"s" * 32)
    assert verify(app(), keys_of(stranger, app()), token, NOW_S) == INVALID
    longer = sign(claims(exp=NOW_S + MAX_LIFE_S + 1, iat=NOW_S), kid=KID, key=key.material)
    assert verify(app(), keys_of(config, app()), longer, NOW_S) == INVALID
