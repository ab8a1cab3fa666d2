"""What a process loaded at its start is no burden to it later."""

import gc

from app.part import spare_what_is_loaded


def test_what_is_loaded_is_looked_at_no_more() -> None:
    """Garbage collections pass over everything that was there, and over nothing that came after."""
    loaded: list[object] = [[]]
    try:
        spare_what_is_loaded()
        later: list[object] = [[]]
        tracked = {id(each) for each in gc.get_objects()}
        assert id(loaded) not in tracked
        assert id(later) in tracked
    finally:
        gc.unfreeze()
