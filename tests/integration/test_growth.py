"""Growth is measured on real processes and judged by what was delivered and by steps. No test looks at a time."""

from loadtests.growth import resuming, sessions, words
from loadtests.growth.counting import STEPS
from loadtests.growth.crowd import Size
from loadtests.growth.site import site


async def test_a_word_takes_as_many_steps_among_many_conversations_as_among_few() -> None:
    """Two installations in turn: every word is committed once, in order, for the same steps of the interpreter."""
    sizes, effort = (64, 256), words.Effort(rounds=1, words=512, idle_s=0.1, is_patient=False)
    curve = await words.measure(words.CURVES["one-account"], sizes, effort, "")
    steps = next(figure for figure in curve.figures if figure.name == STEPS)
    assert (curve.holds, steps.growth) == (True, 1.0)
    said = sum(sizes) + len(sizes) * 2 * 2 * effort.words  # a first word each; to warm up and once, a few and everybody
    assert curve.delivered.startswith(f"{said:,} to be read: 0 lost, 0 duplicated, 0 out of order, 0 refused")


async def test_accounts_find_their_cells_and_cells_their_engines() -> None:
    """Four accounts in two cells of two engines: what is said in any of them is committed."""
    async with site(Size(16, accounts=4, cells=2, engines=2)) as place:
        await place.put(place.crowd.words(range(16)))
        await place.settled()
        assert (place.verdict().holds, place.verdict().sent) == (True, 32)


async def test_whoever_comes_back_has_the_whole_log() -> None:
    """Short and long conversations, nothing missed and everything lost: each reader has each message once."""
    curve = await resuming.measure((2, 120), rounds=1, times=1, command="")
    assert curve.delivered == "0 phones without the whole log, once and in order"


async def test_idle_phones_are_held_beside_those_who_talk() -> None:
    """Every phone is admitted and stays; the pairs beside them lose nothing."""
    curve = await sessions.measure((60,), sessions.Effort(rounds=1, words=40, idle_s=0.1), "")
    assert (curve.holds, curve.sizes) == (True, [60])
