"""A small season played through the real services: three facilities, one festival, two booths. All made up.

A third booth is opened by mistake and merged. Tills also sell at two booths that nobody opened."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from deploy.stack import Stack
from ops import mending
from ops.dlq import DeadLetters, dead_letters
from ops.drafts import draft
from ops.letters import Letter
from shared import envelope
from shared.events.catalogue import ENTRY_COMMANDS, RetireEntry, SetFacility, SetProduct
from shared.events.festival import (
    ORGANISER,
    AnnounceFestival,
    CloseFestival,
    CountedLot,
    Demand,
    DisputeOutcome,
    LossPlace,
    MergeBooths,
    MoveStray,
    OpenBooth,
    Price,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    RecountReturn,
    RecountShipment,
    ReopenBooth,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    SendShipment,
    SendTransfer,
)
from shared.events.gateway import HELD_COMMANDS, HoldRecord, RecordHeader, RefuseRecords, ReleaseRecords
from shared.events.identity import (
    IDENTITY_COMMANDS,
    CloseAccount,
    Curve,
    EnrolDevice,
    GrantRole,
    KeyKind,
    OpenAccount,
    PublicKey,
    ReplaceCredential,
    RevokeDevice,
    Role,
    WithdrawRole,
)
from shared.events.language import Body, Topic
from shared.events.production import (
    TERMINAL,
    LiftRecall,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    WithdrawReport,
)
from shared.events.sales import (
    TILL,
    BoothCounted,
    CashCounted,
    DrawerOpened,
    LotCount,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.place import a_place
from tests.support.probe import Probe, a_probe
from tests.support.running import run_service
from tests.support.waiting import eventually

SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway")
FESTIVAL = "ODOP"
B1, B2 = "ODOP.B1", "ODOP.B2"
T1, T2 = "B1.T1", "B2.T1"
SUBJECTS = KEEPER, ORGANISING, LEAVING = tuple(f"s-{letter * 26}" for letter in "klm")
KEPT_KEY, LOST_KEY = (PublicKey(kty=KeyKind.OKP, crv=Curve.ED25519, x=letter * 43) for letter in "KL")
# Opened by mistake; never opened, and moved; never opened, and left as it is.
MERGED, STRAY, UNMOVED = "ODOP.B3", "odop.b1", "odop.b9"
MERGED_TILL, STRAY_TILL, UNMOVED_TILL = "B3.T1", "b1.T1", "b9.T1"
BOOTH_OF = {T1: B1, T2: B2, MERGED_TILL: MERGED, STRAY_TILL: STRAY, UNMOVED_TILL: UNMOVED}
CLOTH, CRAFT, ALSO_CRAFT = "PR-KPG", "LP-KPG", "LA-KPG"
NEW = "LP-SOE"
MAKERS = ("p.mazcrdi4ewgq7ubn", "p.k5txh3bqv2ojy6la")
STRANGER = "p.wd7ne2sfr9cuk1xp"
PRICE = 250_000
# The report, by its number, that can't be read and is mended; and what comes instead of such records.
MADE_WRONG = 2
WRONG, STRAY_WRONG = b'{"qty":"40"}', b'{"qty":"2"}'
WITHIN = 30.0


@dataclass(slots=True)
class RunningSeason:
    """What was played, and the hands to play more: each record of a till's device follows the one before it."""

    settings: Settings
    probe: Probe
    mongo: Mongo
    today: date
    lots: list[str] = field(default_factory=list)
    recalled: str = ""
    withdrawn: str = ""
    moved: str = ""
    records: dict[str, list[str]] = field(default_factory=dict)

    async def say(
        self,
        topic: Topic,
        body: Body,
        id: str,
        source: str = "season",
        times: int = 1,
        actor: str | None = None,
    ) -> None:
        for _ in range(times):
            await self.probe.send(topic, body, id=id, source=source, actor=actor)

    async def mend(self, topic: Topic, body: Body, wrong: bytes, id: str, source: str = "season") -> None:
        """Say `wrong` instead of the body, and mend it when it is a dead letter."""
        headers = envelope.headers(id=id, source=source, topic=topic, body=body, time=now())
        await self.probe.send_raw(topic, key=topic.key_of(body).encode(), value=wrong, headers=headers)
        async with dead_letters(self.settings) as letters:
            letter = await self.letter(letters, topic, wrong)
            right = draft(letter, body=envelope.encode(body))
            assert (await mending.mend(letters, letter, right, actor="op.kupang", wait=WITHIN)).worked

    async def archive(self, topic: Topic, wrong: bytes) -> None:
        """Archive the dead letter with this value."""
        async with dead_letters(self.settings) as letters:
            letter = await self.letter(letters, topic, wrong)
            assert await mending.archive(letters, letter, actor="op.kupang", reason="a broken cable")

    async def letter(self, letters: DeadLetters, topic: Topic, value: bytes) -> Letter:
        """The dead letter with this value, once it is there."""
        matches: list[Letter] = []

        async def there() -> int:
            matches[:] = [letter for letter in await letters.all({topic.name}) if letter.value == value]
            return len(matches)

        await eventually(there, equals=1, within=WITHIN)
        return matches[0]

    async def till(
        self, kind: Callable[..., Body], till: str, id: str, *, wrong: bytes | None = None, **fields: Any
    ) -> None:
        """The next record of a till's device. With `wrong` instead of its body it is a dead letter at first."""
        records = self.records.setdefault(till, [])
        place = {"device": device(till), "seq": len(records) + 1, "previous": records[-1] if records else None}
        records.append(id)
        body = kind(booth=BOOTH_OF[till], till=till, **place, **fields)
        if wrong is not None:
            await self.mend(TILL, body, wrong, id, source=till)
        else:
            await self.say(TILL, body, id, source=till)

    async def sell(
        self, till: str, id: str, lot: str | None, qty: int, product: str = "KTI", *, wrong: bytes | None = None
    ) -> None:
        """A receipt of one line, paid in cash."""
        await self.basket(till, id, [(lot, qty, product)], wrong=wrong)

    async def basket(self, till: str, id: str, lines: Sequence[tuple[str | None, int, str]], **fields: Any) -> None:
        """A receipt of several lines: lot, pieces and product of each."""
        numbered = tuple(
            ReceiptLine(line=line, lot=lot, product=product, qty=qty, unit_price_rupiah=PRICE)
            for line, (lot, qty, product) in enumerate(lines, 1)
        )
        paid = {"payment": Payment(kind=PaymentKind.CASH), "price_list": 1, "sold_at": now()}
        await self.till(ReceiptIssued, till, id, **paid | {"lines": numbered} | fields)

    async def last_word(self, till: str, opening: int = 1) -> None:
        """The till closes."""
        last_seq = len(self.records.get(till, ())) + 1
        await self.till(TillClosed, till, f"closed-{till}-{opening}", last_seq=last_seq, opening=opening)

    async def sold(self, status: str | None = None, count: int = 1, **wanted: Any) -> None:
        """Until so many receipts have a sale of this status (or are there), and are as wanted."""
        of = {} if status is None else {"sales.status": status}
        await self.until("sales", "receipts", of | wanted, count)

    async def until(self, service: str, collection: str, wanted: dict[str, Any], count: int = 1) -> None:
        """Until so many documents are as wanted."""
        documents = self.mongo.database(service)[collection]
        await eventually(lambda: documents.count_documents(wanted), equals=count, within=WITHIN)

    async def lines(self, request: str) -> list[dict[str, Any]]:
        """The lines of the request of this id, in order."""
        pages = self.mongo.database("festival")["plan_lines"].find({"request": request}).sort("number", 1)
        return [line for page in await pages.to_list(None) for line in page["lines"]]

    async def document(self, service: str, collection: str, id: str) -> dict[str, Any]:
        document = await self.mongo.database(service)[collection].find_one({"_id": id})
        assert document is not None, f"{service} has no {collection} {id}"
        return document


