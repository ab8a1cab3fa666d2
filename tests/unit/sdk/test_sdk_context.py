"""What the app tells of its user."""

import samtale

from tests.unit.sdk.memory_line import Network
from tests.unit.sdk.phones import opened, until


async def test_the_context_is_said_again_on_every_line(network: Network, visitor: samtale.VisitorClient) -> None:
    """Merged: the newest screen, all properties, a removed one as removed."""
    visitor.set_context(screen="Cards", properties={"plan": "gold", "branch": "Oslo"}, device={"model": "A1"})
    visitor.set_context(screen="Home", properties={"branch": ""})
    for _ in range(2):
        line, _ = await opened(network)
        said = {name: value for _ in range(3) for name, value in (await line.hear("set_context")).items()}
        assert (said["screen"], said["properties"]) == ("Home", {"plan": "gold", "branch": ""})
        assert said["device"] == {"model": "A1"}
        line.cut()


async def test_a_breadcrumb_is_said_once_where_nothing_is_outstanding(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """Those of the tunnel come with the line; no line brings them twice."""
    visitor.breadcrumb("opened the app")
    line, _ = await opened(network)
    assert (await line.hear("set_context"))["breadcrumb"] == "opened the app"
    visitor.breadcrumb("pressed Block card")
    assert (await line.hear("set_context"))["breadcrumb"] == "pressed Block card"
    line.cut()
    line, _ = await opened(network)
    await until(visitor, samtale.Connected)
    await until(visitor, samtale.Connected)
    visitor.typing()
    assert (await line.hear())["t"] == "typing"


async def test_a_breadcrumb_before_consent_is_said_on_every_line(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """The server holds it for the line only, so it is said again until the step is answered."""
    visitor.breadcrumb("opened the app")
    for _ in range(2):
        line, _ = await opened(network, steps={"outstanding": ["consent_to_process"]})
        assert (await line.hear("set_context"))["breadcrumb"] == "opened the app"
        line.cut()


async def test_many_properties_are_said_in_frames_that_are_allowed(
    network: Network, visitor: samtale.VisitorClient
) -> None:
    """At most 50 in one."""
    visitor.set_context(properties={f"p{number}": "x" for number in range(120)})
    line, _ = await opened(network)
    said = [await line.hear("set_context") for _ in range(3)]
    assert [len(frame["properties"]) for frame in said] == [50, 50, 20]
