"""Where a server is, and which key may be sent there: base URLs, OLLAMA_HOST, proxies, the official OpenAI host."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from pytest_hybrideval.backends.faults import Secret
from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.errors import ConfigurationError

OPENAI_URL = "https://api.openai.com/v1"
OLLAMA_URL = "http://127.0.0.1:11434"
_OPENAI_HOST = "api.openai.com"
_OLLAMA_PORT = 11434
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ANY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # an address to listen at, not one to connect to
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def base_url(text: str, source: str) -> str:
    """`text` without a trailing slash. Raises `ConfigurationError` naming `source` where it is no plain http(s) URL.

    User and password are refused, so that a URL can be shown in errors and records.
    """
    parts = _split(text.strip(), source)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ConfigurationError(f"{source} must be a URL such as http://127.0.0.1:8000/v1, not '{text}'")
    return parts.geturl().rstrip("/")


def ollama_url(text: str, source: str) -> str:
    """The server's URL from what OLLAMA_HOST may hold: host, host:port, :port or a URL, each perhaps with a path.

    As in Ollama's own clients the port is 11434 without a scheme and the scheme's own with one, and an address that
    means every interface stands for this machine. Raises `ConfigurationError` naming `source`.
    """
    scheme, mark, rest = text.strip().partition("://")
    if not mark:
        scheme, rest = "http", scheme
    if scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(f"{source} must be a host or an http URL such as {OLLAMA_URL}, not '{text}'")
    parts = _split(f"{scheme}://{rest}", source)
    port = parts.port if parts.port is not None else (_DEFAULT_PORTS[scheme] if mark else _OLLAMA_PORT)
    host = parts.hostname or "127.0.0.1"
    host = _ANY_INTERFACE.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{parts.path.rstrip('/')}"


def openai_address(tier: Tier, environ: Mapping[str, str], given: str | None) -> tuple[str, Secret]:
    """Base URL and key of a tier's OpenAI-compatible server.

    The URL is `given`, else OPENAI_BASE_URL, else OpenAI's own. The key is in the tier's own variable, else in
    OPENAI_API_KEY, which is sent only to OpenAI itself or to the URL in OPENAI_BASE_URL: a key is never shown to a
    server that it was not meant for. Raises `ConfigurationError` where OpenAI itself is meant and there is no key.
    """
    own = f"HYBRIDEVAL_{tier.value.upper()}_API_KEY"
    from_environ = environ.get("OPENAI_BASE_URL", "").strip()
    common = base_url(from_environ, "OPENAI_BASE_URL") if from_environ else OPENAI_URL
    url = base_url(given, f"the {tier.value} base URL") if given else common
    official = _is_official(url)
    for name in (own, "OPENAI_API_KEY") if official or url == common else (own,):
        if value := environ.get(name, "").strip():
            return url, checked_key(name, value)
    if official:
        raise ConfigurationError(f"{url} needs an API key for the {tier.value} model: set OPENAI_API_KEY (or {own})")
    return url, Secret(own)


def checked_key(name: str, value: str) -> Secret:
    """The key in variable `name`. Raises `ConfigurationError`, without its value, where no header could carry it."""
    if not (value.isascii() and value.isprintable()):
        raise ConfigurationError(f"{name} holds characters that no API key has; set it again")
    return Secret(name, value)


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that `environ` names for `url` (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY); None: go directly.

    This machine is always reached directly. Only HTTP proxies are supported: others raise `ConfigurationError`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    names = (f"{parts.scheme}_proxy", "all_proxy")
    lower = {key.lower(): value for key, value in environ.items() if key.lower().endswith("_proxy")}
    proxy = next((lower[name] for name in names if lower.get(name)), None)
    if proxy is None or host in _LOOPBACK or _goes_directly(host, lower.get("no_proxy", "")):
        return None
    if urlsplit(proxy).scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(f"the proxy for {url} is not an HTTP proxy; name one in {parts.scheme.upper()}_PROXY")
    return proxy


def _goes_directly(host: str, no_proxy: str) -> bool:
    exempt = [entry.strip().lstrip(".") for entry in no_proxy.split(",") if entry.strip()]
    return any(entry == "*" or host == entry or host.endswith("." + entry) for entry in exempt)


def _split(text: str, source: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # read to be checked
    except ValueError:
        raise ConfigurationError(f"{source} is not a valid URL; write it as in http://127.0.0.1:8000") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{source} must not carry a user or password; give the API key in its own variable")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{source} must not carry '?' or '#'")
    return parts


def _is_official(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "https" and (host == _OPENAI_HOST or host.endswith("." + _OPENAI_HOST))
