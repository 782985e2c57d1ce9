"""`karya rotate`: new passwords and certificates for this checkout's secured stack, while it goes on working."""

import asyncio
from datetime import UTC, datetime

from cli.console import err, say, show_json
from cli.local_stack import FOLDER
from cli.stack import Json, local_services
from deploy.local.kafka import BROKERS, CLIENTS, NODE
from deploy.local.stack import LocalStack, StackError
from deploy.secure import certificates
from deploy.secure.acls import principals
from deploy.secure.files import ADMINISTRATOR, MONGO
from deploy.secure.rotation import admit_other_users, renew_kafka_certificate, retire_former_users
from shared.translation import tr


def rotate(as_json: Json = False) -> None:
    """Give every user of Kafka and MongoDB a new password, and both servers new certificates.

    The services restart one after the other, and so does MongoDB. Kafka goes on.
    """
    stack = LocalStack(FOLDER, keep_running=True)
    if stack.secrets is None:
        raise StackError(tr("This stack lets everybody in. `karya up --secure` makes one with users, with new data."))
    services, everybody = local_services(stack), (*principals(stack.addresses.settings()), ADMINISTRATOR)
    now = datetime.now(UTC)
    with err.status(tr("Admitting users with new passwords")) as progress:
        asyncio.run(admit_other_users(stack.addresses.settings(), stack.secrets, everybody))
        for name in services.servers:
            progress.update(tr("Restarting {server}", server=name))
            services.restart(name)
        progress.update(tr("Removing the former users"))
        asyncio.run(retire_former_users(stack.addresses.settings(), stack.secrets, everybody))
        progress.update(tr("Renewing certificates"))
        settings, listeners = stack.addresses.settings(), (CLIENTS, BROKERS)
        asyncio.run(renew_kafka_certificate(settings, stack.secrets, NODE, listeners, now))
        certificates.renew(stack.secrets, MONGO, now)
        stack.restart(MONGO)
    if as_json:
        show_json({"rotated": [*everybody, *certificates.SERVERS]})
    else:
        say(tr("All passwords and certificates are new."))
