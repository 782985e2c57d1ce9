"""The portal's documents: people's sessions, and statements that were issued; and in memory the public stream."""

from services.portal.store.public_names import PublicNames
from services.portal.store.public_stream import PublicFestival, PublicLot, PublicStream, PublicSum
from services.portal.store.sessions import PortalSession, PortalSessions
from services.portal.store.statements import Amounts, Statement, Statements, corrected_by

__all__ = [
    "Amounts",
    "PortalSession",
    "PortalSessions",
    "PublicFestival",
    "PublicLot",
    "PublicNames",
    "PublicStream",
    "PublicSum",
    "Statement",
    "Statements",
    "corrected_by",
]
