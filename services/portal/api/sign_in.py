"""Sign-in, sign-out, and the choice of the language."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from services.portal.api.forms import Sent
from services.portal.api.pages import Pages, local_path, redirect
from services.portal.api.people import People, address_of, is_https, may_sign_in
from services.portal.api.reader import COOKIE, COOKIE_SECONDS
from services.portal.clients import Identity, IdentityAway, SignInRefused
from services.portal.clients.identity import AWAY
from shared.access.provider_sign_in import SENTENCES
from shared.http.problems import PageRefused
from shared.settings import AccessControl, Settings
from shared.translation import Language
from shared.wording import Message

# What `problem` of the page may name, besides the errors of a sign-in at the provider.
IDENTITY_AWAY, CAME_FROM_ELSEWHERE, NOT_SET_UP = "identity_away", "began_elsewhere", "not_set_up"
PROBLEMS: Mapping[str, Message] = {
    **{error.value: sentence for error, sentence in SENTENCES.items()},
    IDENTITY_AWAY: AWAY,
    CAME_FROM_ELSEWHERE: Message("This sign-in was not begun in this browser, or too long ago. Please begin again."),
    NOT_SET_UP: Message(
        "Sign-in at the provider is not set up for this address of the portal. KARYA_PORTAL_ORIGINS of identity "
        "names the addresses."
    ),
}
NEEDS_HTTPS = Message("Sign-in needs HTTPS here: on the way of plain HTTP others could read your password.")
MISSING = Message("Type your login and your password.")


def routes(pages: Pages, people: People, identity: Identity, settings: Settings) -> APIRouter:
    """The router of sign-in."""
    router = APIRouter()

    async def sign_in_page(
        request: Request, next: str, status: int = 200, login: str = "", error: Message | None = None
    ) -> Response:
        blocked = None if may_sign_in(request) else NEEDS_HTTPS
        return pages.render(
            request,
            "sign_in.html",
            status=status,
            next=local_path(next),
            login=login,
            error=error,
            blocked=blocked,
            methods=await identity.methods(),
        )

    @router.get("/sign-in")
    async def form(request: Request, next: str = "/", problem: str = "") -> Response:
        if settings.access is AccessControl.OPEN:
            return redirect(local_path(next))
        return await sign_in_page(request, next, error=PROBLEMS.get(problem))

    @router.post("/sign-in")
    async def sign_in(request: Request, sent: Sent) -> Response:
        next, login, password = (sent.get(name, "") for name in ("next", "login", "password"))
        if not may_sign_in(request):
            raise PageRefused(403, NEEDS_HTTPS)
        if not login.strip() or not password:
            return await sign_in_page(request, next, 422, login=login, error=MISSING)
        try:
            signed_in = await identity.sign_in(login, password, address_of(request))
        except SignInRefused as refused:
            return await sign_in_page(request, next, refused.status, login=login, error=refused.message)
        except IdentityAway:
            return await sign_in_page(request, next, 503, login=login, error=AWAY)
        answer = redirect(local_path(next))
        await people.begin(request, answer, signed_in)
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        answer = redirect("/sign-in")
        await people.end(request, answer)
        return answer

    @router.post("/language")
    async def choose_language(request: Request, sent: Sent) -> Response:
        answer = redirect(local_path(sent.get("back", "/")))
        if (choice := sent.get("language")) in set(Language):
            answer.set_cookie(
                COOKIE, str(choice), COOKIE_SECONDS, path="/", secure=is_https(request), httponly=True, samesite="lax"
            )
        return answer

    return router
