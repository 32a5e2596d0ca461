"""Files to hand in: one of each kind that is taken, and some that only pretend."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

#: Exif says where a picture was taken under this tag.
GPS = 0x8825
#: What somebody hid behind a picture's last byte.
PAYLOAD = b"<?php system($_GET['c']); ?><script>alert(1)</script>"


def picture(form: str = "JPEG", *, size: tuple[int, int] = (40, 20), turned: bool = False) -> bytes:
    """Return a photo with a place, a camera in each field that takes words, and something behind its end."""
    photo = Image.new("RGB", size, (200, 40, 40))
    exif = Image.Exif()
    exif[0x010F] = "Spy camera"
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    if turned:
        exif[0x0112] = 6  # stood on its side
    target = io.BytesIO()
    words: dict[str, Any] = {"comment": "Spy camera"} if form == "JPEG" else {}
    if form == "PNG":
        words["pnginfo"] = PngInfo()
        words["pnginfo"].add_text("Comment", "Spy camera")
    elif form == "WEBP":
        words["xmp"] = b"<x:xmpmeta>Spy camera</x:xmpmeta>"
    photo.save(target, form, exif=exif, icc_profile=b"Spy camera", **words)
    return target.getvalue() + PAYLOAD


def archive(*names: str) -> bytes:
    """Return a zip archive with entries of these names."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name in names:
            made.writestr(name, "<xml/>")
    return target.getvalue()


WORKBOOK = archive("[Content_Types].xml", "xl/workbook.xml")
DOCUMENT = archive("[Content_Types].xml", "word/document.xml")
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 40
