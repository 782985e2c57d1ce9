"""How identity decides about devices: pure, the same at every replay."""

from dataclasses import replace

from services.identity.domain.account import AccountRejection
from services.identity.domain.commands import Outcome, actor_of, decide
from services.identity.domain.device import EnrolledDevice
from shared.events.identity import (
    DEVICE_ROLES,
    SCOPES,
    AccountRefusal,
    DeviceEnrolled,
    DeviceRevoked,
    EnrolDevice,
    RevokeDevice,
    Role,
)
from shared.events.language import Event
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message


def wrong_place(role: Role, scope: str) -> Message | None:
    """Why no device can have this role with this scope, in words; None if one can."""
    if role not in DEVICE_ROLES:
        return Message("The role {role} is none of a device. Devices are terminal or till.", role=role.value)
    return SCOPES[role].wrong(scope)


def enrol(state: State, event: Event, body: EnrolDevice) -> Decision:
    """A device begins. Said again of a device that is there, it changes nothing."""

    def enrolled(existing: EnrolledDevice | None) -> Outcome[EnrolledDevice]:
        if (message := _wrong_device(body)) is not None:
            return AccountRejection("subject", AccountRefusal.BAD_DEVICE, message)
        if existing is None:
            fact = DeviceEnrolled(
                subject=body.subject,
                public_key=body.public_key,
                role=body.role,
                scope=body.scope,
                name=body.name,
                actor=actor_of(event),
                enrolled_at=event.logged_at,
            )
            device = EnrolledDevice(body.subject, body.public_key, body.role, body.scope, body.name, event.logged_at)
            return device, fact
        if existing.revoked_at is not None:
            message = Message(
                "The key of this device is revoked. Move its .key file away, and enrol it with a new code."
            )
            return AccountRejection("subject", AccountRefusal.DEVICE_REVOKED, message)
        if (existing.role, existing.scope, existing.name) != (body.role, body.scope, body.name):
            message = Message(
                "The device is enrolled already, as {role} {name} of {scope}.",
                role=existing.role.value,
                name=existing.name,
                scope=existing.scope,
            )
            return AccountRejection("subject", AccountRefusal.DEVICE_ENROLLED, message)
        return existing, None

    return decide(state, event, body, EnrolledDevice, enrolled)


def revoke(state: State, event: Event, body: RevokeDevice) -> Decision:
    """A device ends for good. Its key stays on record, so that nobody enrols it again."""

    def revoked(device: EnrolledDevice | None) -> Outcome[EnrolledDevice]:
        if device is None:
            message = Message("There is no device {device}.", device=body.subject)
            return AccountRejection("subject", AccountRefusal.UNKNOWN_DEVICE, message)
        if device.revoked_at is not None:
            return device, None
        fact = DeviceRevoked(subject=device.id, reason=body.reason, actor=actor_of(event), revoked_at=event.logged_at)
        return replace(device, revoked_at=event.logged_at), fact

    return decide(state, event, body, EnrolledDevice, revoked)


def _wrong_device(body: EnrolDevice) -> Message | None:
    if body.subject != body.public_key.device:
        return Message("The subject of a device follows from its key, and this one does not.")
    return wrong_place(body.role, body.scope) or DEVICE_ROLES[body.role].wrong(body.name)
