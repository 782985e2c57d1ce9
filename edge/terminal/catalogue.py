"""A terminal's own copy of its facility's part of the catalogue, from what it has received. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shared.errors import WrongEntry
from shared.events import names
from shared.events.catalogue import FacilityListed, ProductListed
from shared.events.language import Body
from shared.events.production import ProductionReported
from shared.nearest import nearest
from shared.wording import Message, any_of

_NEWER = Message("`karya terminal sync` fetches the newest list; --unlisted records it nevertheless.")


@dataclass(frozen=True, slots=True)
class CatalogueCopy:
    """The facility and its products, each by the highest revision that was received. `facility` None: nothing was."""

    facility: FacilityListed | None = None
    products: Mapping[str, ProductListed] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether all that the facility makes has been received."""
        return self.facility is not None and all(code in self.products for code in self.facility.products)

    def on_list(self) -> list[ProductListed]:
        """The products that can be recorded, by their codes."""
        products = self.facility.products if self.facility is not None else ()
        return sorted(
            (product for code, product in self.products.items() if code in products and product.retired_at is None),
            key=lambda product: product.product,
        )

    def code_of(self, typed: str) -> str:
        """The product's code that was typed, or the code of the one product whose name was typed.

        Raises WrongEntry for what is neither a product of the list nor a code.
        """
        text = typed.strip()
        on_list = self.on_list()
        named = [product.product for product in on_list if product.name.casefold() == text.casefold()]
        is_code = any(product.product == text.upper() for product in on_list)
        if len(named) == 1 and not is_code:
            return named[0]
        if self.known and names.PRODUCT.wrong(text.upper()) is not None:
            raise self._not_listed(text, Message("`karya terminal sync` fetches the newest list."))
        return text.upper()

    def check(self, report: ProductionReported) -> None:
        """Raise WrongEntry for a report that production would refuse by this catalogue. Without one all is taken."""
        if self.facility is None or not self.known:
            return
        if self.facility.retired_at is not None:
            facility = self.facility.facility
            message = Message("{facility} is retired from the catalogue. {newer}", facility=facility, newer=_NEWER)
            raise WrongEntry(message)
        on_list = {product.product: product for product in self.on_list()}
        product = on_list.get(report.product)
        if product is None:
            raise self._not_listed(report.product, _NEWER)
        if report.qty > product.max_qty:
            raise WrongEntry(
                Message(
                    "More than {most:thousands} ({unit}) of {name} at once looks like a typing error. If it is "
                    "right, report it in parts.",
                    most=product.max_qty,
                    unit=product.unit,
                    name=product.name,
                )
            )
        if report.best_before is not None and product.shelf_life_days is not None:
            spoils = report.made_on + timedelta(days=product.shelf_life_days)
            if report.best_before > spoils:
                raise WrongEntry(
                    Message(
                        "{name} keeps for {days} days, until {until}. Leave the best-before day out to have it "
                        "worked out.",
                        name=product.name,
                        days=product.shelf_life_days,
                        until=spoils.isoformat(),
                    )
                )

    def _not_listed(self, text: str, newer: Message) -> WrongEntry:
        """The refusal of a product that is not on the list, with the nearest ones."""
        product_names = {product.product: product.name for product in self.on_list()}
        alike = nearest(text, {code: [name] for code, name in product_names.items()})
        return WrongEntry(
            Message(
                "{product} is not on this facility's list. {meant} {newer}",
                product=text,
                meant=Message(
                    "Did you mean {names}?", names=any_of([f"{code} ({product_names[code]})" for code in alike])
                )
                if alike
                else Message("`karya terminal products` shows the list."),
                newer=newer,
            )
        )


def received_catalogue(bodies: Iterable[Body]) -> CatalogueCopy:
    """The catalogue of all that was received, in any order."""
    facility: FacilityListed | None = None
    products: dict[str, ProductListed] = {}
    for body in bodies:
        if isinstance(body, FacilityListed):
            if facility is None or body.revision > facility.revision:
                facility = body
        elif isinstance(body, ProductListed):
            older = products.get(body.product)
            if older is None or body.revision > older.revision:
                products[body.product] = body
    return CatalogueCopy(facility, products)
