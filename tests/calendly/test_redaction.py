"""Whatever form a proxy repeats an access token in, it is gone before anything is read."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from calendly.redaction import without_credentials, without_token
from tests.cases import each

TOKEN = "eyJraWQiOi/+x~y.pat_0"


@each(
    "form",
    [
        TOKEN,
        quote(TOKEN, safe=""),
        TOKEN.replace("/", "\\/"),
        "".join(f"\\u{ord(letter):04x}" for letter in TOKEN),
        *(encode(f"{before}{TOKEN}{after}".encode()).decode()
          for encode in (b64encode, urlsafe_b64encode)
          for before in ("", "x", "Bearer ", "Authorization: Bearer ")
          for after in ("", "\n", "xy")),
    ],
)  # fmt: skip
def test_a_token_is_taken_out_in_every_form(form: str) -> None:
    body = without_token(f'{{"message":"got {form} from you"}}'.encode(), TOKEN)
    assert body.startswith(b'{"message":"got ')
    assert b"(withheld)" in body
    assert body.endswith(b' from you"}')
    assert TOKEN.encode() not in body


def test_what_is_no_token_stays() -> None:
    body = rb'{"secret":true,"message":"\u0022a\u005cb"}'
    assert without_token(body, TOKEN) == body
    assert without_token(body, "secret") == body  # shorter than any token, and a field of Calendly's


@given(st.binary(max_size=200))
def test_no_other_byte_is_changed(body: bytes) -> None:
    assert without_token(body.replace(b"\\u00", b""), TOKEN) == body.replace(b"\\u00", b"")


@each(
    "text, left",
    [
        ("Authorization: Bearer abc.def, sorry", "Authorization: (withheld), sorry"),
        ("{'authorization': 'abc'}", "{'authorization': '(withheld)'}"),
        ("Bearer abc1234567 was refused", "Bearer (withheld) was refused"),
        ("Proxy-Authorization=Basic Zm9v", "Proxy-Authorization=(withheld)"),
        ("The Authorization header is missing.", "The Authorization header is missing."),
        ("Bearer authentication required", "Bearer authentication required"),
    ],
)
def test_the_values_of_headers_with_credentials_are_taken_out_of_errors(text: str, left: str) -> None:
    assert without_credentials(text) == left
