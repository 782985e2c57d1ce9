"""The page that helps to get Karya on a phone: the address, the certificate that it has to trust, and the apps."""

from pathlib import Path

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from services.portal.api.pages import Pages
from services.portal.api.people import is_https
from shared.settings import Settings

PAGE = "/install"
# By this type Android and iOS offer to install it.
MEDIA_TYPE = "application/x-x509-ca-cert"


def routes(pages: Pages, settings: Settings) -> APIRouter:
    """The router of the page."""
    router = APIRouter()
    authority = _authority(settings.tls_authority) if settings.tls_host else None

    @router.get(PAGE)
    async def install(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        origin = f"https://{settings.tls_host}:{settings.tls_port}" if settings.tls_host else base
        return pages.render(
            request,
            "install.html",
            phone_address=f"{origin}{PAGE}",
            drawing=_drawing(f"{origin}{PAGE}"),
            is_here=base == origin and is_https(request),
            is_safe=bool(settings.tls_host) or is_https(request),
            fingerprint=authority.fingerprint(hashes.SHA256()).hex(":").upper() if authority is not None else None,
        )

    @router.get(f"{PAGE}/karya.crt")
    async def certificate() -> Response:
        if authority is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": 'attachment; filename="karya.crt"', "Cache-Control": "no-store"}
        return Response(authority.public_bytes(Encoding.DER), media_type=MEDIA_TYPE, headers=headers)

    return router


def _authority(file: Path | None) -> x509.Certificate | None:
    """The authority that signs now: the first of the file. Raises OSError and ValueError."""
    return x509.load_pem_x509_certificates(file.read_bytes())[0] if file is not None else None


def _drawing(address: str) -> Markup:
    """The QR code of an address, dark on light in every colour scheme."""
    code = segno.make(address, micro=False)
    return Markup(code.svg_inline(border=3, light="#fff", omitsize=True, svgclass="qr", lineclass=None))
