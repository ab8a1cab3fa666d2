"""Whether an anonymous visitor is who logs in, and what the two have answered (product §9, SPEC 3.9).

Invariant: engine and gateway both ask here. A withdrawal stands against any answer of the other, and of two answers
that let somebody in, neither is made of more than was said.
"""

from collections.abc import Mapping, Sequence

from protocol.bus.records import ConsentRecord, VisitorRecord
from protocol.bus.steps import VALID_MS
from protocol.ids import DeviceId

_LETS_IN = {"granted": 2, "implied": 1, "declined": 0}


def proves(begun: VisitorRecord, device: DeviceId, presented: Sequence[bytes]) -> bool:
    """Whether whoever presents these hashes is on the phone that was `begun`'s, and has not logged out there."""
    phone = begun.devices.get(device)
    if phone is None or phone.revoked:
        return False
    return any(secret and secret in presented for secret in (phone.pending, phone.secret))


def merged_consents(
    own: Mapping[str, ConsentRecord], begun: Mapping[str, ConsentRecord], at_ms: int
) -> dict[str, ConsentRecord]:
    """Return the standing answers of a visitor who had `own` and began `begun` before they logged in."""
    answers = dict(own)
    for purpose, answer in begun.items():
        known = answers.get(purpose)
        answers[purpose] = answer if known is None else _stands(purpose, known, answer, at_ms)
    return answers


def _stands(purpose: str, own: ConsentRecord, begun: ConsentRecord, at_ms: int) -> ConsentRecord:
    withdrawn = [answer for answer in (own, begun) if answer.answer == "withdrawn"]
    if withdrawn:
        return max(withdrawn, key=lambda answer: answer.at_ms)
    valid = [answer for answer in (own, begun) if at_ms < answer.at_ms + VALID_MS] or [own]
    # "Not now" and an unticked box say nothing against a yes; that the app may not keep properties is a no.
    sign = -1 if purpose == "analytics" else 1
    return max(valid, key=lambda answer: (sign * _LETS_IN[answer.answer], answer.at_ms))
