package payment

// tariff is a share of the amount in basis points plus a fixed part.
type tariff struct {
	basisPoints int64
	fixedMinor  int64
}

func tariffOf(method string) (tariff, bool) {
	switch method {
	case "card":
		return tariff{basisPoints: 140, fixedMinor: 25}, true
	case "sepa":
		return tariff{basisPoints: 0, fixedMinor: 35}, true
	case "wallet":
		return tariff{basisPoints: 190, fixedMinor: 10}, true
	}
	return tariff{}, false
}

func knownCurrency(currency string) bool {
	switch currency {
	case "EUR", "USD", "GBP", "CHF":
		return true
	}
	return false
}

// FeeOf is what a payment of this amount by this method costs its account,
// rounded half up to the minor unit.
func FeeOf(amount Money, method string) (Money, error) {
	if !knownCurrency(amount.Currency) {
		return Money{}, &FieldError{"amount.currency", "must be EUR, USD, GBP or CHF"}
	}
	t, ok := tariffOf(method)
	if !ok {
		return Money{}, &FieldError{"method.type", "must be card, sepa or wallet"}
	}
	share := (amount.Minor*t.basisPoints + 5_000) / 10_000
	return Money{Minor: share + t.fixedMinor, Currency: amount.Currency}, nil
}
