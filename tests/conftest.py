"""Makes the fixtures of the kit's servers known to every test."""

from pathlib import Path

pytest_plugins = [f"tests.kit.{module.stem}" for module in sorted((Path(__file__).parent / "kit").glob("*_servers.py"))]
