"""The key of a device: made at its first record, in a file beside the spool that only its owner reads.

It is in no export and no copy of the spool. A device whose key is lost makes another one, and is enrolled again. It
then sends what the lost key has signed, signed again if nobody had enrolled that one.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from shared import file_locks
from shared.access.signatures import PrivateKey, new_device_key
from shared.events.identity import Curve
from shared.private_file import replace_private


class DeviceKeyFile:
    """The file of one device's key. Its methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def key(self) -> PrivateKey:
        """The key, made now if there is none yet or none that can be read."""
        known = self._read()
        if known is not None:
            return known
        with self._locked():
            # Two processes that make the first key must get the same one.
            known = self._read()
            if known is None:
                known = new_device_key()
                self._write(known.as_dict(private=True))
            return known

    @property
    def identity(self) -> str | None:
        """The identity service at which this key is enrolled, as far as is known here."""
        identity = self._fields().get("identity")
        return identity if isinstance(identity, str) else None

    def enrolled(self, identity: str) -> None:
        """Note where the key is enrolled."""
        self.key()
        with self._locked():
            self._write({**self._fields(), "identity": identity})

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            file_locks.lock(folder)
            yield
            # A record that the key signs must not outlive it.
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, fields: Mapping[str, Any]) -> None:
        replace_private(self.path, json.dumps(fields).encode())

    def _fields(self) -> dict[str, Any]:
        try:
            fields = json.loads(self.path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return fields if isinstance(fields, dict) else {}

    def _read(self) -> PrivateKey | None:
        fields = self._fields()
        members: dict[str, str | list[str]] = {
            name: fields[name] for name in ("kty", "crv", "x", "d") if name in fields
        }
        try:
            key = OKPKey.import_key(members)
            # The library reads the numbers only now.
            key.get_op_key("sign")
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        return key if fields["crv"] == Curve.ED25519 else None
