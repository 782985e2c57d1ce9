"""The portal's documents: people's sessions, and the statements that were issued."""

from services.portal.store.sessions import PortalSession, PortalSessions
from services.portal.store.statements import Amounts, Statement, Statements

__all__ = ["Amounts", "PortalSession", "PortalSessions", "Statement", "Statements"]
