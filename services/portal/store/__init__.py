"""The portal's documents: people's sessions, and statements that were issued. And the public stream, which
is read again at each start."""

from services.portal.store.public_names import PublicNames
from services.portal.store.public_parts import PublicLot
from services.portal.store.public_stream import PublicFestival, PublicStream, PublicSum, season_now
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
    "season_now",
]
