"""Builds made wrong on purpose are found out: a suite that lets one pass would let a bug pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.wrong import VARIABLE
from loadtests.wrong.builds import BUILDS, planted
from tests.simulation.run import run

SEEDS = 5
AT_ONCE = [name for name, build in BUILDS.items() if build.seed]
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", AT_ONCE)
def test_simulation_finds_it_at_once(name: str) -> None:
    """One of the first seeds is bad under this build, and good without it."""
    with planted(name):
        found = next((seed for seed in range(1, SEEDS + 1) if not run(seed).is_good), None)
    assert found is not None, f"{name} passes {SEEDS} seeds"
    assert run(found).is_good


@pytest.mark.parametrize("name", [name for name in BUILDS if name not in AT_ONCE])
def test_the_suite_that_names_it_fails(name: str) -> None:
    """What simulation meets only rarely, a suite nearer to it finds every time."""
    suite = [sys.executable, "-m", "pytest", "-p", "loadtests.wrong", "-x", "-q", "--tb=no", BUILDS[name].caught_by]
    done = subprocess.run(
        suite, env={**os.environ, VARIABLE: name}, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1, done.stdout
    assert "FAILED" in done.stdout


def test_nothing_stays_planted() -> None:
    """After a wrong build the product is as it was."""
    before = [(owner, name, getattr(owner, name)) for build in BUILDS.values() for owner, name, _ in build.patches()]
    for name in BUILDS:
        with planted(name):
            pass
    assert all(getattr(owner, name) is value for owner, name, value in before)
