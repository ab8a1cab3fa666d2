"""A program of its own: decodes one picture and writes it anew, `python redraw.py SOURCE TARGET FORMAT MOST_BYTES`.

It is run apart, since what it reads was made by strangers and the decoders are C. Prints `WIDTH HEIGHT BYTES`; exit
status 3 with a reason if it is no picture that is taken.

Invariant: what is written is made of pixels alone: no metadata, no comment, no profile, nothing behind the picture's
end. Memory, time and what is written are bounded by the kernel.
"""

import resource
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

MAX_PIXELS = 40_000_000  # of one frame: a telephone's 48 megapixel mode writes 12 by default, 24 at most
MAX_SIDE = 16_000
MAX_FRAMES = 600
MAX_ALL_PIXELS = 120_000_000  # of all frames together
_MEMORY_BYTES = 1_536 * 1024 * 1024
_CPU_S = 20
REFUSED = 3
_STILL: Final[dict[str, dict[str, Any]]] = {"JPEG": {"quality": 88, "optimize": True}, "WEBP": {"quality": 88}}
_MOVING: Final[dict[str, dict[str, Any]]] = {"GIF": {"disposal": 2}, "WEBP": {"quality": 80, "method": 2}}
_FAULTS = (OSError, ValueError, SyntaxError, MemoryError, EOFError, ArithmeticError, LookupError, Warning)


def main(source: str, target: str, kind: str, most_bytes: str) -> int:
    """Write `source` anew to `target`."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), int(most_bytes)))
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error")
    try:
        with Image.open(source, formats=[kind]) as picture:
            width, height = _write(picture, target, kind)
    except (UnidentifiedImageError, Image.DecompressionBombError, *_FAULTS) as error:
        print(type(error).__name__)
        return REFUSED
    print(width, height, Path(target).stat().st_size)
    return 0


def _write(picture: Image.Image, target: str, kind: str) -> tuple[int, int]:
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ValueError("too many pixels")
    frames = int(getattr(picture, "n_frames", 1))
    if frames > MAX_FRAMES or width * height * frames > MAX_ALL_PIXELS:
        raise ValueError("too many frames")
    if frames > 1 and kind != "JPEG":
        return _write_moving(picture, target, kind)
    still = _bare(ImageOps.exif_transpose(picture), kind)
    still.save(target, kind, **_STILL.get(kind, {}))
    return still.size


def _write_moving(picture: Image.Image, target: str, kind: str) -> tuple[int, int]:
    frames, lasting_ms = [], []
    times = picture.info.get("loop", 1 if kind != "GIF" else None)  # a GIF that does not say is played once
    for frame in ImageSequence.Iterator(picture):
        frames.append(_bare(frame, kind))
        lasting_ms.append(int(frame.info.get("duration", 0)) or 100)
    loop = {} if times is None else {"loop": times}
    options = {**_MOVING.get(kind, {}), **loop}
    frames[0].save(target, kind, save_all=True, append_images=frames[1:], duration=lasting_ms, **options)
    return frames[0].size


def _bare(frame: Image.Image, kind: str) -> Image.Image:
    """Return the pixels of `frame` in sRGB, with nothing beside them."""
    see_through = kind != "JPEG" and (frame.mode in ("RGBA", "LA", "PA") or "transparency" in frame.info)
    shown = _in_srgb(frame, "RGBA" if see_through else "RGB")
    shown.info = {}
    return shown


def _in_srgb(frame: Image.Image, mode: str) -> Image.Image:
    profile = frame.info.get("icc_profile")
    if not profile or frame.mode not in ("RGB", "RGBA"):
        return frame.convert(mode)
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        seen = ImageCms.profileToProfile(frame.convert("RGB"), source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return frame.convert(mode)
    assert seen is not None, "not in place"
    if mode == "RGBA":
        seen.putalpha(frame.convert("RGBA").getchannel("A"))
    return seen


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
