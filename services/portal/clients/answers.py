"""How the answers of other services are read. A newer service may send more fields, which are left out."""

from pydantic import TypeAdapter

from services.portal.domain.answers import BoothRow, FestivalRow, OpenStepsPage, RequestRow, ShipmentRow

FESTIVAL = TypeAdapter(FestivalRow)
FESTIVALS = TypeAdapter(list[FestivalRow])
BOOTHS = TypeAdapter(list[BoothRow])
REQUESTS = TypeAdapter(list[RequestRow])
SHIPMENTS = TypeAdapter(list[ShipmentRow])
OPEN_STEPS = TypeAdapter(OpenStepsPage)
