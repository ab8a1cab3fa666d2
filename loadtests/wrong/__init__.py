"""Builds made wrong on purpose, one safeguard taken out of each: what the suites are measured with.

`python -m loadtests.wrong ROLE …` is `samtale ROLE …` with the fault that SAMTALE_WRONG names; `pytest -p
loadtests.wrong` plants the same into a test run; `python -m loadtests.wrong --table` tells which suite catches which.

Invariant: faults are planted from here, at run time. The product has no flag, branch or hook for them.
"""

import os
from typing import Any

VARIABLE = "SAMTALE_WRONG"


def plant_asked() -> None:
    """Plant the fault that the environment names, for as long as the process lives; nothing if it names none."""
    if name := os.environ.get(VARIABLE):
        from loadtests.wrong.builds import plant

        plant(name)


def pytest_configure(config: Any) -> None:  # noqa: ARG001 - pytest's name
    """Make a whole test run one of a wrong build."""
    plant_asked()