def now() -> datetime:
    return datetime.now(UTC)


def device(till: str) -> str:
    """The device that stands at a till."""
    return f"device-{till}"


@asynccontextmanager
async def finished_season(stack: Stack) -> AsyncIterator[RunningSeason]:
    """All of it, from the first report to the last piece at home, in a place of its own; the services are stopped."""
    async with a_place(stack) as settings, a_probe(settings) as probe:
        season = RunningSeason(settings, probe, Mongo(settings), (now() - timedelta(days=1)).date())
        try:
            async with AsyncExitStack() as running:
                for service in SERVICES:
                    await running.enter_async_context(run_service(service, settings))
                await accounts(season)
                await catalogue(season)
                await make(season)
                await allocate(season)
                await season.until("identity", "accounts", {"_id": ORGANISING, "roles.scope": FESTIVAL})
                await move(season)
                await recount(season)
                await sell(season)
                await take_back(season)
                await merge(season)
                await move_stray(season)
                await replenish(season)
                await close(season)
                await bring_home(season)
                await recount_home(season)
                await hold(season)
            yield season
        finally:
            await season.mongo.close()


@asynccontextmanager
async def morning_season(stack: Stack) -> AsyncIterator[RunningSeason]:
    """The season up to the morning: both booths have goods, and all services are at work."""
    async with a_place(stack) as settings, a_probe(settings) as probe, AsyncExitStack() as running:
        season = RunningSeason(settings, probe, Mongo(settings), (now() - timedelta(days=1)).date())
        running.push_async_callback(season.mongo.close)
        for service in SERVICES:
            await running.enter_async_context(run_service(service, settings))
        await make(season)
        await allocate(season)
        yield season


