"""What a file is: by its first and last bytes, never by its name.

Invariant: what is said of a file and what its bytes say agree, or it is none that we take. Nothing is executed,
unpacked or decoded here.
"""

import re
from pathlib import Path
from typing import Final, Literal

import puremagic

Kind = Literal["image", "voice", "file"]

PICTURES: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}  # Pillow's names
UNKNOWN: Final = "application/octet-stream"
_MP4 = frozenset({".mp4", ".m4a", ".m4v", ".f4a", ".3gp", ".mov"})  # one box format, many brands
_OGG = frozenset({".ogg", ".oga", ".ogv", ".opus"})
_ZIP = frozenset({".zip", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
_LOOKS: Final[dict[str, frozenset[str]]] = {  # type → the endings that its bytes may look like
    "image/jpeg": frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
    "image/png": frozenset({".png"}),
    "image/webp": frozenset({".webp"}),
    "image/gif": frozenset({".gif"}),
    "audio/mpeg": frozenset({".mp3", ".mpga"}),
    "audio/mp4": _MP4,
    "audio/aac": frozenset({".aac"}),
    "audio/ogg": _OGG,
    "audio/webm": frozenset({".webm"}),
    "audio/wav": frozenset({".wav"}),
    "audio/amr": frozenset({".amr"}),
    "video/mp4": _MP4,
    "video/quicktime": _MP4,
    "video/webm": frozenset({".webm"}),
    "application/pdf": frozenset({".pdf"}),
    "application/zip": _ZIP,
    f"{_OFFICE}wordprocessingml.document": _ZIP,
    f"{_OFFICE}spreadsheetml.sheet": _ZIP,
    f"{_OFFICE}presentationml.presentation": _ZIP,
}
_TEXTS: Final[dict[str, frozenset[str]]] = {  # text has no mark of its own; some of it looks like more than text
    "text/plain": frozenset(),
    "text/csv": frozenset(),
    "text/markdown": frozenset(),
    "application/json": frozenset({".json"}),
    "text/html": frozenset({".html", ".htm", ".xhtml"}),
    "image/svg+xml": frozenset({".svg", ".xml"}),
    "application/xml": frozenset({".xml"}),
}
_CALLED: Final = {  # by telephones, browsers and libraries
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/mp4a-latm": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-aac": "audio/aac",
    "audio/opus": "audio/ogg",
    "application/x-zip-compressed": "application/zip",
    "text/x-markdown": "text/markdown",
    "text/xml": "application/xml",
}
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|script|svg|body|iframe|head)\b", re.IGNORECASE)
_LOOKED_AT = 65_536


def plain_type(type_: str) -> str:
    """Return the name that a type has here, whatever it was called."""
    return _CALLED.get(type_, type_)


def kind_of(type_: str) -> Kind:
    """Return as what a file of `type_` is shown."""
    if type_ in PICTURES:
        return "image"
    return "voice" if type_.startswith("audio/") and type_ in _LOOKS else "file"


def is_shown_in_place(type_: str) -> bool:
    """Whether a browser may show it where it stands: pictures that we made, sound and film. All else is downloaded."""
    return type_ in PICTURES or (type_ in _LOOKS and type_.startswith(("audio/", "video/")))


def agrees(path: Path, type_: str) -> bool:
    """Whether the bytes of the file look like `type_`; of a type that we do not know, like none that we do. Blocks."""
    endings = _endings(path)
    if type_ in _LOOKS:
        return bool(endings & _LOOKS[type_])
    if type_ in _TEXTS:
        return _is_text(path) and _looks_no_further(path, type_, endings)
    return not any(endings & looks for looks in _LOOKS.values())


def _endings(path: Path) -> frozenset[str]:
    try:
        return frozenset(found.extension for found in puremagic.magic_file(path))
    except (puremagic.PureError, ValueError):
        return frozenset()


def _looks_no_further(path: Path, type_: str, endings: frozenset[str]) -> bool:
    """Whether a text is no more than it says: markup is called so, and no other file hides behind a text's name."""
    if any(endings & looks for looks in _LOOKS.values()):
        return False
    with path.open("rb") as file:
        is_markup = _MARKUP.search(file.read(_LOOKED_AT)) is not None
    return not is_markup or type_ in ("text/html", "image/svg+xml", "application/xml")


def _is_text(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            while part := file.read(_LOOKED_AT):
                if "\0" in part:
                    return False
    except UnicodeDecodeError:
        return False
    return True
