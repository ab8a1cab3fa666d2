"""What a client that is turned away is told to do."""

import pytest

from gateway.doors import Turned
from protocol.wire.codes import Code


@pytest.mark.parametrize("code", [code for code in Code if code.retryable])
def test_what_may_go_well_another_time_keeps_nobody_away(code: Code) -> None:
    """A retryable refusal of a hello closes with a code to come back by (SPEC 11)."""
    assert 4000 <= Turned(code).close <= 4499


@pytest.mark.parametrize("code", [Code.UNAUTHENTICATED, Code.APP_UNKNOWN, Code.TICKET_INVALID, Code.VISITOR_UNKNOWN])
def test_what_stays_wrong_does(code: Code) -> None:
    """Any other with one not to come back by."""
    assert 4500 <= Turned(code).close <= 4999
