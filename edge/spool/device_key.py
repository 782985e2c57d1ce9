"""The key of a device: made at its first record, in a file beside the spool that only its owner reads.

It is in no export and no copy of the spool. A device whose key is lost makes another one, and is enrolled again.
"""

import fcntl
import json
import os
from pathlib import Path
from uuid import uuid4

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from shared.access.signatures import PrivateKey, new_device_key


class DeviceKeyFile:
    """The file of one device's key. Its methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def key(self) -> PrivateKey:
        """The key, made now if there is none yet or none that can be read."""
        known = self._read()
        if known is not None:
            return known
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            # Two processes that make the first key must get the same one.
            fcntl.flock(folder, fcntl.LOCK_EX)
            return self._read() or self._make(folder)
        finally:
            os.close(folder)

    def _make(self, folder: int) -> PrivateKey:
        made = new_device_key()
        fresh = self.path.with_name(f"{self.path.name}.{uuid4().hex}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(made.as_dict(private=True), file)
                file.flush()
                # A record that it signs must not outlive it.
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        os.fsync(folder)
        return made

    def _read(self) -> PrivateKey | None:
        try:
            fields = json.loads(self.path.read_bytes())
            key = OKPKey.import_key(fields)
            # The library reads the numbers only now.
            key.get_op_key("sign")
        except (FileNotFoundError, JoseError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return key if fields.get("crv") == "Ed25519" else None