async def accounts(season: RunningSeason) -> None:
    """Three accounts: one loses a role and is refused another, one is closed, and one announces the festival. Two
    devices, of which one is lost."""
    commands: list[Body] = [OpenAccount(subject=subject, credential=f"c{subject}") for subject in SUBJECTS]
    commands += [
        GrantRole(subject=KEEPER, role=Role.ADMINISTRATOR),
        GrantRole(subject=KEEPER, role=Role.AUDITOR),
        GrantRole(subject=KEEPER, role=Role.CASHIER, scope="nobooth"),
        WithdrawRole(subject=KEEPER, role=Role.AUDITOR),
        ReplaceCredential(subject=ORGANISING, credential="c-new"),
        GrantRole(subject=LEAVING, role=Role.CASHIER, scope=B1),
        CloseAccount(subject=LEAVING, reason="made up"),
        *(
            EnrolDevice(subject=key.device, public_key=key, role=Role.TILL, scope=B1, name=name)
            for key, name in ((KEPT_KEY, T1), (LOST_KEY, "B1.T2"))
        ),
        RevokeDevice(subject=LOST_KEY.device, reason="made up"),
    ]
    for number, command in enumerate(commands):
        await season.say(IDENTITY_COMMANDS, command, f"account-{number}", actor=KEEPER)
    await season.until("identity", "account_commands", {"status": "done"}, len(commands) - 1)
    await season.until("identity", "account_commands", {"status": "refused"})


async def hold(season: RunningSeason) -> None:
    """Three records of a lost terminal: an operator releases one and refuses one. Two commands come too late."""
    for number in (1, 2, 3):
        # A report names its maker, whom no other place of the gateway may know.
        body: Body = RecallLot(facility=NEW, terminal="T9", lot="none", reason="made up")
        if number > 1:
            body = _report(season, NEW, "SVR", number, MAKERS[0])
        headers = envelope.headers(
            id=f"lost-{number}", source=f"terminal/{NEW}/T9", topic=TERMINAL, body=body, time=now()
        )
        held = HoldRecord(
            place=NEW,
            device=LOST_KEY.device,
            record=f"lost-{number}",
            topic=TERMINAL.name,
            headers=tuple(RecordHeader(name=name, value=value.decode()) for name, value in headers),
            value_base64=b64encode(envelope.encode(body)).decode(),
        )
        await season.say(HELD_COMMANDS, held, f"hold-{number}", times=2)
    of_lost: dict[str, str] = {"place": NEW, "device": LOST_KEY.device}
    for id, command in {
        "release-1": ReleaseRecords(**of_lost, record="lost-1"),
        "refuse-2": RefuseRecords(**of_lost, record="lost-2", reason="made up"),
        "refuse-1": RefuseRecords(**of_lost, record="lost-1", reason="made up"),
        "release-none": ReleaseRecords(place=B1, device=LOST_KEY.device),
    }.items():
        await season.say(HELD_COMMANDS, command, id, actor=KEEPER)
    await season.until("gateway", "held_commands", {}, 4)
    await season.until("gateway", "facility_news", {"about": "lost-1", "type": "ReportRejected"})


