"""How many files a run needs open, and whether this machine allows it.

Invariant: the soft limit is raised as far as the hard one lets it, for this process and all that it starts; a run that
would fail half-way for want of files does not begin.
"""

import resource

from loadtests.load.scenario import Scenario

SPARE = 500  # what a process has open beside its sessions


class TooFew(Exception):
    """The machine allows fewer open files than the scenario needs; the text says how many and what to do."""


def allow(scenario: Scenario, *, own: bool) -> None:
    """Raise the limit to what the busiest process needs. Raises TooFew."""
    needed = _needed(scenario, own=own)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise TooFew(
            f"this needs {needed:,} open files in one process, and the limit is {hard:,}: raise it (ulimit -Hn, "
            "limits.conf), take fewer sessions, or more gateways and driver.processes"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _needed(scenario: Scenario, *, own: bool) -> int:
    """Return the files of whichever process holds most sockets."""
    if scenario.people is not None:
        most = max((getattr(phase, "most", 0) or 2_000 for phase in scenario.phases), default=0)
        return 4 * most + SPARE  # a faulty network is a relay: two sockets more
    assert scenario.lean is not None, "one of the two"
    sessions = scenario.lean.phones + scenario.lean.desks
    in_driver = -(-sessions // scenario.driver.processes)
    if not own:
        return in_driver + SPARE
    apart = scenario.driver.gateways == "apart"
    gateways = max(1, scenario.installation.gateways - apart)
    return max(in_driver, -(-sessions // gateways)) + SPARE
