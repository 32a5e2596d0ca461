"""A body that comes in chunks gets the length that Django and its parsers go by.

Without a Content-Length they take a request for one without a body, so "ship one of them" in chunks would be read as
"ship all of it".
"""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Callable, Iterable
from typing import IO, Any

from parts.documents import as_json

logger = logging.getLogger("backline.request")

#: The largest body that is taken in chunks, in bytes: an import's file with its form. With a length, a body is read by
#: whoever wants it, and the limit is theirs.
LARGEST = 64 * 1024 * 1024
_IN_MEMORY = 1024 * 1024
_PIECE = 64 * 1024

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WithLength:
    """Wraps a WSGI application: it never sees a body without a length."""

    def __init__(self, application: Application, largest: int = LARGEST) -> None:
        self.application, self.largest = application, largest

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request; 411 where its end cannot be told, 413 past the limit, 501 for another coding."""
        coding = environ.pop("HTTP_TRANSFER_ENCODING", "")
        if not coding:
            return self.application(environ, start_response)
        if coding.strip().lower() != "chunked":
            return _refused(start_response, "501 Not Implemented", "unsupported_coding", "Send it plain or chunked.")
        if not environ.get("wsgi.input_terminated"):
            return _refused(start_response, "411 Length Required", "length_required", "Send a Content-Length.")
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            length = _copy(environ["wsgi.input"], body, self.largest)
            if length > self.largest:
                return _refused(start_response, "413 Content Too Large", "too_large", "The body is too large.")
            body.seek(0)
            environ |= {"CONTENT_LENGTH": str(length), "wsgi.input": body}
            return self.application(environ, start_response)


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """Copy up to one piece more than `most` bytes; return how many."""
    length = 0
    while length <= most and (piece := source.read(_PIECE)):
        target.write(piece)
        length += len(piece)
    return length


def _refused(start_response: Callable[..., Any], status: str, code: str, detail: str) -> list[bytes]:
    name = uuid.uuid4().hex
    number, _, title = status.partition(" ")
    body = as_json(
        {
            "type": f"urn:backline:problem:{code}",
            "title": title,
            "status": int(number),
            "detail": detail,
            "instance": name,
            "code": code,
        }
    )
    logger.info("a body was refused: %s", code, extra={"status": int(number), "instance": name})
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        ("X-Request-ID", name),
    ]
    start_response(status, headers)
    return [body]
