"""Facts times prices: money, in Decimal, with its source, its date and its formula."""