async def catalogue(season: RunningSeason) -> None:
    """A report waits until staff add its facility, with a new product; a category is refused and one retired."""
    await season.say(TERMINAL, _report(season, NEW, "SVR", 3, STRANGER), "early")
    await season.until("production", "waiting_reports", {"_id": "early", "waits_at": NEW})
    products = {
        "PTG": SetProduct(entry="product/PTG", name="Patung", category="mebel", unit="buah", max_qty=20),
        "PTX": SetProduct(entry="product/PTX", name="Patung", category="no-such", unit="buah", max_qty=20),
    }
    for code, product in products.items():
        await season.say(ENTRY_COMMANDS, product, f"set-{code}")
    await season.until("production", "entry_commands", {"command": "set-PTG", "status": "done"})
    await season.until("production", "entry_commands", {"command": "set-PTX", "status": "refused"})
    facility = SetFacility(
        entry=f"facility/{NEW}", facility_kind="lapas", name=NEW, zone="Asia/Makassar", products=("PTG",)
    )
    await season.say(ENTRY_COMMANDS, facility, "set-facility")
    await season.until("production", "reports", {"_id": "early", "outcome": "rejected"})
    await season.say(ENTRY_COMMANDS, RetireEntry(entry="category/mebel", reason="made up"), "retire")
    await season.until("production", "entry_commands", {"command": "retire", "status": "done"})


async def make(season: RunningSeason) -> None:
    """Six lots, a correction that fits and one that does not, a refused report, and two that can't be read: one of
    them is mended, the other archived."""
    made = [
        (CLOTH, "KTI", 20),
        (CLOTH, "KTI", 10),
        (CLOTH, "SVR", 40),
        (CRAFT, "KRJ", 30),
        (CRAFT, "KRJ", 6),
        (ALSO_CRAFT, "KRJ", 8),
    ]
    for n, (facility, product, qty) in enumerate(made):
        if n == MADE_WRONG:
            await season.mend(TERMINAL, _report(season, facility, product, qty, MAKERS[n % 2]), WRONG, f"made-{n}")
            continue
        await season.say(
            TERMINAL, _report(season, facility, product, qty, MAKERS[n % 2]), f"made-{n}", times=1 + n % 2
        )
    await season.say(TERMINAL, _report(season, CLOTH, "NIX", 3, STRANGER), "refused")
    await season.say(TERMINAL, _report(season, CRAFT, "KRJ", 7, MAKERS[0]), "made-0", source="another-terminal")
    await season.probe.send_raw(TERMINAL, key=CLOTH.encode(), value=b'{"facility":', headers=[("ce_id", None)])
    await season.archive(TERMINAL, b'{"facility":')
    await season.until("inventory", "lots", {}, len(made))
    reports = await season.mongo.database("production")["reports"].find({"outcome": "accepted"}).to_list(None)
    season.lots = [report["lot"] for report in sorted(reports, key=lambda report: report["_id"])]
    for n, change in enumerate((-2, -150)):
        body = ProductionCorrected(facility=CLOTH, terminal=f"{CLOTH}.T1", lot=season.lots[0], change=change)
        await season.say(TERMINAL, body, f"corrected-{n}")
    await season.until("production", "reports", {"kind": "correction", "outcome": {"$ne": "waiting"}}, 2)


