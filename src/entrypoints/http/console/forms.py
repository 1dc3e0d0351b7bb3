"""What is posted to the console, and by whose page."""

from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from entrypoints.http.bodies import FORM, form, mismatch, plain_text, read_body
from entrypoints.http.contract import MAX_BODY
from entrypoints.http.problems import RequestFault

MULTIPART = "multipart/form-data"
_MOST_FIELDS = 200


async def read_fields(request: Request) -> Mapping[str, str]:
    """The form's fields by name, files as the text that is in them. Raises `RequestFault`."""
    media_type, raw = await read_body(request.scope, request.receive, media_types=[FORM, MULTIPART], max_body=MAX_BODY)
    if media_type == FORM:
        return _sendable(dict(form(raw)))

    async def stream() -> AsyncGenerator[bytes, None]:
        yield raw

    try:
        parser = MultiPartParser(
            request.headers, stream(), max_files=1, max_fields=_MOST_FIELDS, max_part_size=MAX_BODY
        )
        parts = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise mismatch("This is no valid form.", ()) from None
    fields = {
        name: plain_text(await value.read()) if isinstance(value, UploadFile) else value
        for name, value in parts.multi_items()
    }
    await parts.close()
    return _sendable(fields)


def refuse_other_origins(request: Request, public_url: str) -> None:
    """Browsers say which site's page posts a form: it is to be one of the hub's own. Raises `RequestFault`."""
    origin = urlsplit(request.headers.get("origin", ""))
    public = urlsplit(public_url)
    own = {public.netloc.lower(), request.headers.get("host", "").lower()}
    if not origin.netloc or origin.netloc.lower() not in own:
        raise RequestFault(403, "other-origin", "Another site's form", f"The console is at {public_url}/console.")


def _sendable(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Lines end as the hub ends them. Raises `RequestFault` for what cannot be stored."""
    if any("\0" in value for value in fields.values()):
        raise mismatch("This is no valid form.", ())
    return {name: value.replace("\r\n", "\n") for name, value in fields.items()}
