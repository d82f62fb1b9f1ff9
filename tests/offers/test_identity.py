"""Identity: one guest is found under all the ways their names are written, and none of them is stored."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.offers.identity import Guest, email_of, phone_of

SECRET = b"a secret of the house"
KINDS = ("guest_id", "phone", "email", "device", "card_hash")
digits = st.text("0123456789", min_size=9, max_size=12).filter(lambda text: text[0] != "0" and len(set(text)) > 1)
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=5, max_size=12)


def wide(text: str) -> str:
    """As it comes from a Chinese or Japanese keyboard."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def tokens(**names: str) -> tuple[str, ...]:
    return Guest(**names).tokens(SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["+86 138 0013 8000", "0086-138-0013-8000", "+86(138)00138000", "００８６１３８００１３８０００", "tel:+86-138-0013-8000;ext=5",
     "+86 138 0013 8000 x12", "+٨٦١٣٨٠٠١٣٨٠٠٠"],
)  # fmt: skip
def test_a_phone_number_is_one_however_it_is_written(text: str) -> None:
    assert phone_of(text) == "+8613800138000"


def test_a_number_without_its_country_is_another_number() -> None:
    assert phone_of("13800138000") == "13800138000"
    assert phone_of("+44 (0)20 7946 0958") == "+442079460958"


@given(number=digits, gaps=st.lists(st.sampled_from(["", " ", "-", ".", " / "]), min_size=12, max_size=12))
def test_any_number_is_one_with_any_gaps(number: str, gaps: list[str]) -> None:
    spaced = "".join(gap + digit for gap, digit in zip(gaps, number, strict=False))
    assert tokens(phone="+" + spaced) == tokens(phone="00" + number) == tokens(phone=wide("+" + number)) != ()


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("An.Li+coupons@GMail.com", "anli@gmail.com"),
        ("a.n.l.i@googlemail.com", "anli@gmail.com"),
        (" Li.Na+lunch@Example.com. ", "li.na@example.com"),
        ("ＬＩ＠ｅｘａｍｐｌｅ．ｃｏｍ", "li@example.com"),
        ("li@BÜCHER.example", "li@xn--bcher-kva.example"),
        ("李娜@例子.中国", "李娜@xn--fsqu00a.xn--fiqs8s"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("+tag@example.com", "+tag@example.com"),
        ('"a+b"@example.com', '"a+b"@example.com'),
    ],
)
def test_a_mailbox_is_one_however_it_is_written(text: str, mailbox: str) -> None:
    assert email_of(text) == mailbox


@given(local=words, tag=words, domain=words, dots=st.lists(st.booleans(), min_size=12, max_size=12))
def test_tags_case_and_the_dots_of_gmail_make_no_new_guest(local: str, tag: str, domain: str, dots: list[bool]) -> None:
    address = f"{local}@{domain}.com"
    assert tokens(email=f"{local.upper()}+{tag}@{domain}.COM") == tokens(email=address) == tokens(email=wide(address))
    dotted = "".join(letter + "." * dot for letter, dot in zip(local, dots, strict=False))
    assert tokens(email=f"{dotted}@gmail.com") == tokens(email=f"{local}@gmail.com")


def test_dots_elsewhere_are_letters() -> None:
    assert tokens(email="a.b@example.com") != tokens(email="ab@example.com")


@pytest.mark.parametrize("text", ["", " ", "0", "n/a", "N/A", "-", "None", "unknown", "0000000000", "1111111", "null"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_could_be_anybody_is_nobody(kind: str, text: str) -> None:
    assert tokens(**{kind: text}) == ()


@pytest.mark.parametrize("text", ["123", "12345678901234567", "call me", "+", "+0"])
def test_what_is_no_phone_number_is_no_name(text: str) -> None:
    assert tokens(phone=text) == ()


@pytest.mark.parametrize("text", ["li", "@", "li@", "@example.com", "li@localhost"])
def test_what_is_no_address_is_no_name(text: str) -> None:
    assert tokens(email=text) == ()


@given(name=st.text(st.characters(categories=["L", "N"]), min_size=6), kind=st.sampled_from(KINDS))
def test_a_token_tells_nobody_who_it_is(name: str, kind: str) -> None:
    guest = Guest(**{kind: name})  # type: ignore[arg-type]
    folded = unicodedata.normalize("NFKC", name).casefold()
    for token in guest.tokens(SECRET):
        assert token.startswith(f"{kind}:")
        assert len(token) <= 48
        assert set(token.partition(":")[2]) <= set("0123456789abcdef")
        assert name not in token.partition(":")[2]
        assert folded not in token.partition(":")[2]
    assert name not in repr(guest)


@given(st.text(max_size=50))
def test_nothing_a_till_sends_is_too_strange(text: str) -> None:
    assert len(tokens(**dict.fromkeys(KINDS, text))) <= len(KINDS)


def test_even_halves_of_letters_are_hashed() -> None:
    assert len(tokens(guest_id="a\ud800b", device="\x00\udfff", email="\ud800@\ud800.x")) == 3


def test_kinds_secrets_and_names_make_different_tokens() -> None:
    same = Guest(guest_id="g-100200", device="g-100200", card_hash="g-100200")
    digests = [token.partition(":")[2] for secret in (SECRET, SECRET * 2) for token in same.tokens(secret)]
    assert len(set(digests)) == 6
    assert tokens(guest_id="G-1") != tokens(guest_id="g-1")
    assert tokens(card_hash="AB12") == tokens(card_hash=" ab12 ")


def test_a_long_secret_is_used_whole() -> None:
    long = bytes(100)
    assert Guest(guest_id="a").tokens(long) != Guest(guest_id="a").tokens(long[:-1] + b"x")


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="the secret has 0 bytes; give at least 16"):
        Guest(guest_id="a").tokens(b"")


def test_nobody_has_no_token() -> None:
    assert Guest(orders_before=3).tokens(SECRET) == ()