async def allocate(season: RunningSeason) -> None:
    """Both booths get cloth and craft; one piece is lost on the way, one lot is recalled at the booth."""
    await season.say(ORGANISER, _festival(), "announce", actor=ORGANISING)
    prices = tuple(Price(product=product, price_rupiah=PRICE) for product in ("KTI", "SVR", "KRJ"))
    for booth, till in ((B1, T1), (B2, T2)):
        opened = OpenBooth(festival=FESTIVAL, booth=booth, name=f"Booth {booth}", prices=prices, tills=(till,))
        await season.say(ORGANISER, opened, f"open-{booth}")
    await season.until("festival", "stock", {"on_hand": {"$gt": 0}}, len(season.lots))
    demands = [(B1, "KTI", 12), (B2, "KTI", 9), (B1, "KRJ", 16), (B2, "KRJ", 4), (B1, "SVR", 5)]
    request = RequestAllocation(
        festival=FESTIVAL,
        request="R1",
        demands=tuple(Demand(booth=booth, product=product, qty=qty) for booth, product, qty in demands),
        consent=True,
    )
    await season.say(ORGANISER, request, "request")
    await season.until("festival", "requests", {"status": "settled"})
    planned = await season.lines(f"{FESTIVAL}/R1")
    ways = sorted({(line["facility"], line["booth"]) for line in planned})
    for facility, booth in ways:
        name = f"S-{facility}-{booth}"
        sent = SendShipment(festival=FESTIVAL, request="R1", shipment=name, facility=facility, booth=booth)
        await season.say(ORGANISER, sent, f"send-{name}")
    await season.until("festival", "shipments", {"status": "sent"}, len(ways))
    for shipment in await season.mongo.database("festival")["shipments"].find({}).to_list(None):
        await season.say(ORGANISER, _received(shipment), f"receive-{shipment['name']}")
    await season.until("festival", "shipments", {"status": "received"}, len(ways))
    lost = RecordLoss(festival=FESTIVAL, lot=season.lots[3], place=LossPlace.FACILITY, qty=2, reason="damp")
    await season.say(ORGANISER, lost, "lost-at-facility")
    await season.until("festival", "commands", {"_id": "lost-at-facility", "outcome": "done"})


async def move(season: RunningSeason) -> None:
    """Three pieces go from the first booth to the second; one gets lost between them."""
    season.moved = await _lot_at(season, B1, "SVR")
    sent, counted = (CountedLot(lot=season.moved, qty=qty) for qty in (3, 2))
    leaves = SendTransfer(festival=FESTIVAL, transfer="T1", booth=B1, to=B2, lots=(sent,))
    await season.say(ORGANISER, leaves, "move")
    arrives = ReceiveTransfer(festival=FESTIVAL, transfer="T1", booth=B2, counted=(counted,))
    await season.say(ORGANISER, arrives, "moved")
    await season.until("sales", "booths", {"_id": B2, "lots.lot": season.moved})
    # Sales hears of both booths on one topic, but not in one order.
    await season.until("sales", "booths", {"_id": B1, "lots": {"$elemMatch": {"lot": season.moved, "moved": 3}}})


async def recount(season: RunningSeason) -> None:
    """A shipment to the second booth is counted again: it brought one piece more than was sent."""
    shipments = season.mongo.database("festival")["shipments"]
    shipment = await shipments.find_one({"booth": B2}, sort=[("_id", 1)])
    assert shipment is not None, "goods came to the second booth"
    first = shipment["stocked"][0]
    counted = (CountedLot(lot=first["lot"], qty=first["qty"] + 1),)
    command = RecountShipment(festival=FESTIVAL, shipment=shipment["name"], booth=B2, counted=counted)
    await season.say(ORGANISER, command, "recount")
    recounted = {"lots": {"$elemMatch": {"lot": first["lot"], "recount": 1}}}
    await season.until("sales", "booths", {"_id": B2, **recounted})


async def recount_home(season: RunningSeason) -> None:
    """Count a lot that came home again, twice: the first count was right."""
    booths = season.mongo.database("festival")["booths"]
    booth = await booths.find_one({"_id": B2, "lots.returned": {"$gt": 0}})
    assert booth is not None, "something came home from the second booth"
    lot = next(held for held in booth["lots"] if held["returned"])
    for name, qty in (("fewer", lot["returned"] - 1), ("as-before", lot["returned"])):
        command = RecountReturn(festival=FESTIVAL, booth=B2, lot=lot["lot"], qty=qty)
        await season.say(ORGANISER, command, f"home-{name}")
        await season.until("festival", "commands", {"_id": f"home-{name}", "outcome": "done"})


