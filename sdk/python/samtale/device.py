"""What a phone says of itself (SPEC 3.1)."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Device:
    """What the phone is. `locale`: BCP 47."""

    platform: Literal["ios", "android", "web", "react_native", "python", "other"] = "python"
    app_version: str = "1"
    locale: str = "en"
