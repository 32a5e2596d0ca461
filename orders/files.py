"""What a file that somebody hands in really is, told from its bytes, and what of it is kept.

Nothing here touches the database or the disk. Photos are written anew from their pixels: where they were taken, by
which device, and whatever else hides in a picture file does not come along.
"""

from __future__ import annotations

import io
import re
import threading
import unicodedata
import zipfile
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from parts.errors import Refused
from parts.sentences import sentence

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what its bytes are called, the endings its name may have, and whether a browser may show it."""

    name: str
    content_type: str
    endings: tuple[str, ...]
    is_shown: bool = False


_OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS = {
    kind.name: kind
    for kind in (
        Kind("jpeg", "image/jpeg", (".jpg", ".jpeg"), is_shown=True),
        Kind("png", "image/png", (".png",), is_shown=True),
        Kind("webp", "image/webp", (".webp",), is_shown=True),
        Kind("pdf", "application/pdf", (".pdf",)),
        Kind("txt", "text/plain", (".txt", ".log")),
        Kind("csv", "text/csv", (".csv",)),
        Kind("xlsx", f"{_OFFICE}spreadsheetml.sheet", (".xlsx",)),
        Kind("docx", f"{_OFFICE}wordprocessingml.document", (".docx",)),
    )
}
#: What a browser may show in the page; all else is only ever downloaded.
SHOWN_INLINE = frozenset(kind.content_type for kind in KINDS.values() if kind.is_shown)

_PILLOW = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
#: What an iPhone's camera writes. It is not taken: nobody here can take the place and the person's telephone out of it.
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_OFFICE_PARTS = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx"}
#: Text that a browser could take for a page or a drawing.
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|script|svg|\?xml|iframe|math)", re.IGNORECASE)
#: A picture at its largest takes half a gigabyte while it is written anew; threads wait for each other.
_ONE_PICTURE = threading.Lock()
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


class FileRefused(Refused):
    """A file cannot be taken: too large, of a kind that is not allowed, damaged, or empty."""

    code = "file_refused"
    status = 400


@dataclass(frozen=True, slots=True)
class Judged:
    """A file as it is kept: a harmless name with the right ending, what it is, and its bytes."""

    name: str
    kind: Kind
    content: bytes


def judge(content: bytes, name: str, *, allowed: Collection[str], most_pixels: int) -> Judged:
    """Return a file as it is kept. `allowed` are names of KINDS. Raises FileRefused.

    A picture is turned the right way up and written anew without anything but its pixels. HEIC is refused with what to
    do instead: what cannot be written anew would be kept with the place where it was taken.
    """
    if not content:
        raise FileRefused(sentence("The file is empty."))
    if is_heic(content):
        raise FileRefused(
            sentence(
                "This is a HEIC photo, which would keep the place where it was taken. Save or send it as JPEG; on an "
                "iPhone: Settings, Camera, Formats, Most Compatible."
            ),
            allowed=sorted(allowed),
        )
    kind = kind_of(content, name)
    if kind is None or kind.name not in allowed:
        kinds = ", ".join(ending[1:] for one in KINDS.values() if one.name in allowed for ending in one.endings[:1])
        raise FileRefused(
            sentence("This is not a file of an allowed kind. Allowed: {kinds}.", kinds=kinds), allowed=sorted(allowed)
        )
    if kind.name in _PILLOW:
        content = _only_pixels(content, _PILLOW[kind.name], most_pixels)
    return Judged(safe_name(name, kind), kind, content)


def kind_of(content: bytes, name: str = "") -> Kind | None:
    """Tell what the bytes are; None for anything unknown. The name only tells a table from other plain text."""
    if content.startswith(b"\xff\xd8\xff"):
        return KINDS["jpeg"]
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return KINDS["png"]
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return KINDS["webp"]
    if content.startswith(b"%PDF-"):
        return KINDS["pdf"]
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    if _is_text(content):
        return KINDS["csv" if name.lower().endswith(".csv") else "txt"]
    return None


def is_heic(content: bytes) -> bool:
    """Tell whether it is a photo (or a row of photos) as HEIC or HEIF, whatever its name says."""
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS


def _office(content: bytes) -> Kind | None:
    """Tell a workbook or a document, without macros, from any other archive. Only its list of contents is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    return next((KINDS[kind] for part, kind in _OFFICE_PARTS.items() if part in names), None)


def _is_text(content: bytes) -> bool:
    if _MARKUP.match(content):
        return False
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return not _CONTROL.search(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    return False


def _only_pixels(content: bytes, form: str, most_pixels: int) -> bytes:
    """Write a picture anew: the right way up, no metadata, the first frame only. Raises FileRefused."""
    with _ONE_PICTURE:
        try:
            with Image.open(io.BytesIO(content), formats=[form]) as picture:
                if picture.width * picture.height > most_pixels:
                    most = most_pixels // 1_000_000
                    raise FileRefused(sentence("The picture has more than {most} million pixels.", most=most))
                ImageOps.exif_transpose(picture, in_place=True)
                see_through = form != "JPEG" and picture.has_transparency_data
                clean = picture.convert("RGBA" if see_through else "RGB")
            with clean:
                clean.info = {}
                target = io.BytesIO()
                clean.save(target, form, **({"quality": 90} if form != "PNG" else {}))
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            raise FileRefused(sentence("The picture is damaged and cannot be read.")) from error
        return target.getvalue()


def safe_name(name: str, kind: Kind) -> str:
    """Return a name that is safe to show, to store and to send: no path, no control characters, the right ending."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(one for one in last if unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    clean = _NOT_IN_A_NAME.sub("_", printable).strip().rstrip(" .")
    if not clean.lower().endswith(kind.endings):
        clean = f"{clean or 'file'}{kind.endings[0]}"
    stem, dot, ending = clean.rpartition(".")
    stem = stem.lstrip(" .")
    return f"{(stem or 'file')[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}"
