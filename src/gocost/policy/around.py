"""What a policy must agree with: the folders of its services, the currency of its prices."""

from __future__ import annotations

from pathlib import Path

from gocost.cost.price_book import PriceBook
from gocost.model.quantity import Unit
from gocost.policy.loading import Governed, Policy


def check_around(policy: Policy, prices: PriceBook) -> None:
    """Raises PolicyError, with the place, for the first thing that does not agree."""
    for governed in policy.services:
        _check_package(governed)
        _check_currency(governed, prices)


def _check_package(governed: Governed) -> None:
    service = governed.service
    if service.build.binary or service.build.command or not service.package.startswith("."):
        return
    if not (Path(service.directory) / service.package).is_dir():
        raise governed.place.error(
            f"{service.name}: there is no folder {service.package}",
            hint="correct `package:`; it is relative to the policy's folder",
        )


def _check_currency(governed: Governed, prices: PriceBook) -> None:
    for rule in governed.rules:
        if rule.metric.unit not in (Unit.MONEY, Unit.MONEY_PER_MONTH):
            continue
        for kind, limit in rule.limits.items():
            if not limit.relative and prices.currency not in limit.text:
                raise rule.places[kind].error(
                    f"{limit.text} is not in {prices.currency}, the currency of {prices.name}",
                    hint=f"write it in {prices.currency}, or name another price book",
                )
