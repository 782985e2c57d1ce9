"""The database of identity's secrets. No processor writes it and no rebuild touches it; nothing makes it anew."""

from services.identity.store.challenges import Challenges
from services.identity.store.codes import Codes
from services.identity.store.credentials import Credentials
from services.identity.store.passwords import Passwords
from services.identity.store.provider_sign_ins import ProviderSignIns
from services.identity.store.sessions import Sessions
from services.identity.store.signing_keys import Keyring
from shared.documents import Database

# The name of the database, after the prefix of all databases.
SECRETS = "identity_secrets"


class Secrets:
    """Everything in the database."""

    def __init__(self, database: Database) -> None:
        self.passwords = Passwords()
        self.credentials = Credentials(database)
        self.sessions = Sessions(database)
        self.invitations = Codes(database, "invitations")
        self.resets = Codes(database, "resets")
        self.device_codes = Codes(database, "device_codes")
        self.provider_sign_ins = ProviderSignIns(database)
        self.keys = Keyring(database)
        self.challenges = Challenges(database, self.keys)

    async def prepare(self) -> None:
        """Make the indexes by which the server removes what is old. Raises PyMongoError."""
        await self.sessions.prepare()
        await self.invitations.prepare()
        await self.resets.prepare()
        await self.device_codes.prepare()
        await self.provider_sign_ins.prepare()
        await self.challenges.prepare()
