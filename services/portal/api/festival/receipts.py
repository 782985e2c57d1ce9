"""The receipts and takings of a booth, and voids for tills that are lost."""

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.files import FILE
from services.portal.api.filters import FILES, Filter, declared
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

# As sales knows them.
SALE_STATES = ("waiting", "disputed", "recorded", "rejected", "voided", "forwarded")


def routes(desk: Desk) -> APIRouter:
    """The router of receipts."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request,
        person: Person,
        festival: str,
        booth: str,
        after: str,
        marked: str,
        status: int = 200,
        problem: Message | None = None,
    ) -> Response:
        sale_status = request.query_params.get("status", "")
        if FILE in request.query_params:
            # A file has all of them, and not a part.
            receipts, following = await desk.organiser.all_receipts(person, booth, sale_status), None
        else:
            receipts, following = await desk.organiser.receipts(person, booth, after, sale_status)
        selling = await desk.organiser.selling_booth(person, booth)
        return await desk.show(
            request,
            "receipts.html",
            person,
            festival,
            status,
            booth=await desk.organiser.booth(person, festival, booth),
            rows=[
                (receipt, sale)
                for receipt in receipts
                for sale in receipt.sales
                if not marked or sale.old_list or sale.departs
            ],
            refused=selling.refused_orders if selling is not None else (),
            takings=await desk.organiser.takings(person, booth),
            after=after,
            following=following,
            marked=marked,
            filters=[Filter("status", SALE_STATES, sale_status)],
            problem=problem,
        )

    @router.get("/festivals/{festival}/booths/{booth}/receipts", dependencies=[declared("status")])
    async def receipts(
        request: Request, person: Visited, festival: str, booth: str, after: str = "", marked: str = ""
    ) -> Response:
        return await page(request, person, festival, booth, after, marked)

    @router.post("/festivals/{festival}/booths/{booth}/receipts")
    async def void(request: Request, person: Visited, festival: str, booth: str, sent: Sent) -> Response:
        after = sent.get("after", "")

        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, booth, after, "", status, message)

        try:
            body = {
                "booth": booth,
                "line": typed.whole(sent.get("line", "")),
                "qty": typed.whole(sent.get("qty", "")),
                "reason": sent.get("reason", "").strip(),
            }
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        place = ("festivals", festival, "receipts", sent.get("receipt", ""), "void")
        then = f"/festivals/{festival}/booths/{booth}/receipts" + (f"?after={after}" if after else "")
        return await desk.give(person, sent, *place, body=body, then=then, again=again)

    return router
