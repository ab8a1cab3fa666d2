"""What a scenario says: what to start, who takes part, what they do one after the other, and what must come of it.

Invariant: everything that shapes the load is in here, so that the same scenario and seed make the same load again.
Each field is described in docs/howto/load.md.
"""

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, Struct

from loadtests.load.goals import Goals
from loadtests.load.stage import Habits

Count = Annotated[int, Meta(ge=0)]
Some = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]
Rate = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
PersonaName: TypeAlias = Annotated[str, Meta(min_length=1)]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a scenario."""


class Processes(Part, frozen=True, kw_only=True):
    """What an installation of our own consists of. `wide`: allowances that a driver cannot use up."""

    gateways: Some = 2
    engines: Some = 1
    workers: Some = 1
    cells: Some = 4
    wide: bool = True
    environment: dict[str, str] = {}  # further SAMTALE_… settings


class Opening(Part, frozen=True, kw_only=True):
    """Hours for a day in compressed time: whole minutes after the run began, since opening hours know no seconds."""

    opens_min: Count = 0
    closes_min: Some = 60


class Account(Part, frozen=True, kw_only=True):
    """Each account of an installation of our own: its chatflow, its agents and how they are found."""

    capacity: Some = 1
    consent: Literal["off", "explicit", "legitimate_interest"] = "off"
    storage: Literal["never", "before_chat", "on_exit_intent"] = "never"
    email: Literal["never", "before_chat", "on_first_message", "after_delay"] = "never"
    auto_accept: bool = True
    survey: bool = False
    hours: Opening | None = None
    reopen_window_s: Seconds = 259_200
    inactivity_s: Count = 86_400
    offer_timeout_s: Some = 30


class Visitors(Part, frozen=True, kw_only=True):
    """Visitors of one persona. `share` of all who come."""

    persona: PersonaName
    share: Share = 1.0
    habits: Habits = Habits()


class People(Part, frozen=True, kw_only=True):
    """Whoever takes part over the SDK."""

    visitors: Annotated[list[Visitors], Meta(min_length=1)]
    agents: Count = 1
    agent_habits: Habits = Habits()


class Lean(Part, frozen=True, kw_only=True):
    """Whoever takes part as a raw line: `phones` of visitors, and `desks` of agents who read and never accept."""

    phones: Some
    desks: Count = 0


class Driver(Part, frozen=True, kw_only=True):
    """How the load is made."""

    processes: Annotated[int, Meta(ge=1, le=64)] = 1
    gateways: Literal["apart", "all"] = "apart"  # agents on the last one and lean phones on the others, or all on all
    at_once: Some = 50  # who come in at the same time
    chars: Annotated[int, Meta(ge=20, le=10_000)] = 100  # of a message of a lean phone
    window: Annotated[int, Meta(ge=1, le=32)] = 32  # frames of one phone under way: SPEC 2.5


class Phase(Part, frozen=True, kw_only=True, tag_field="do"):
    """One thing that is done. `name` is what figures are told under; `warm_up`: it is not measured."""

    name: str = ""
    warm_up: bool = False

    def title(self) -> str:
        """Return what to call it."""
        return self.name or str(self.__struct_config__.tag)


class Exchange(Phase, frozen=True, kw_only=True, tag="exchange"):
    """Closed loops: each phone sends `messages` altogether over all phones, never more than `in_flight` unsettled."""

    messages: Some = 10_000
    in_flight: Annotated[int, Meta(ge=1, le=32)] = 8


class Send(Phase, frozen=True, kw_only=True, tag="send"):
    """An open loop by the clock: `per_s`, growing evenly to `to_per_s`; or `times_peak` of what an exchange reached."""

    seconds: Rate
    per_s: Rate = 100.0
    to_per_s: Seconds = 0.0
    times_peak: Seconds = 0.0
    arrivals: Literal["even", "chance"] = "chance"
    gives_up: bool = False  # at the end, what could not even be put on a line is not said any more


class Hold(Phase, frozen=True, kw_only=True, tag="hold"):
    """Nobody does anything but being there."""

    seconds: Rate


class Cut(Phase, frozen=True, kw_only=True, tag="cut"):
    """Every line is cut at once, agents say a word to each visitor meanwhile, and all come back at once."""

    away_s: Seconds = 1.0  # how long phones stay away, in which agents speak
    within_s: Rate = 60.0  # who is not back by then is lost


class Visit(Phase, frozen=True, kw_only=True, tag="visit"):
    """Visitors arrive by chance, `per_s` on average, more and less along `curve`, and live as their personas do."""

    seconds: Rate
    per_s: Rate
    curve: list[Seconds] = []  # what each equal part of the time has, relative to the others
    most: Count = 0  # at the same time; 0: as many as come
    returning: Count = 0  # they are so many persons, who come again with what their phones kept; 0: always new ones


AnyPhase: TypeAlias = Exchange | Send | Hold | Cut | Visit


class Scenario(Part, frozen=True, kw_only=True):
    """One scenario. Exactly one of `lean` and `people` says who takes part."""

    title: str
    about: str
    phases: Annotated[list[AnyPhase], Meta(min_length=1)]
    accounts: Some = 1
    installation: Processes = Processes()
    account: Account = Account()
    driver: Driver = Driver()
    lean: Lean | None = None
    people: People | None = None
    goals: Goals = Goals()
    seed: Count = 1

    LEAN: ClassVar = (Exchange, Send, Hold, Cut)
    PEOPLE: ClassVar = (Visit, Hold)

    def agents(self) -> int:
        """Return how many agents there are altogether."""
        return self.lean.desks if self.lean is not None else self.people.agents if self.people is not None else 0
