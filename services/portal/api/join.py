"""The pages for whoever was given a code: for an account, for a role of one's own, or for a new password."""

from fastapi import APIRouter, Request, Response

from services.portal.api.forms import Sent
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import People, Visited, address_of, may_sign_in
from services.portal.api.sign_in import NEEDS_HTTPS
from services.portal.clients import GivenCommand, Identity, IdentityAway, Services, SignInRefused
from shared.http.problems import PageRefused
from shared.wording import Message

IDENTITY = "identity"
MISSING = Message("Fill in every field.")


def routes(pages: Pages, people: People, services: Services, identity: Identity) -> APIRouter:
    """The router of joining."""
    router = APIRouter()

    async def page(
        request: Request, status: int = 200, sent: dict[str, str] | None = None, problem: Message | None = None
    ) -> Response:
        blocked = None if may_sign_in(request) else NEEDS_HTTPS
        session = await people.session(request)
        return pages.render(
            request,
            "join.html",
            status=status,
            sent=sent or {},
            problem=problem,
            blocked=blocked,
            is_signed_in=session is not None,
            methods=await identity.methods(),
        )

    @router.get("/join")
    async def form(request: Request) -> Response:
        return await page(request)

    @router.post("/join")
    async def open_account(request: Request, sent: Sent) -> Response:
        if not may_sign_in(request):
            raise PageRefused(403, NEEDS_HTTPS)
        code, login, name, password = (sent.get(field, "").strip() for field in ("code", "login", "name", "password"))
        shown = {"code": code, "login": login, "name": name}
        if not all((code, login, name, password)):
            return await page(request, 422, shown, MISSING)
        body = {"login": login, "name": name, "password": sent["password"]}
        answer = await services.ask(
            None, IDENTITY, "invitations", code, "account", body=body, address=address_of(request)
        )
        if isinstance(answer, GivenCommand):
            return await page(request, 409, shown, answer.refusal)
        try:
            signed_in = await identity.sign_in(login, sent["password"], address_of(request))
        except (SignInRefused, IdentityAway):
            # The account is there or will be in a moment.
            return redirect("/sign-in")
        response = redirect("/")
        await people.begin(request, response, signed_in)
        return response

    @router.post("/join/accept")
    async def accept(request: Request, person: Visited, sent: Sent) -> Response:
        code = sent.get("code", "").strip()
        if not code:
            return await page(request, 422, problem=MISSING)
        answer = await services.ask(person.token, IDENTITY, "invitations", code, "accept", body={})
        if isinstance(answer, GivenCommand):
            return await page(request, 409, {"code": code}, answer.refusal)
        await people.renew(person, request)
        return redirect("/")

    async def restore_page(
        request: Request, status: int = 200, sent: dict[str, str] | None = None, problem: Message | None = None
    ) -> Response:
        blocked = None if may_sign_in(request) else NEEDS_HTTPS
        return pages.render(
            request,
            "restore.html",
            status=status,
            sent=sent or {},
            problem=problem,
            blocked=blocked,
            methods=await identity.methods(),
        )

    @router.get("/restore")
    async def restore_form(request: Request) -> Response:
        return await restore_page(request)

    @router.post("/restore")
    async def restore(request: Request, sent: Sent) -> Response:
        if not may_sign_in(request):
            raise PageRefused(403, NEEDS_HTTPS)
        code, login, password = sent.get("code", "").strip(), sent.get("login", "").strip(), sent.get("password", "")
        shown = {"code": code, "login": login}
        if not code or not password:
            return await restore_page(request, 422, shown, MISSING)
        body = {"password": password, **({"login": login} if login else {})}
        answer = await services.ask(
            None, IDENTITY, "resets", code, "password", body=body, address=address_of(request)
        )
        if isinstance(answer, GivenCommand):
            return await restore_page(request, 409, shown, answer.refusal)
        return redirect("/sign-in")

    return router
