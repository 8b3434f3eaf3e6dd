"""Whose prices hold: `--policy` and `--service`, as every command that speaks of money has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gocost.cost.price_book import PriceBook, load_prices
from gocost.model.service import Deployment, Service
from gocost.sources.naming import Named


@dataclass(frozen=True, slots=True)
class Governed:
    """The service as a policy has it, and its prices."""

    service: Service | None
    book: PriceBook

    @property
    def deployment(self) -> Deployment | None:
        """How the service is deployed; None where nobody said it."""
        return self.service.deployment if self.service is not None else None


def governed(policy: Named | None, service: str | None) -> Governed:
    """What a policy says of one of its services; without one, the prices that come with gocost.

    Raises PolicyError, SourceError and UsageError.
    """
    from gocost.policy.loading import load_one

    loaded = load_one(Path(policy) if policy is not None else None, service)
    if loaded is None:
        return Governed(None, load_prices())
    return Governed(loaded.services[0].service, load_prices(loaded.prices))
