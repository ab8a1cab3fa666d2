"""Agents over the SDK: they log in with a password, as people do, and work until the run is over."""

import asyncio

import samtale

from loadtests.load.agents.desk import Desk
from loadtests.load.stage import Seat, Stage


async def run(stage: Stage, seat: Seat) -> None:
    """Be the agent of `seat` until the run is over, then wait for every outcome."""
    client = samtale.AgentClient(
        stage.url(), email=seat.email, password=seat.password, surroundings=stage.surroundings()
    )
    desk = Desk(stage, seat, client)
    async with client, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(desk.read())
        try:
            while await stage.rest(stage.habits.pace_s):
                desk.look_back()
                await desk.go_out_perhaps()
        finally:
            desk.put_down()
        await stage.settled(client)
        reading.cancel()
