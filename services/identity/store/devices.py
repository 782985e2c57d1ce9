"""The MongoDB documents of devices."""

from typing import Any

from services.identity.domain.device import EnrolledDevice
from shared.events.identity import PublicKey, Role
from shared.runtime.processor import Collection, Document

# A booth's festival, so that an organiser finds the tills of all its booths.
FESTIVAL = "festival"


def _to_document(device: EnrolledDevice) -> dict[str, Any]:
    return {
        "key": device.public_key.fields,
        "role": device.role.value,
        "scope": device.scope,
        FESTIVAL: device.scope.partition(".")[0] if device.role is Role.TILL else None,
        "name": device.name,
        "enrolled_at": device.enrolled_at,
        "revoked_at": device.revoked_at,
    }


def _from_document(document: Document) -> EnrolledDevice:
    return EnrolledDevice(
        id=document["_id"],
        public_key=PublicKey.of(document["key"]),
        role=Role(document["role"]),
        scope=document["scope"],
        name=document["name"],
        enrolled_at=document["enrolled_at"],
        revoked_at=document["revoked_at"],
    )


DEVICES = Collection(
    "devices", EnrolledDevice, _to_document, _from_document, listed_by=("arrived", "scope", FESTIVAL)
)
