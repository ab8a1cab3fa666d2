"""What is true of figures: kept as conversations went on, they are what the whole logs say.

Invariant: the two are counted by code that shares nothing, and the kept ones go through SQL as a scribe writes them.
"""

from sqlalchemy import create_engine

from protocol.bus.figures import Figure
from store.sql import tables
from store.sql.queries import figures
from tests.kit.figures import are_those_of
from tests.kit.workplace import ACCOUNT
from tests.kit.world import World


class FigureLaws:
    """The law of figures, looked at when all is over."""

    world: World

    def teardown(self) -> None:
        world = self.world
        if world.logs:
            engine = create_engine("sqlite://")
            with engine.begin() as connection:
                tables.RECORD.create_all(connection, [tables.conversation_figure, tables.routing_figure])
                figures.keep(connection, [fact for fact in world.facts if isinstance(fact, Figure)])
                logs = {where: world.log(where) for where in world.logs}
                are_those_of(connection, logs, map(world.port.decode_event, world.roster_log[ACCOUNT]))
            engine.dispose()
