"""A picture goes from the phone to the desk, and leaves at home what nobody was meant to see."""

import io
import secrets

import samtale
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.demo.cast import Cast
from app.demo.facts import NotSo, require
from app.demo.phone import Phone
from app.demo.rest import keyed
from app.demo.scenes.flows import reader, served

_SIDE_PX = 24


async def attachment(cast: Cast) -> str:
    """Not before consent; then painted anew, and without what was written behind the picture."""
    secret = f"taken at {secrets.token_hex(12)}"
    content = _picture(secret)
    require(secret.encode() in content, "the search is blind: the picture holds no comment")
    async with keyed(cast, "the demo") as rest, served(rest) as name, reader(cast, "Aino", name) as phone:
        code = await _refusal(phone, content)
        cast.narrator.sees("Aino", f"before she agrees: {code}")
        require(code == "consent_required", f"a file before consent was refused {code}")
        await phone.agrees()
        cast.narrator.does("Aino", f"sends card.png, {len(content)} bytes")
        sent = await phone.client.send_file(content, "My library card", name="card.png", type_="image/png")
        await phone.outcome(sent, "sends a picture")
        ida = cast.desk("Ida")
        await ida.gets(phone.conversation)
        heard = await ida.is_told("Ida is sent a file", samtale.LogEvent, lambda told: bool(_files(told)))
        [file] = _files(heard)
        got = await ida.client.download(phone.conversation, file.id)
        cast.narrator.sees("Ida", f"{file.name}: {file.width} × {file.height}, {len(got)} bytes")
    with Image.open(io.BytesIO(got)) as picture:
        size = picture.size
    require(size == (_SIDE_PX, _SIDE_PX), f"the picture is {size}")
    require(secret.encode() not in got, "the comment came along")
    return f"{code} before she agreed; then {file.width} × {file.height} pixels, without the comment that was in it"


async def _refusal(phone: Phone, content: bytes) -> str:
    try:
        await phone.client.send_file(content, name="card.png", type_="image/png")
    except samtale.RefusedError as error:
        return error.refused.code
    raise NotSo("a file was taken before consent")


def _files(told: samtale.LogEvent) -> list[samtale.File]:
    message = told.body if isinstance(told.body, samtale.Message) else None
    return message.content.files if message and isinstance(message.content, samtale.Files) else []


def _picture(comment: str) -> bytes:
    """Return a PNG with a comment that no viewer shows."""
    about, written = PngInfo(), io.BytesIO()
    about.add_text("Comment", comment)
    Image.new("RGB", (_SIDE_PX, _SIDE_PX), "#0b6e4f").save(written, "PNG", pnginfo=about)
    return written.getvalue()
