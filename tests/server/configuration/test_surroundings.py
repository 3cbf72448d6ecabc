"""What is said of the proxy on the way to an address."""

from server.configuration.surroundings import proxy_told
from tests.cases import each

API = "https://api.calendly.com"


@each(
    "url, environ, named",
    [
        (API, {}, ""),
        (
            API,
            {"HTTPS_PROXY": "http://maya:secret@proxy.example:3128"},
            "HTTPS_PROXY names: http://maya@proxy.example:3128.",
        ),
        (
            API,
            {"https_proxy": "proxy.example:3128", "HTTPS_PROXY": "http://x"},
            "https_proxy names: http://proxy.example:3128.",
        ),
        (API, {"ALL_PROXY": "socks5://:secret@[::1]:9"}, "ALL_PROXY names: socks5://[::1]:9."),
        (API, {"HTTP_PROXY": "http://proxy.example:3128"}, ""),
        ("http://127.0.0.1:9000", {"HTTP_PROXY": "http://proxy.example", "ALL_PROXY": "http://x"}, ""),
        (API, {"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "example.org, .calendly.com"}, ""),
        (API, {"HTTPS_PROXY": "http://proxy.example", "no_proxy": "*"}, ""),
    ],
)
def test_a_proxy_is_named_by_its_variable_and_never_with_its_password(
    url: str, environ: dict[str, str], named: str
) -> None:
    told = proxy_told(url, environ)
    assert told == (f" The way leads through the proxy that {named}" if named else "")
