"""All rules over one history."""

from collections.abc import Callable, Iterator

from loadtests.checker import conduct, delivery, erasure
from loadtests.checker.history import History, Violation

RULES: tuple[Callable[[History], Iterator[Violation]], ...] = (
    delivery.lost_acked,
    delivery.duplicate,
    delivery.gap,
    delivery.phantom,
    delivery.divergent_read,
    delivery.unstable_ack,
    delivery.real_time_order,
    conduct.two_assignees,
    conduct.over_capacity,
    conduct.stored_before_consent,
    conduct.effect_after_fence,
    conduct.cross_account,
    conduct.foreign_read,
    conduct.leak,
    conduct.survey_twice,
    conduct.set_aside,
    conduct.stuck,
    erasure.reappeared,
)


def violations(history: History) -> list[Violation]:
    """Return every broken promise that `history` shows."""
    return [violation for rule in RULES for violation in rule(history)]
