"""Leave every request to a router that runs already, behind an OpenAI-compatible URL (LiteLLM, RouteLLM, vLLM's)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import ClassVar
from urllib.parse import urlsplit

from pytest_hybrideval.core.domain import ChatRequest, Decision, ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.settings import StrategyOptions

PROVIDER = "url"
_EXAMPLE = "'gpt-5.5*=cloud,gemma*=local'"

TierPatterns = tuple[tuple[str, Tier], ...]


def parse_tiers(text: str) -> TierPatterns:
    """`PATTERN=TIER`, comma list, as pairs in their order. Raises `ConfigurationError` naming the wrong part."""
    return tuple(_pair(part.strip()) for part in text.split(","))


def _pair(part: str) -> tuple[str, Tier]:
    pattern, _, tier = part.rpartition("=")
    if not pattern.strip() or tier.strip() not in set(Tier):
        raise ConfigurationError(f"'{part}' is not PATTERN=local or PATTERN=cloud; for example {_EXAMPLE}")
    return pattern.strip(), Tier(tier.strip())


class UrlRouter:
    """The whole request goes to the router at a URL; whichever model it lets answer tells the tier, by its name.

    None of the two tiers' models is asked, so `tiers` is empty: they only give the prices.
    """

    name: ClassVar[str] = "url"
    tiers: ClassVar[frozenset[Tier]] = frozenset()

    def __init__(self, model: ModelRef, patterns: TierPatterns) -> None:
        """`model` is `url/ADDRESS` or `url/ADDRESS#NAME`; `patterns` are shell patterns over the names that answer."""
        self.models = ((Tier.CLOUD, model),)
        self._decision = Decision(Tier.CLOUD, f"left to the router at {model.name}", model=model)
        self._patterns = patterns

    @classmethod
    def configured(cls, options: StrategyOptions, argument: str) -> UrlRouterFactory:
        """The factory for `url:ADDRESS`. Raises `ConfigurationError` where address or map of tiers is missing."""
        parts = urlsplit(argument)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigurationError(
                f"strategy '{cls.name}' needs the address of a router, for example url:http://127.0.0.1:4000/v1, "
                f"not '{argument}'; #NAME after it asks for a model of that name"
            )
        if "@" in parts.netloc or parts.query:  # the name is in every record, and no place for a secret
            raise ConfigurationError(
                f"strategy '{cls.name}': the address must not carry '?', a user or a password; "
                f"the router's key is in HYBRIDEVAL_ROUTER_API_KEY"
            )
        if not options.url_tiers:
            raise ConfigurationError(
                f"strategy '{cls.name}:{argument}' needs the tiers of the models that answer: --hybrid-url-tiers "
                f"{_EXAMPLE} (of 'hybrideval serve': --url-tiers)"
            )
        return UrlRouterFactory(ModelRef(PROVIDER, argument), options.url_tiers)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """To the router, whatever the request. The tier is provisional: the cloud, until a model has answered."""
        return self._decision

    def place(self, model: str) -> Tier | None:
        """The tier of the first pattern that fits the name."""
        return next((tier for pattern, tier in self._patterns if fnmatchcase(model, pattern)), None)


class UrlRouterFactory:
    """Makes the strategy for one address."""

    tiers = UrlRouter.tiers

    def __init__(self, model: ModelRef, patterns: TierPatterns) -> None:
        """As `UrlRouter` takes them."""
        self.models = ((Tier.CLOUD, model),)
        self._patterns = patterns

    def __call__(self) -> UrlRouter:
        """A new strategy."""
        return UrlRouter(self.models[0][1], self._patterns)
