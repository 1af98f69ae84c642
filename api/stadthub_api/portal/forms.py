"""Forms that may bring a file: read in memory alone, since a sample can tell of people and must never touch the disk."""

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from stadthub_api.bodies import MAX_SAMPLE

#: No form has more fields; a mapping has some for each column.
FIELDS = 3_000


class _InMemory(MultiPartParser):
    """Files stay in memory whatever their size, which the body's limit bounds."""

    spool_max_size = MAX_SAMPLE + 1


async def filled(request: Request) -> tuple[FormData, tuple[str, bytes] | None]:
    """The texts of the form, and the name and bytes of the file that came with it."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.form(max_fields=FIELDS, max_part_size=MAX_SAMPLE), None
    parser = _InMemory(request.headers, request.stream(), max_files=1, max_fields=FIELDS, max_part_size=MAX_SAMPLE)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    try:
        upload = next((one for one in form.values() if isinstance(one, UploadFile) and one.filename), None)
        file = None if upload is None else (str(upload.filename)[:300], await upload.read())
        return FormData([(key, value) for key, value in form.multi_items() if isinstance(value, str)]), file
    finally:
        await form.close()
