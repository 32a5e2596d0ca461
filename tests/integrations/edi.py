"""Interchanges for tests: envelopes whose counts are right, around segments as partners publish them."""

from __future__ import annotations

from collections.abc import Iterable


def x12(*sets: Iterable[str], control: str = "000000101", sender: str = "ACMESUPPLIER", usage: str = "P") -> bytes:
    """An interchange of one group with these sets, each given without its SE: `["ST*855*0001", "BAK*…"]`."""
    isa = (
        f"ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*BACKLINE       *261123*0915*U*00401*{control}*0*{usage}*>"
    )
    written = [isa, f"GS*PR*{sender}*BACKLINE*20261123*0915*17*X*004010"]
    count = 0
    for one in sets:
        segments = list(one)
        written += [*segments, f"SE*{len(segments) + 1}*{segments[0].split('*')[2]}"]
        count += 1
    written += [f"GE*{count}*17", f"IEA*1*{control}"]
    return ("~\n".join(written) + "~\n").encode()


def edifact(
    *messages: Iterable[str], una: str = "UNA:+.? '", syntax: str = "UNOC:3", reference: str = "ICR0042"
) -> bytes:
    """An interchange with these messages, each given without its UNT: `["UNH+1+DESADV:D:96A:UN", "BGM+…"]`."""
    written = [f"UNB+{syntax}+4012345000009:14+4098765000002:14+261123:0915+{reference}"]
    count = 0
    for one in messages:
        segments = list(one)
        written += [*segments, f"UNT+{len(segments) + 1}+{segments[0].split('+')[1]}"]
        count += 1
    written.append(f"UNZ+{count}+{reference}")
    return (una + "'\n".join(written) + "'").encode("iso8859-1")
