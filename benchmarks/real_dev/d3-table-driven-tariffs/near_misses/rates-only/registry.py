"""A registry of tariffs. Where the tariffs come from is not its business."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from berths import Stay

BerthFee = Callable[[Stay], int]


class UnknownTariff(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"no such tariff: {name}")
        self.name = name


@dataclass(frozen=True)
class Tariff:
    name: str
    label: str
    online: bool
    multihull_surcharge: bool
    visitors_tax: bool
    berth_fee: BerthFee


class TariffRegistry:
    def __init__(self) -> None:
        self._tariffs: dict[str, Tariff] = {}
        self._by_key: dict[str, Tariff] = {}

    def register(
        self,
        name: str,
        *,
        label: str,
        aliases: Iterable[str] = (),
        online: bool = False,
        multihull_surcharge: bool = True,
        visitors_tax: bool = True,
    ) -> Callable[[BerthFee], BerthFee]:
        key = _key(name)
        keys = {key, *map(_key, aliases)}

        def decorate(berth_fee: BerthFee) -> BerthFee:
            if taken := keys & self._by_key.keys():
                raise ValueError(f"already registered: {', '.join(sorted(taken))}")
            tariff = Tariff(key, label, online, multihull_surcharge, visitors_tax, berth_fee)
            self._tariffs[key] = tariff
            self._by_key.update(dict.fromkeys(keys, tariff))
            return berth_fee

        return decorate

    def find(self, name: str) -> Tariff:
        try:
            return self._by_key[_key(name)]
        except KeyError:
            raise UnknownTariff(name) from None

    def names(self) -> list[str]:
        return list(self._tariffs)


def _key(name: str) -> str:
    return "-".join(name.lower().split())
