"""Images of a company's brand: put once, then named by their address wherever an image is asked for.

Invariant: what is kept was painted anew, so nothing but its pixels came with it.
"""

from typing import Any

import msgspec

from admin.http.operations import Call, Operation
from admin.http.problems import TOO_LARGE, UNAVAILABLE, UNSUPPORTED, Problem
from admin.http.replies import Reply
from admin.office import Office
from admin.once import once
from store.files.brand import BrandImages
from store.files.bucket import BucketAway
from store.files.pictures import Busy, NoPicture
from store.files.sniffing import PICTURES
from store.sql.queries import audit_log
from store.sql.queries.audit_log import Deed


class Image(msgspec.Struct):
    """An image that is kept. `address`: a path at the server, which a chatflow's heading may have for its `image`."""

    address: str
    type: str
    size_bytes: int
    width: int
    height: int


def operations(office: Office, images: BrandImages) -> list[Operation]:
    """Return what can be asked about images."""

    async def create(call: Call) -> Reply:
        try:
            kept = await images.keep(call.caller.account, call.body)
        except NoPicture as no:
            raise Problem(UNSUPPORTED, f"this image is not taken: {no}") from None
        except (Busy, BucketAway):
            raise Problem(UNAVAILABLE, "images cannot be kept just now; try again") from None
        image = Image(kept.address, kept.type, kept.size_bytes, kept.width, kept.height)
        reply = Reply(msgspec.to_builtins(image), 201, headers={"Location": kept.address})
        deed = Deed(office.now_ms(), call.caller.actor, "image.created", kept.address)

        def note(sql: Any) -> Reply:
            audit_log.add(sql, call.caller.account, deed)
            return reply

        return await once(office, call, note)

    statuses = (TOO_LARGE.status, UNSUPPORTED.status)
    return [
        Operation("POST", "/images", "create_image", "Keep an image of up to 1 MiB; animation is kept.", create,
                  "chatflows.edit", answer=Image, status=201, problems=statuses, tag="images",
                  once=True, bytes_of=tuple(PICTURES)),
    ]  # fmt: skip
