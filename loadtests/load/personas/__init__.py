"""Visitors' lives over the SDK, by name; a scenario says how many of each. docs/howto/load.md has the table."""

from collections.abc import Awaitable, Callable

from loadtests.load.personas.killed import killed_app
from loadtests.load.personas.network import aeroplane_mode, backgrounded, one_way_loss, wifi_to_cell
from loadtests.load.personas.odd import duplicate_sender, never_reading
from loadtests.load.personas.writing import chatty, steady
from loadtests.load.stage import Stage

Persona = Callable[[Stage], Awaitable[None]]
"""One visitor's life, from when they are due until they have left."""

PERSONAS: dict[str, Persona] = {
    persona.__name__: persona
    for persona in (
        steady,
        chatty,
        backgrounded,
        wifi_to_cell,
        aeroplane_mode,
        one_way_loss,
        killed_app,
        never_reading,
        duplicate_sender,
    )
}
