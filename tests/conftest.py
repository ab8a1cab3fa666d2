"""Makes the fixtures of the kit's servers known to every test, lets Hypothesis take its time, names failures at once.

Invariant: no test fails because a machine is slow, nor by chance: the same code is tried with the same examples.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

pytest_plugins = [f"tests.kit.{module.stem}" for module in sorted((Path(__file__).parent / "kit").glob("*_servers.py"))]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say which test failed when it does: the summary comes a quarter of an hour later."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\nfailed: {report.nodeid} ({report.when})", flush=True)
