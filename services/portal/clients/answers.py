"""How the answers of other services are read. A newer service may send more fields, which are left out."""

from pydantic import TypeAdapter

from services.portal.domain.answers import (
    AccountRow,
    BacklogRow,
    BoothRow,
    BoothSalesRow,
    CodeRow,
    DemandPage,
    DeviceRow,
    FacilityRow,
    FacilityShareRow,
    FestivalRow,
    HeldRow,
    LotRow,
    OpenStepsPage,
    PlanIf,
    PlanPage,
    ProductRow,
    RequestRow,
    SettlementRow,
    ShipmentRow,
    StockLotRow,
    StockRow,
)
from services.portal.domain.audit_answers import AuditRow
from services.portal.domain.catalogue_answers import CatalogueRows
from services.portal.domain.operations_answers import (
    DeadLetterPage,
    LetterRow,
    RebuildRow,
    RepairOutcome,
    VerificationRow,
)
from services.portal.domain.sales_answers import BoothTakings, ReceiptRow, SellingBoothRow, StrayRow
from services.portal.domain.sell_through import SellThroughRow
from services.portal.domain.stock_answers import RefillProposals, TransferRow

FESTIVAL = TypeAdapter(FestivalRow)
FESTIVALS = TypeAdapter(list[FestivalRow])
BOOTHS = TypeAdapter(list[BoothRow])
REQUESTS = TypeAdapter(list[RequestRow])
SHIPMENTS = TypeAdapter(list[ShipmentRow])
OPEN_STEPS = TypeAdapter(OpenStepsPage)
SHIPMENT = TypeAdapter(ShipmentRow)
PLAN = TypeAdapter(PlanPage)
PLAN_IF = TypeAdapter(PlanIf)
PRODUCTS = TypeAdapter(list[ProductRow])
STOCK = TypeAdapter(list[StockRow])
STOCK_LOTS = TypeAdapter(list[StockLotRow])
BOOTH_SALES = TypeAdapter(list[BoothSalesRow])
SETTLEMENTS = TypeAdapter(list[SettlementRow])
LOTS = TypeAdapter(list[LotRow])
DEVICES = TypeAdapter(list[DeviceRow])
BACKLOGS = TypeAdapter(list[BacklogRow])
HELD = TypeAdapter(list[HeldRow])
AUDIT = TypeAdapter(list[AuditRow])
LETTERS = TypeAdapter(list[LetterRow])
LETTER = TypeAdapter(DeadLetterPage)
LETTER_OUTCOME = TypeAdapter(RepairOutcome)
VERIFICATION = TypeAdapter(VerificationRow)
REBUILDS = TypeAdapter(list[RebuildRow])
FACILITIES = TypeAdapter(list[FacilityRow])
SHARES = TypeAdapter(list[FacilityShareRow])
CODE = TypeAdapter(CodeRow)
DEMANDS = TypeAdapter(list[DemandPage])
ACCOUNTS = TypeAdapter(list[AccountRow])
BOOTH = TypeAdapter(BoothRow)
TRANSFER = TypeAdapter(TransferRow)
TRANSFERS = TypeAdapter(list[TransferRow])
REFILL = TypeAdapter(RefillProposals)
RECEIPTS = TypeAdapter(list[ReceiptRow])
TAKINGS = TypeAdapter(BoothTakings)
SELLING_BOOTH = TypeAdapter(SellingBoothRow)
SELLING_BOOTHS = TypeAdapter(list[SellingBoothRow])
STRAYS = TypeAdapter(list[StrayRow])
CATALOGUE = TypeAdapter(CatalogueRows)
SELL_THROUGH = TypeAdapter(list[SellThroughRow])
