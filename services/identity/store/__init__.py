"""What identity keeps: accounts and devices, which can be made anew from events, and secrets, which can't."""

from services.identity.store.accounts import ACCOUNT_COMMANDS, ACCOUNTS
from services.identity.store.devices import DEVICES
from services.identity.store.secrets import SECRETS, Secrets

__all__ = ["ACCOUNTS", "ACCOUNT_COMMANDS", "DEVICES", "SECRETS", "Secrets"]
