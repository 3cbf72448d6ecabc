"""What the environment says of the network: proxies and certificates. None of it is a setting of ours."""

import os
import re
import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.configuration.terminal import UsageError
from server.configuration.values import is_loopback

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_WEB: Final = frozenset({"http", "https"})
_SOCKS: Final = frozenset({"socks5", "socks5h"})
_CERTIFICATE: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----.*?-----END \1-----", re.DOTALL)


def proxy_told(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the sentence that names the proxy on the way to an address, without its password; empty without one."""
    parts = urlsplit(url)
    host = parts.hostname
    if host is None or is_loopback(host) or _is_passed_by(host, environ.get("no_proxy") or environ.get("NO_PROXY", "")):
        return ""
    names = (f"{parts.scheme}_proxy", "all_proxy")
    found = next((name for lower in names for name in (lower, lower.upper()) if environ.get(name)), None)
    if found is None:
        return ""
    address = environ[found] if "://" in environ[found] else f"http://{environ[found]}"
    proxy = urlsplit(address)
    user = f"{proxy.username}@" if proxy.username else ""
    return f" The way leads through the proxy that {found} names: {proxy.scheme}://{user}{proxy.netloc.rpartition('@')[2]}."


def _is_passed_by(host: str, no_proxy: str) -> bool:
    names = [name.strip().lstrip(".").lower() for name in no_proxy.split(",") if name.strip()]
    return "*" in names or any(f".{host}".endswith(f".{name}") for name in names)


def check_surroundings(environ: Mapping[str, str]) -> None:
    """Check the variables that every connection would fail over. Raises UsageError, without any value in it."""
    for name in (spelled for proxy in _PROXIES for spelled in (proxy, proxy.lower())):
        value = environ.get(name, "")
        if value:
            _check_proxy(name, value if "://" in value else f"http://{value}")
    certificates, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if folder and not Path(folder).is_dir():
        raise UsageError(f"SSL_CERT_DIR: there is no folder {folder}. Unset it, or name the one with the certificates.")
    if certificates:
        _check_certificates(Path(certificates))


def _check_proxy(name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        known = parts.scheme in _WEB | _SOCKS and parts.hostname and (parts.port or True)
    except ValueError:
        raise UsageError(f"{name}: must be the address of a proxy, such as http://proxy.example.com:3128.") from None
    if not known:
        raise UsageError(
            f"{name}: {parts.scheme}:// is no proxy that is known here; http://, https://, socks5:// and "
            "socks5h:// are."
        )
    if parts.scheme in _SOCKS and find_spec("socksio") is None:
        raise UsageError(f"{name}: a SOCKS proxy needs the package socksio, which is not installed here.")


def _check_certificates(file: Path) -> None:
    """Read the first certificate: to load the hundred of a usual file is a thirtieth of a start."""
    try:
        first = _CERTIFICATE.search(file.read_text("ascii", errors="replace"))
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=first[0] if first else "none")
    except ssl.SSLError:
        raise UsageError(f"SSL_CERT_FILE: {file} holds no certificate (PEM).") from None
    except OSError as fault:
        reason = "there is no such file" if isinstance(fault, FileNotFoundError) else fault.strerror
        raise UsageError(
            f"SSL_CERT_FILE: {file}: {reason}. Unset it, or name the file with the certificates."
        ) from None
