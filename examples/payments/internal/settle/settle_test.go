package settle

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/payments/internal/payment"
)

func TestEverySubmittedPaymentIsSettledBeforeCloseReturns(t *testing.T) {
	var mu sync.Mutex
	settled := make(map[payment.ID]int)
	pool := Start(Options{Workers: 4, Depth: 8, Patience: time.Minute}, func(_ context.Context, id payment.ID) {
		mu.Lock()
		settled[id]++
		mu.Unlock()
	})
	for i := 0; i < 500; i++ {
		if err := pool.Submit(context.Background(), payment.ID(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(settled) != 500 || settled["499"] != 1 {
		t.Errorf("settled %d payments, the last one %d times", len(settled), settled["499"])
	}
}

func TestSubmitIsBoundedByPatienceAndContext(t *testing.T) {
	release := make(chan struct{})
	pool := Start(Options{Workers: 1, Depth: 1, Patience: time.Millisecond}, func(context.Context, payment.ID) { <-release })
	var err error
	for i := 0; i < 3 && err == nil; i++ {
		err = pool.Submit(context.Background(), "p")
	}
	if !errors.Is(err, ErrBusy) {
		t.Errorf("a full queue gave %v", err)
	}
	if pool.Waiting() != 1 {
		t.Errorf("%d wait, want 1", pool.Waiting())
	}
	close(release)
	if err := pool.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Submit(context.Background(), "p"); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed pool gave %v", err)
	}
}

func TestCloseGivesUpWithItsContextAndCancelsTheWork(t *testing.T) {
	cancelled := make(chan struct{})
	started := make(chan struct{})
	pool := Start(Options{Workers: 1, Depth: 1}, func(ctx context.Context, _ payment.ID) {
		close(started)
		<-ctx.Done()
		close(cancelled)
	})
	if err := pool.Submit(context.Background(), "p"); err != nil {
		t.Fatal(err)
	}
	<-started
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := pool.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close gave %v", err)
	}
	<-cancelled
}

func BenchmarkSettle(b *testing.B) {
	var settled atomic.Int64
	pool := Start(Options{Workers: 4, Depth: 1024, Patience: time.Minute}, func(context.Context, payment.ID) { settled.Add(1) })
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if err := pool.Submit(context.Background(), "pay_0"); err != nil {
			b.Fatal(err)
		}
	}
	if err := pool.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	if settled.Load() != int64(b.N) {
		b.Fatalf("settled %d of %d", settled.Load(), b.N)
	}
}