async def sell(season: RunningSeason) -> None:
    """Sales with and without a label, of more than is left and of far too many; a basket with a discount, of what two
    facilities make; voids, one of them refused; a loss at the booth, a recall. `sale-3` comes in a form that sales
    can't read, and is mended.

    `sale-5` is of all that came and was not sold for good, as if the lost piece had been found: no more can be
    believed."""
    cloth = await _lot_at(season, B1, "KTI")
    craft = await _lot_at(season, B1, "KRJ", CRAFT)
    await season.till(DrawerOpened, T1, "drawer", cashier="cashier.1", float_rupiah=100_000, opened_at=now())
    await season.sell(T1, "sale-1", cloth, 2)
    await season.basket(
        T1,
        "sale-2",
        [(None, 1, "KTI"), (craft, 1, "KRJ"), (None, 3, "KRJ")],
        discount_rupiah=1_000,
        payment=Payment(kind=PaymentKind.QRIS),
        drawer="drawer",
    )
    await season.sell(T1, "sale-3", cloth, 3, wrong=WRONG)
    await season.sell(T1, "sale-4", craft, 1, "KRJ")
    await season.sold("recorded", receipt="sale-4")
    lost = RecordLoss(festival=FESTIVAL, lot=cloth, place=LossPlace.BOOTH, booth=B1, qty=1, reason="torn")
    await season.say(ORGANISER, lost, "lost-at-booth")
    await season.until("sales", "booths", {"_id": B1, "lots": {"$elemMatch": {"lot": cloth, "lost": 1}}})
    [booth_lot] = [lot for lot in (await season.document("sales", "booths", B1))["lots"] if lot["lot"] == cloth]
    await season.sell(T1, "sale-5", cloth, booth_lot["stocked"] - booth_lot["label_qty"] - booth_lot["pool_qty"] + 3)
    await season.sell(T1, "sale-6", season.lots[4], 400, "KRJ")
    voided = {"lines": (VoidedLine(line=1, qty=3),), "refund_rupiah": 3 * PRICE, "voided_at": now()}
    await season.till(ReceiptVoided, T1, "void-3", receipt="sale-3", drawer="drawer", **voided)
    too_many = (VoidedLine(line=1, qty=9),)
    await season.till(ReceiptVoided, T1, "void-4", receipt="sale-4", lines=too_many, voided_at=now())
    await season.sell(T2, "sale-1-at-2", None, 4)
    piece = (VoidedLine(line=1, qty=1),)
    await season.till(ReceiptVoided, T2, "void-1-at-2", receipt="sale-1-at-2", lines=piece, voided_at=now())
    await season.sold(count=7)
    season.recalled = craft
    recall = RecallLot(facility=CRAFT, terminal=f"{CRAFT}.T1", lot=craft, reason="splinters")
    await season.say(TERMINAL, recall, "recall")
    withdrawn_lot = {"_id": B1, "lots": {"$elemMatch": {"lot": craft, "withdrawn": {"$ne": None}}}}
    await season.until("sales", "booths", withdrawn_lot)


async def take_back(season: RunningSeason) -> None:
    """A recall of a wrong lot, which is lifted; and a report under a wrong product, which is withdrawn."""
    cloth = await _lot_at(season, B1, "KTI")
    facility = cloth[:6]
    terminal = f"{facility}.T1"
    recall = RecallLot(facility=facility, terminal=terminal, lot=cloth, reason="mistyped")
    await season.say(TERMINAL, recall, "wrong-recall")
    withdrawn = {"$elemMatch": {"lot": cloth, "withdrawn": {"$ne": None}}}
    await season.until("sales", "booths", {"_id": B1, "lots": withdrawn})
    lift = LiftRecall(facility=facility, terminal=terminal, lot=cloth, reason="the wrong lot")
    await season.say(TERMINAL, lift, "lift")
    await season.until("sales", "booths", {"_id": B1, "lots": {"$elemMatch": {"lot": cloth, "withdrawn": None}}})
    made = ProductionReported(facility=facility, terminal=terminal, product="KTI", qty=7, made_on=season.today)
    await season.say(TERMINAL, made, "wrong-product")
    await season.until("inventory", "lots", {"recorded": 7, "facility": facility})
    wrong = await season.mongo.database("inventory")["lots"].find_one({"recorded": 7, "facility": facility})
    assert wrong is not None
    season.withdrawn = wrong["_id"]
    withdraw = WithdrawReport(facility=facility, terminal=terminal, lot=season.withdrawn, reason="it was craft")
    await season.say(TERMINAL, withdraw, "withdraw")
    await season.until("festival", "stock", {"_id": season.withdrawn, "on_hand": 0})
    await season.until("production", "lots", {"_id": season.withdrawn, "withdrawn": True})


