"""The opening of the portal to phones in the local network, for `karya up`."""

import sys
from datetime import UTC, datetime

import segno

from cli.console import out, say, warn
from deploy.local.lan import LocalNetwork
from shared.translation import tr

INSTALL = "/install"


def choose_network(network: LocalNetwork, host: str | None, *, is_served: bool) -> bool:
    """Open the portal at this address, or close it without one. Whether the certificate is a new one."""
    if host is None:
        network.close()
        return False
    return network.open(host, datetime.now(UTC), is_served=is_served)


def show_network(network: LocalNetwork) -> None:
    """Print the portal's address for phones, how to trust it, and a warning; nothing if it is closed."""
    if (address := network.address) is None:
        return
    say()
    say(tr("Phones in the local network open {address}", address=f"{address.origin}{INSTALL}"))
    if out.is_terminal:
        segno.make(f"{address.origin}{INSTALL}", micro=False).terminal(sys.stdout, border=2, compact=True)
    say(tr("That page helps to install the certificate, whose authority a phone has to trust. Its SHA-256 is:"))
    say(network.fingerprint)
    warn(
        tr(
            "Everybody in this network reaches the portal now, and no other server. The sample accounts are for "
            "trying out. Keep their passwords to yourself, and enter nothing real. "
            "`karya up` without --lan closes it, and so does `karya down`."
        )
    )
    say(tr("Tills and terminals send with an enrolled key alone meanwhile: `karya devices code`."))
