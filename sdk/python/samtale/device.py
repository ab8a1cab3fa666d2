"""What a phone says of itself (SPEC 3.1)."""

from dataclasses import dataclass
from typing import Final, Literal

SDK: Final = "samtale-python/0.1.0"  # what speaks for the app: this package, in its version


@dataclass(frozen=True, slots=True)
class Device:
    """What the phone is. `locale`: BCP 47."""

    platform: Literal["ios", "android", "web", "react_native", "python", "other"] = "python"
    app_version: str = "1"
    locale: str = "en"
