"""The offline verifier: its signatures against the RFC, its findings against every single change of an export."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orders import signing
from orders.verifier import Export, end_message, line_of, verify_signature
from tests.ledger.tampering import a_life, exported, verified_offline
from tests.orders.desk import Desk

# RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc).
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
        "24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
        "eeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
        "8dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac1"
        "7ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_signatures_of_rfc_8032_are_right(key: str, message: bytes, signature: str) -> None:
    assert verify_signature(key, message, signature)
    assert not verify_signature(key, message + b"x", signature)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), bit=st.integers(0, 511))
@settings(max_examples=40, deadline=None)
def test_signatures_of_another_implementation_are_right_and_no_changed_one_is(
    seed: bytes, message: bytes, bit: int
) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw().hex(), private.sign(message)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert verify_signature(key, message, signature.hex())
    assert not verify_signature(key, message, changed.hex())


def test_a_signature_with_a_number_beyond_the_group_order_is_refused() -> None:
    key, message, signature = VECTORS[0]
    order = 2**252 + 27742317777372353535851937790883648493
    grown = int.from_bytes(bytes.fromhex(signature)[32:], "little") + order
    assert not verify_signature(key, message, signature[:64] + grown.to_bytes(32, "little").hex())
    assert not verify_signature("00" * 31, message, signature)


# --- Exports ---------------------------------------------------------------------------------------------------------


def found_in(lines: list[bytes], keys: set[str]) -> set[str]:
    """Verify lines; return the codes of what was found."""
    return {finding.code for finding in Export(keys).check(lines)}


def test_an_untouched_export_passes_without_any_package(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    manifest = exported(tmp_path / "ledger.jsonl")
    status, output = verified_offline(tmp_path / "ledger.jsonl")
    assert (status, f"{manifest.events} events of {manifest.subjects} subjects and 1 anchors" in output) == (0, True)
    assert "no findings" in output


def test_the_verifier_fails_with_what_it_found(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    path = tmp_path / "ledger.jsonl"
    exported(path)
    path.write_bytes(path.read_bytes().replace(b'"actor":"system:test"', b'"actor":"system:fate"', 1))
    status, output = verified_offline(path)
    assert status == 1
    assert "[event_altered]" in output
    assert "[export_altered]" in output
    assert verified_offline(tmp_path / "nothing.jsonl")[0] == 2


def test_an_export_signed_with_another_key_is_found_by_who_knows_the_right_one(
    committed_desk: Desk, tmp_path: Path
) -> None:
    a_life(committed_desk)
    path = tmp_path / "ledger.jsonl"
    exported(path)
    status, output = verified_offline(path, key=VECTORS[0][0])
    assert status == 1
    assert "export_key_unknown" in output
    assert "anchor_key_unknown" in output


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.none(), st.integers(), st.booleans()
)
BREAKS: list[Callable[[list[bytes], random.Random], list[bytes]]] = []


def _break(function: Callable[[list[bytes], random.Random], list[bytes]]) -> None:
    BREAKS.append(function)


@_break
def _drop(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    return lines[:place] + lines[place + 1 :]


@_break
def _repeat(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    return [*lines[: place + 1], *lines[place:]]


@_break
def _copy_elsewhere(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines) + 1)
    return [*lines[:place], chance.choice(lines), *lines[place:]]


@_break
def _swap(lines: list[bytes], chance: random.Random) -> list[bytes]:
    first, second = chance.sample(range(len(lines)), 2)
    swapped = list(lines)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    return swapped


@_break
def _cut_off(lines: list[bytes], chance: random.Random) -> list[bytes]:
    whole = b"".join(lines)
    return whole[: chance.randrange(len(whole))].splitlines(keepends=True)


@_break
def _flip_a_bit(lines: list[bytes], chance: random.Random) -> list[bytes]:
    whole = bytearray(b"".join(lines))
    whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    return [part + b"\n" for part in bytes(whole).split(b"\n")[:-1]] + [bytes(whole).split(b"\n")[-1]]


@_break
def _insert_anything(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines) + 1)
    anything = chance.choice([b"\n", b"{}\n", b"[]\n", b"\xff\n", b'{"type":"event"}\n', b'{"type":[]}\n', b"[" * 9999])
    return [*lines[:place], anything, *lines[place:]]


def test_any_single_change_of_an_export_is_found(committed_desk: Desk, tmp_path: Path) -> None:
    a_life(committed_desk)
    exported(tmp_path / "ledger.jsonl")
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    keys = {signing.public_key()}
    assert found_in(lines, keys) == set()

    @given(how=st.sampled_from(BREAKS), chance=st.randoms(use_true_random=False))
    @settings(max_examples=300, deadline=None)
    def any_break_is_found(how: Callable[..., list[bytes]], chance: random.Random) -> None:
        broken = how(lines, chance)
        assume(broken != lines and b"".join(broken) != b"".join(lines))
        assert found_in(broken, keys)

    @given(chance=st.randoms(use_true_random=False), value=VALUES)
    @settings(max_examples=300, deadline=None)
    def any_changed_value_is_found(chance: random.Random, value: Any) -> None:
        place = chance.randrange(len(lines))
        line = json.loads(lines[place])
        name = chance.choice(sorted(line))
        assume(line[name] != value)
        line[name] = value
        assert found_in([*lines[:place], line_of(line), *lines[place + 1 :]], keys)

    any_break_is_found()
    any_changed_value_is_found()


def test_who_seals_a_changed_export_anew_is_still_found_by_chains_heads_and_anchors(
    committed_desk: Desk, tmp_path: Path
) -> None:
    """A forger with a key of their own, and an auditor who knows none: hashes alone must do.

    One thing they cannot tell: that the newest anchor was left out. For that the auditor must know the key.
    """
    a_life(committed_desk)
    exported(tmp_path / "ledger.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_bytes().splitlines()]
    places = [place for place, line in enumerate(lines) if line["type"] in ("event", "head", "anchor")]
    forger = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    assert found_in(_sealed(lines, forger), set()) == set()

    @given(
        how=st.sampled_from(["change", "drop", "repeat", "swap"]),
        chance=st.randoms(use_true_random=False),
        value=VALUES,
    )
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
    def forgery_is_found(how: str, chance: random.Random, value: Any) -> None:
        forged = copy.deepcopy(lines)
        place = chance.choice(places)
        if how == "change":
            # Where a transaction's number was, only its anchor knows; it is no part of what happened.
            name = chance.choice(sorted(set(forged[place]) - {"transaction_id"}))
            assume(forged[place][name] != value)
            forged[place][name] = value
        elif how == "drop":
            assume(forged[place]["type"] != "anchor")
            del forged[place]
        elif how == "repeat":
            forged.insert(place, forged[place])
        else:
            other = chance.choice(places)
            assume(other != place)
            forged[place], forged[other] = forged[other], forged[place]
        assert found_in(_sealed(forged, forger), set()), f"{how} line {place}: {lines[place]}"

    forgery_is_found()


def _sealed(lines: list[dict[str, Any]], key: Ed25519PrivateKey) -> list[bytes]:
    """Write an export's lines with a last line that fits them, signed with another key."""
    body = [line_of(line) for line in lines[:-1]]
    kinds = [line.get("type") for line in lines]
    end = {
        "events": str(kinds.count("event")),
        "subjects": str(len({str(line.get("subject_id")) for line in lines if line.get("type") == "event"})),
        "anchors": str(kinds.count("anchor")),
        "sha256": hashlib.sha256(b"".join(body)).hexdigest(),
    }
    seal = {"public_key": key.public_key().public_bytes_raw().hex(), "signature": key.sign(end_message(end)).hex()}
    return [*body, line_of({"type": "end", **end, **seal})]
