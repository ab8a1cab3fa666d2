"""The chain of locales, and blanks in texts."""

import pytest

from protocol.bus.texts import blanks, chain, fill, text_for, tongues


@pytest.mark.parametrize(
    ("locale", "default", "tried"),
    [
        ("nb-NO", "de", ("nb-NO", "nb", "no", "de", "en")),
        ("nn-NO", "de", ("nn-NO", "nn", "no", "nb", "de", "en")),
        ("en-GB", "nb", ("en-GB", "en", "nb", "no")),
        ("zh-Hant-TW", "en", ("zh-Hant-TW", "zh-Hant", "zh", "en")),
        ("NB_no", "en", ("nb-NO", "nb", "no", "en")),
        ("fr", "pt-BR", ("fr", "pt-BR", "pt", "en")),
    ],
)
def test_locales_are_tried_in_turn(locale: str, default: str, tried: tuple[str, ...]) -> None:
    """The reader's, its language, Norwegian for Norwegians, the flow's default, English."""
    assert chain(locale, default) == tried


def test_a_text_is_found_along_the_chain() -> None:
    """The first that there is; None if there is none."""
    assert text_for({"no": "Hei", "en": "Hello"}, "nb-NO", "en") == "Hei"
    assert text_for({"de": "Hallo"}, "nb-NO", "en") is None


def test_who_reads_what() -> None:
    """English is nobody's tongue by default."""
    assert tongues("ja-JP") == ("ja-JP", "ja")


def test_a_blank_is_filled_if_it_is_known() -> None:
    """Others stay as they are, and what is filled in is not looked at again."""
    assert fill("{a} and {b}", a="{b}", c="x") == "{b} and {b}"
    assert blanks("{a} {b} {not a blank} {}") == {"a", "b"}