async def merge(season: RunningSeason) -> None:
    """A third booth is opened, stocked from the second one and sells; then it is merged into that one."""
    cloth = await _lot_at(season, B2, "KTI")
    prices = (Price(product="KTI", price_rupiah=PRICE),)
    opened = OpenBooth(festival=FESTIVAL, booth=MERGED, name="Booth by mistake", prices=prices, tills=(MERGED_TILL,))
    await season.say(ORGANISER, opened, "open-by-mistake")
    pieces = (CountedLot(lot=cloth, qty=2),)
    leaves = SendTransfer(festival=FESTIVAL, transfer="T2", booth=B2, to=MERGED, lots=pieces)
    await season.say(ORGANISER, leaves, "move-by-mistake")
    arrives = ReceiveTransfer(festival=FESTIVAL, transfer="T2", booth=MERGED, counted=pieces)
    await season.say(ORGANISER, arrives, "moved-by-mistake")
    await season.until("sales", "booths", {"_id": MERGED, "lots.lot": cloth})
    await season.sell(MERGED_TILL, "sale-by-mistake", cloth, 1)
    await season.sold("recorded", receipt="sale-by-mistake")
    await season.say(ORGANISER, MergeBooths(festival=FESTIVAL, booth=MERGED, to=B2), "merge")
    await season.until("festival", "commands", {"_id": "merge", "outcome": "done"})
    await season.until("festival", "booths", {"_id": MERGED, "status": "settled", "sold.qty": 1})
    await season.until("sales", "booths", {"_id": B2, "devices.device": device(MERGED_TILL)})


async def move_stray(season: RunningSeason) -> None:
    """Tills sell at two booths that nobody opened. What one of them sold counts at the first booth, and so does what
    it voids later. Its sale could not be read at first. The other booth's sale waits for ever."""
    drawer = {"cashier": "cashier.2", "float_rupiah": 50_000, "opened_at": now()}
    await season.till(DrawerOpened, STRAY_TILL, "stray-drawer", **drawer)
    await season.basket(STRAY_TILL, "stray-sale", [(None, 2, "SVR")], drawer="stray-drawer", wrong=STRAY_WRONG)
    await season.sell(UNMOVED_TILL, "unmoved-sale", None, 2, "SVR")
    for booth in (STRAY, UNMOVED):
        await season.sold("waiting", booth=booth)
    await season.say(ORGANISER, MoveStray(festival=FESTIVAL, booth=B1, stray=STRAY), "move-stray")
    await season.until("festival", "commands", {"_id": "move-stray", "outcome": "done"})
    await season.sold("recorded", booth=B1, receipt="stray-sale")
    voided = {"lines": (VoidedLine(line=1, qty=1),), "refund_rupiah": PRICE, "voided_at": now()}
    await season.till(ReceiptVoided, STRAY_TILL, "stray-void", receipt="stray-sale", drawer="stray-drawer", **voided)
    await season.sold(booth=B1, receipt="stray-sale", **{"sales.voided": 1})


async def replenish(season: RunningSeason) -> None:
    """What could move between booths; facilities are asked for nothing."""
    ask = Replenish(festival=FESTIVAL, request="R2", until=now() + timedelta(hours=3))
    await season.say(ORGANISER, ask, "replenish")
    await season.until("festival", "replenishments", {"festival": FESTIVAL})


