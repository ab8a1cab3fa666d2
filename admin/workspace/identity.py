"""Whether an identity key can do what its algorithm needs of it.

Invariant: no part of the material is repeated in a mistake, and a private key is refused: only the company has that.
"""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from admin.workspace.structs import Placed
from protocol.bus.config import IdentityKey
from protocol.bus.minting import KID

MIN_SECRET_BYTES = 32
MIN_RSA_BITS = 2048


def check_key(key: Placed[IdentityKey]) -> None:
    """Note what is wrong with the key, if anything."""
    if key.thing.kid == KID:
        key.wrong("kid", f"{KID} is the key with which Samtale itself signs: name yours otherwise")
    if key.thing.algorithm and key.thing.material:
        reason = _why_not(key.thing)
        if reason:
            key.wrong("material", reason)


def _why_not(key: IdentityKey) -> str:
    if key.algorithm == "HS256":
        short = len(key.material.encode()) < MIN_SECRET_BYTES
        return f"a secret for HS256 needs at least {MIN_SECRET_BYTES} bytes" if short else ""
    if "PRIVATE KEY" in key.material:
        return "is a private key; give the public one, and let nobody see the private one"
    try:
        public = load_pem_public_key(key.material.encode())
    except ValueError:
        return "is not a public key in PEM form"
    match key.algorithm, public:
        case ("RS256", RSAPublicKey()) if public.key_size >= MIN_RSA_BITS:
            return ""
        case ("ES256", EllipticCurvePublicKey()) if isinstance(public.curve, SECP256R1):
            return ""
        case ("EdDSA", Ed25519PublicKey()):
            return ""
    return f"is not a key for {key.algorithm} (RSA of {MIN_RSA_BITS} bits or more, P-256, Ed25519)"
