"""Signatures of webhooks, by the Standard Webhooks specification 1.0 (standardwebhooks.com): its libraries verify them.

HMAC-SHA256 over `id.timestamp.body`, in base64, in the header `webhook-signature`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"
VERSION: Final = "v1"


def signed(secret: str, ident: str, at: float, body: bytes) -> dict[str, str]:
    """Return the headers that sign `body`, sent at `at` (epoch seconds) under an id.

    >>> signed(
    ...     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ...     "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     1614265330.0,
    ...     b'{"test": 2432232314}',
    ... )["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    timestamp = str(int(at))
    content = b".".join([ident.encode(), timestamp.encode(), body])
    digest = hmac.new(key_of(secret), content, hashlib.sha256).digest()
    return {
        "webhook-id": ident,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"{VERSION},{base64.b64encode(digest).decode()}",
    }


def key_of(secret: str) -> bytes:
    """Return the key of a secret: what stands in base64 behind `whsec_`, or the secret's own bytes."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
