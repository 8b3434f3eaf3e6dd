"""What a service costs at list price: facts times the policy's price book."""

from __future__ import annotations

from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit

_LIST = "list prices of the policy's price book, which the report names with source and date"
_USED = "steady resident memory (else its peak)"
_BUSY = (
    "CPU seconds per request times requests_per_month, or else the cores that the policy's load "
    "kept busy"
)

METRICS = (
    Metric(
        id="cost.month",
        summary="what the service costs in a month, all replicas",
        unit=Unit.MONEY_PER_MONTH,
        exact=False,
        how=f"memory and CPU by allocation, registry and transfer of the image; {_LIST}",
        advice="the table `costs` splits it: memory and CPU first, bytes of the image last",
    ),
    Metric(
        id="cost.per_million_requests",
        summary="what a million requests cost",
        unit=Unit.MONEY,
        exact=False,
        how="cost.month by the deployment's requests_per_month",
        advice="fewer replicas or smaller requests of CPU and memory for the same traffic",
    ),
    Metric(
        id="cost.memory.month",
        summary="memory by allocation: the larger of what is requested and what is used",
        unit=Unit.MONEY_PER_MONTH,
        exact=False,
        how=f"max(deployment.memory, {_USED}) x replicas x 730 h; {_LIST}",
        advice="lower deployment.memory towards what is used, with GOMEMLIMIT at 90% of it",
    ),
    Metric(
        id="cost.memory.used.month",
        summary="memory by use",
        unit=Unit.MONEY_PER_MONTH,
        exact=False,
        how=f"{_USED} x replicas x 730 h; {_LIST}",
        advice="see memory.heap.live and memory.rss.steady for what holds it",
    ),
    Metric(
        id="cost.cpu.month",
        summary="CPU by allocation: the larger of what is requested and what is used",
        unit=Unit.MONEY_PER_MONTH,
        exact=False,
        how=f"max(deployment.cpu x replicas, {_BUSY}) x 730 h; {_LIST}",
        advice="lower deployment.cpu towards what is used, or run fewer replicas",
    ),
    Metric(
        id="cost.cpu.used.month",
        summary="CPU by use",
        unit=Unit.MONEY_PER_MONTH,
        exact=False,
        how=f"{_BUSY}; {_LIST}",
        advice="see process.cpu.per_request, and a CPU profile for where it goes",
    ),
    Metric(
        id="cost.idle.month",
        summary="what is requested and not used, of memory and CPU",
        unit=Unit.MONEY_PER_MONTH,
        exact=False,
        how="allocation less use, of memory and of CPU, where the use was measured",
        advice="some idle is headroom; what is above it can be given back in the deployment",
    ),
    Metric(
        id="cost.registry.month",
        summary="keeping the images of a month's deploys in a registry",
        unit=Unit.MONEY_PER_MONTH,
        exact=True,
        how=f"binary.size x deploys_per_month, each kept for a month; {_LIST}",
        advice="a smaller executable; deleting old images saves more",
    ),
    Metric(
        id="cost.transfer.month",
        summary="pulling the image to the replicas of a month's deploys",
        unit=Unit.MONEY_PER_MONTH,
        exact=True,
        how=f"binary.size x replicas x deploys_per_month, across zones; {_LIST}",
        advice="a smaller executable, or a registry in the zone",
    ),
    Metric(
        id="cost.deploy",
        summary="what one deploy costs for storing and pulling its image",
        unit=Unit.MONEY,
        worse=Worse.HIGHER,
        exact=True,
        how="cost.registry.month and cost.transfer.month by deploys_per_month",
        advice="a smaller executable; it is little, and memory and CPU are more",
    ),
)
