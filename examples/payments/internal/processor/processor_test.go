package processor

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/payments/internal/payment"
	"example.com/payments/internal/settle"
)

func start(t testing.TB) *Processor {
	t.Helper()
	p := Start(Options{
		TTL:           time.Hour,
		SweepInterval: time.Minute,
		Settlement:    settle.Options{Workers: 2, Depth: 64, Patience: time.Minute},
		Now:           time.Now,
	})
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func request(account string, minor int64) payment.Request {
	return payment.Request{
		Account:   account,
		Reference: "order 77",
		Amount:    payment.Money{Minor: minor, Currency: "EUR"},
		Method:    payment.Method{Type: "card", Token: "tok"},
	}
}

// settled polls until a payment has the status, so that no test depends on speed.
func settled(t testing.TB, p *Processor, id payment.ID) payment.Payment {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		found, err := p.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		if found.Status == payment.Settled {
			return found
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the payment was not settled")
	return payment.Payment{}
}

func TestAPaymentIsSettledAndBooked(t *testing.T) {
	p := start(t)
	created, err := p.Create(context.Background(), request("acct_1", 10_000))
	if err != nil {
		t.Fatal(err)
	}
	if created.Status != payment.Pending || created.Fee.Minor != 165 {
		t.Errorf("created %+v", created)
	}
	found := settled(t, p, created.ID)
	if found.SettledAt == nil || found.SettledAt.Before(found.CreatedAt) {
		t.Errorf("settled at %v, created at %v", found.SettledAt, found.CreatedAt)
	}
}

func TestARefundIsTakenFromTheBooks(t *testing.T) {
	p := start(t)
	created, err := p.Create(context.Background(), request("acct_1", 10_000))
	if err != nil {
		t.Fatal(err)
	}
	settled(t, p, created.ID)
	if _, err := p.Refund(created.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Refund(created.ID); !errors.Is(err, ErrNotSettled) {
		t.Errorf("a second refund gave %v", err)
	}
	if _, err := p.Refund("pay_unknown"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown payment gave %v", err)
	}
}

func TestBooksAddUpOverManyConcurrentPayments(t *testing.T) {
	p := start(t)
	var wait sync.WaitGroup
	for i := 0; i < 8; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for j := 0; j < 50; j++ {
				if _, err := p.Create(context.Background(), request("acct_1", 10_000)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wait.Wait()
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := p.Account("acct_1")
	want := payment.Money{Minor: 400 * (10_000 - 165), Currency: "EUR"}
	if len(got.Balances) != 1 || got.Balances[0] != want {
		t.Errorf("balances %v, want %v", got.Balances, want)
	}
	if stats := p.Stats(); stats.Settled != 400 || stats.Payments != 400 || stats.Accounts != 1 {
		t.Errorf("stats %+v", stats)
	}
}

func TestAnAccountShowsItsLatestPaymentsNewestFirst(t *testing.T) {
	p := start(t)
	for i := int64(1); i <= recentPayments+5; i++ {
		if _, err := p.Create(context.Background(), request("acct_1", i*100)); err != nil {
			t.Fatal(err)
		}
	}
	recent := p.Account("acct_1").Recent
	if len(recent) != recentPayments {
		t.Fatalf("%d payments", len(recent))
	}
	for i, got := range recent {
		if want := int64(recentPayments+5-i) * 100; got.Amount.Minor != want {
			t.Errorf("place %d has %d, want %d", i, got.Amount.Minor, want)
		}
	}
	if unknown := p.Account("acct_2"); len(unknown.Recent) != 0 || len(unknown.Balances) != 0 {
		t.Errorf("an unknown account has %+v", unknown)
	}
}

func TestAFullQueueRefusesThePaymentAsAWhole(t *testing.T) {
	p := start(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create(context.Background(), request("acct_1", 100)); !errors.Is(err, settle.ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if stats := p.Stats(); stats.Payments != 0 {
		t.Errorf("a refused payment stayed in the store: %+v", stats)
	}
}

func BenchmarkCreate(b *testing.B) {
	p := Start(Options{
		TTL:           time.Second,
		SweepInterval: 100 * time.Millisecond,
		Settlement:    settle.Options{Workers: 2, Depth: 1024, Patience: time.Minute},
		Now:           time.Now,
	})
	defer func() { _ = p.Close(context.Background()) }()
	r := request("acct_1", 10_000)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if _, err := p.Create(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
}
