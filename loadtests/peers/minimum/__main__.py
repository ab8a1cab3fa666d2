"""One process of the minimum: `python -m loadtests.peers.minimum gateway REDIS_URL NAME`, or `engine REDIS_URL`."""

import asyncio
import sys

from app.part import spare_what_is_loaded
from loadtests.peers.minimum import engine, gateway


def main() -> None:
    """Run until ended."""
    spare_what_is_loaded()
    match sys.argv[1:]:
        case ["gateway", url, name]:
            work = gateway.run(url, name)
        case ["engine", url]:
            work = engine.run(url)
        case _:
            sys.exit(__doc__)
    if sys.platform == "win32":
        asyncio.run(work)
    else:
        import uvloop

        uvloop.run(work)


if __name__ == "__main__":
    main()
