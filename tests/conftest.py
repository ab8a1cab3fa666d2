"""Makes the fixtures of the kit's servers known to every test, and lets Hypothesis take its time.

Invariant: no test fails because a machine is slow.
"""

from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

pytest_plugins = [f"tests.kit.{module.stem}" for module in sorted((Path(__file__).parent / "kit").glob("*_servers.py"))]
