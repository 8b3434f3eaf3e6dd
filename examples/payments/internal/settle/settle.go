// Package settle runs settlement in the background: a bounded queue and a fixed
// number of workers, so that a burst waits instead of multiplying goroutines.
package settle

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/payments/internal/payment"
)

// ErrBusy means that the queue stayed full for as long as Submit may wait.
var ErrBusy = errors.New("the settlement queue is full")

// ErrClosed means that the pool takes no more work.
var ErrClosed = errors.New("the settlement pool is closed")

// Settler books one payment.
type Settler func(ctx context.Context, id payment.ID)

// Options are the bounds of a Pool.
type Options struct {
	Workers  int           // how many payments settle at once
	Depth    int           // how many wait
	Patience time.Duration // how long Submit waits for a place
}

// Pool settles what is submitted to it.
type Pool struct {
	settle   Settler
	patience time.Duration
	queue    chan payment.ID
	cancel   context.CancelFunc
	workers  sync.WaitGroup

	mu     sync.RWMutex // held for reading while submitting, so that Close cannot close the queue under a sender
	closed bool
}

// Start returns a running Pool. It must be closed.
func Start(options Options, settle Settler) *Pool {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool{
		settle:   settle,
		patience: options.Patience,
		queue:    make(chan payment.ID, options.Depth),
		cancel:   cancel,
	}
	p.workers.Add(options.Workers)
	for i := 0; i < options.Workers; i++ {
		go p.work(ctx)
	}
	return p
}

// Submit queues one payment. It waits a little when the queue is full.
func (p *Pool) Submit(ctx context.Context, id payment.ID) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrClosed
	}
	select {
	case p.queue <- id: // the usual case needs no timer
		return nil
	default:
	}
	timer := time.NewTimer(p.patience)
	defer timer.Stop()
	select {
	case p.queue <- id:
		return nil
	case <-timer.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting is the number of payments in the queue.
func (p *Pool) Waiting() int { return len(p.queue) }

// Close takes no more work and waits until everything queued is settled. When
// ctx ends first, the workers' context is cancelled and the error of ctx is
// returned.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.queue)
	}
	p.mu.Unlock()

	defer p.cancel()
	idle := make(chan struct{})
	go func() {
		p.workers.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Pool) work(ctx context.Context) {
	defer p.workers.Done()
	for id := range p.queue {
		if ctx.Err() != nil {
			return
		}
		p.settle(ctx, id)
	}
}
