"""A picture goes from the phone to the desk, and leaves at home what nobody was meant to see."""

import secrets
import struct
import zlib

import samtale

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
    size = struct.unpack(">II", got[16:24])  # where a PNG says it
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
    """Return a green PNG with a comment that no viewer shows."""
    row = b"\0" + bytes((11, 110, 79)) * _SIDE_PX
    chunks = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", _SIDE_PX, _SIDE_PX, 8, 2, 0, 0, 0)),
        _chunk(b"tEXt", b"Comment\0" + comment.encode()),
        _chunk(b"IDAT", zlib.compress(row * _SIDE_PX)),
        _chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
