"""How long a preview lasts for whom its token let in."""

import msgspec

from gateway.core.actions import Action, End, Wake
from gateway.core.mobile import SOON
from gateway.core.trial import Trial
from protocol.bus.config import AccountConfig
from protocol.wire.codes import CloseCode, Code
from tests.kit.workplace import workplace
from tests.unit.gateway.sessions import mobile, said

UNTIL_MS = 3_600_000


def over(actions: list[Action]) -> bool:
    """Whether the session is told that its token is good no more, and ends for good."""
    ends = [action.code for action in actions if isinstance(action, End)]
    return [each.code for each in said(actions)] == [Code.TOKEN_INVALID.wire] and ends == [CloseCode.UNAUTHENTICATED]


def switched_off(config: AccountConfig) -> AccountConfig:
    flows = [msgspec.structs.replace(flow, enabled=False) for flow in config.chatflows]
    return msgspec.structs.replace(config, chatflows=flows)


def test_it_ends_when_its_token_does() -> None:
    """Then, and not a moment before."""
    trial = Trial()
    assert trial.holds("help", UNTIL_MS) == [Wake(UNTIL_MS)]
    assert trial.woke(UNTIL_MS - 1) == []
    assert over(trial.woke(UNTIL_MS))


def test_it_ends_when_it_is_taken_back() -> None:
    """What is shown is switched off then; another change of the account ends nothing."""
    session = mobile()
    session.trial.holds("help", UNTIL_MS)
    assert session.configured(workplace()) == [SOON]
    assert over(session.configured(switched_off(workplace())))


def test_who_came_with_no_preview_token_stays() -> None:
    """Whatever the time is, and whatever is switched off."""
    session = mobile()
    assert session.trial.holds("help", 0) == []
    assert not over(session.woke(2**42))
    assert session.configured(switched_off(workplace())) == [SOON]