async def close(season: RunningSeason) -> None:
    """The festival is closed too early, and its first booth sells again until it is closed for good.

    A final count: what was sold without a label was rather of the maker who sent less. Both tills close; the sales
    that nothing covered are disputed, one is accepted."""
    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL, till_hours=48), "close-too-early")
    await season.until("sales", "booths", {"status": "closing"}, 2)
    await season.say(ORGANISER, ReopenBooth(festival=FESTIVAL, booth=B1), "reopen")
    await season.until("festival", "commands", {"_id": "reopen", "outcome": "done"})
    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL, till_hours=48), "close")
    await season.until("sales", "booths", {"status": "closing", "opening": 2})
    cloth = await _lot_at(season, B1, "KTI")
    lots = (await season.document("sales", "booths", B1))["lots"]
    [of_one, of_other] = [
        next(lot for lot in lots if (lot["facility"], lot["product"]) == (facility, "KRJ"))
        for facility in (CRAFT, ALSO_CRAFT)
    ]
    moved_qty = min(3, of_other["stocked"])
    remaining = {
        of_one["lot"]: of_one["stocked"] - of_one["label_qty"] - (3 - moved_qty),
        of_other["lot"]: of_other["stocked"] - moved_qty,
    }
    counts = (LotCount(lot=cloth, qty=1), *(LotCount(lot=lot, qty=qty) for lot, qty in remaining.items()))
    await season.till(BoothCounted, T1, "count-1", lots=counts, counted_at=now())
    drawer = {"drawer": "drawer", "counted_rupiah": 99_000, "expected_rupiah": 100_000}
    await season.till(CashCounted, T1, "drawer-counted", **drawer, counted_at=now())
    await season.last_word(T1, opening=2)
    await season.last_word(STRAY_TILL, opening=2)
    await season.last_word(T2)
    await season.last_word(MERGED_TILL)
    await season.until("festival", "booths", {"status": "settled"}, 3)
    disputed = {"_id": B1, "disputed": {"$all": ["sale-5/1", "sale-6/1"]}}
    await season.until("festival", "booths", disputed)
    for sale, outcome in (("sale-6", DisputeOutcome.REJECTED), ("sale-5", DisputeOutcome.ACCEPTED)):
        word = ResolveDispute(festival=FESTIVAL, booth=B1, sale=f"{sale}/1", outcome=outcome)
        await season.say(ORGANISER, word, f"resolve-{sale}")
    undecided = {"booth": {"$ne": UNMOVED}, "sales.status": {"$in": ["waiting", "disputed"]}}
    await season.sold(count=0, **undecided)
    await season.until("festival", "booths", {"_id": B1, "disputed": [], "revision": 3})


async def bring_home(season: RunningSeason) -> None:
    """What is left is counted home, but for one piece."""
    for booth in await season.mongo.database("festival")["booths"].find({}).to_list(None):
        sold = {line["lot"]: line["qty"] for line in booth["sold"]}
        for lot in booth["lots"]:
            remaining = max(0, lot["received"] - lot["moved_out"] - sold.get(lot["lot"], 0) - lot["recorded_lost"])
            counted = max(0, remaining - 1) if lot["lot"] == season.recalled else remaining
            home = ReceiveReturn(festival=FESTIVAL, booth=booth["_id"], lot=lot["lot"], qty=counted)
            await season.say(ORGANISER, home, f"home-{booth['_id']}-{lot['lot']}")
    await season.until("festival", "festivals", {"status": "closed"})


def _report(season: RunningSeason, facility: str, product: str, qty: int, maker: str) -> ProductionReported:
    return ProductionReported(
        facility=facility,
        terminal=f"{facility}.T1",
        product=product,
        qty=qty,
        made_on=season.today,
        maker=maker,
    )


def _festival() -> AnnounceFestival:
    return AnnounceFestival(
        festival=FESTIVAL,
        name="Festival",
        place="Kupang",
        zone="Asia/Makassar",
        first_day=date(2026, 4, 18),
        last_day=date(2026, 4, 18),
        confirmed=True,
    )


def _received(shipment: dict[str, Any]) -> ReceiveShipment:
    """All that was sent, but for one piece of cloth on the way to the first booth."""
    short = 1 if (shipment["facility"], shipment["booth"]) == (CLOTH, B1) else 0
    counted = []
    for parcel in shipment["parcels"]:
        counted.append(CountedLot(lot=parcel["lot"], qty=parcel["qty"] - short))
        short = 0
    return ReceiveShipment(
        festival=FESTIVAL, shipment=shipment["name"], booth=shipment["booth"], counted=tuple(counted)
    )


async def _lot_at(season: RunningSeason, booth: str, product: str, facility: str = CLOTH) -> str:
    """The first lot of the facility's product that sales knows at the booth, once it was stocked."""
    wanted = {"facility": facility, "product": product}
    await season.until("sales", "booths", {"_id": booth, "lots": {"$elemMatch": wanted}})
    lots = (await season.document("sales", "booths", booth))["lots"]
    return str(next(lot["lot"] for lot in lots if wanted.items() <= lot.items()))
