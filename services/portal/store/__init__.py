"""The portal's documents: people's sessions."""

from services.portal.store.sessions import PortalSession, PortalSessions

__all__ = ["PortalSession", "PortalSessions"]
