// Package processor is the heart of the service: it accepts payments, settles
// them in the background and keeps the books of each account, all in memory.
package processor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/payments/internal/payment"
	"example.com/payments/internal/settle"
	"example.com/payments/internal/store"
)

// Errors that a caller can do something about.
var (
	ErrNotFound   = errors.New("no such payment")
	ErrNotSettled = errors.New("only a settled payment can be refunded")
)

// Options are the bounds of a Processor.
type Options struct {
	TTL           time.Duration // how long payments and accounts are kept
	SweepInterval time.Duration
	Settlement    settle.Options
	Now           func() time.Time
}

// Processor accepts and settles payments. It is safe for concurrent use.
type Processor struct {
	now      func() time.Time
	payments *store.Map[payment.ID, payment.Payment]
	accounts *store.Map[string, account]
	pool     *settle.Pool
	settled  atomic.Uint64
	stop     context.CancelFunc
	sweepers sync.WaitGroup
}

// Stats are counts for the metrics pages.
type Stats struct {
	Payments int    `json:"payments"`
	Accounts int    `json:"accounts"`
	Waiting  int    `json:"waiting"`
	Settled  uint64 `json:"settled"`
}

// Start returns a running Processor. It must be closed.
func Start(options Options) *Processor {
	ctx, stop := context.WithCancel(context.Background())
	p := &Processor{
		now:      options.Now,
		payments: store.New[payment.ID, payment.Payment](options.TTL, options.Now),
		accounts: store.New[string, account](options.TTL, options.Now),
		stop:     stop,
	}
	p.pool = settle.Start(options.Settlement, p.settle)
	p.sweepers.Add(2)
	go func() { defer p.sweepers.Done(); p.payments.Run(ctx, options.SweepInterval) }()
	go func() { defer p.sweepers.Done(); p.accounts.Run(ctx, options.SweepInterval) }()
	return p
}

// Close settles what was accepted, for as long as ctx allows, and ends every
// goroutine of the processor.
func (p *Processor) Close(ctx context.Context) error {
	err := p.pool.Close(ctx)
	p.stop()
	p.sweepers.Wait()
	if err != nil {
		return fmt.Errorf("settle what was accepted: %w", err)
	}
	return nil
}

// Create accepts a payment and queues its settlement.
func (p *Processor) Create(ctx context.Context, request payment.Request) (payment.Payment, error) {
	fee, err := payment.FeeOf(request.Amount, request.Method.Type)
	if err != nil {
		return payment.Payment{}, err
	}
	id, err := payment.NewID()
	if err != nil {
		return payment.Payment{}, err
	}
	created := payment.Payment{
		ID:        id,
		Account:   request.Account,
		Reference: request.Reference,
		Amount:    request.Amount,
		Fee:       fee,
		Method:    request.Method,
		Status:    payment.Pending,
		Metadata:  request.Metadata,
		CreatedAt: p.now().UTC(),
	}
	p.payments.Put(id, created)
	if err := p.pool.Submit(ctx, id); err != nil {
		p.payments.Delete(id)
		return payment.Payment{}, fmt.Errorf("submit %s: %w", id, err)
	}
	p.accounts.Update(request.Account, func(a *account, _ bool) { a.remember(id) })
	return created, nil
}

// Get returns one payment, or ErrNotFound.
func (p *Processor) Get(id payment.ID) (payment.Payment, error) {
	found, ok := p.payments.Get(id)
	if !ok {
		return payment.Payment{}, ErrNotFound
	}
	return found, nil
}

// Refund takes a settled payment back from its account.
func (p *Processor) Refund(id payment.ID) (payment.Payment, error) {
	var refunded payment.Payment
	err := ErrNotFound
	p.payments.Change(id, func(stored *payment.Payment) {
		if stored.Status != payment.Settled {
			err = ErrNotSettled
			return
		}
		stored.Status = payment.Refunded
		refunded, err = *stored, nil
	})
	if err != nil {
		return payment.Payment{}, err
	}
	p.accounts.Update(refunded.Account, func(a *account, _ bool) { a.book(refunded.Amount, -refunded.Amount.Minor) })
	return refunded, nil
}

// Account returns the books of an account and its latest payments, newest
// first. An account without payments has empty books.
func (p *Processor) Account(name string) Account {
	books, _ := p.accounts.Get(name)
	result := Account{Name: name, Balances: books.balances(), Recent: []payment.Payment{}}
	for _, id := range books.latest() {
		if found, ok := p.payments.Get(id); ok {
			result.Recent = append(result.Recent, found)
		}
	}
	return result
}

// Stats counts what the processor holds.
func (p *Processor) Stats() Stats {
	return Stats{
		Payments: p.payments.Len(),
		Accounts: p.accounts.Len(),
		Waiting:  p.pool.Waiting(),
		Settled:  p.settled.Load(),
	}
}

func (p *Processor) settle(_ context.Context, id payment.ID) {
	at := p.now().UTC()
	var settled payment.Payment
	p.payments.Change(id, func(stored *payment.Payment) {
		if stored.Status != payment.Pending {
			return
		}
		stored.Status = payment.Settled
		stored.SettledAt = &at
		settled = *stored
	})
	if settled.ID == "" {
		return // it expired while it waited
	}
	p.accounts.Update(settled.Account, func(a *account, _ bool) {
		a.book(settled.Amount, settled.Amount.Minor-settled.Fee.Minor)
	})
	p.settled.Add(1)
}
