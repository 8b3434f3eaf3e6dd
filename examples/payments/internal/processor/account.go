package processor

import "example.com/payments/internal/payment"

// recentPayments is how many payments an account shows.
const recentPayments = 10

// Account is what a caller sees of an account.
type Account struct {
	Name     string            `json:"account"`
	Balances []payment.Money   `json:"balances"`
	Recent   []payment.Payment `json:"recent"`
}

// account holds the books of one account. It is copied as a whole, so nothing
// in it is shared.
type account struct {
	recent [recentPayments]payment.ID // a ring; the newest stands before next
	next   int
	books  [4]payment.Money // one for each currency that was used
}

func (a *account) remember(id payment.ID) {
	a.recent[a.next] = id
	a.next = (a.next + 1) % recentPayments
}

func (a *account) latest() []payment.ID {
	latest := make([]payment.ID, 0, recentPayments)
	for i := 1; i <= recentPayments; i++ {
		if id := a.recent[(a.next-i+recentPayments)%recentPayments]; id != "" {
			latest = append(latest, id)
		}
	}
	return latest
}

func (a *account) book(amount payment.Money, minor int64) {
	for i := range a.books {
		if book := &a.books[i]; book.Currency == amount.Currency || book.Currency == "" {
			book.Currency = amount.Currency
			book.Minor += minor
			return
		}
	}
}

func (a *account) balances() []payment.Money {
	balances := make([]payment.Money, 0, len(a.books))
	for _, book := range a.books {
		if book.Currency != "" {
			balances = append(balances, book)
		}
	}
	return balances
}
