// Package fulfil ships orders in the background: a bounded queue and a fixed
// number of packers.
package fulfil

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"example.com/orders/internal/order"
)

// Orders is what the packers need of a store.
type Orders interface {
	Change(id uuid.UUID, change func(*order.Order) error) (order.Order, error)
}

// Packers ship what they are offered.
type Packers struct {
	orders  Orders
	queue   chan uuid.UUID
	log     zerolog.Logger
	shipped prometheus.Counter
}

// New returns Packers with room for depth waiting orders. Run starts them.
func New(orders Orders, depth int, log zerolog.Logger, registry prometheus.Registerer) *Packers {
	p := &Packers{
		orders:  orders,
		queue:   make(chan uuid.UUID, depth),
		log:     log,
		shipped: prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_shipped_total", Help: "Orders shipped."}),
	}
	waiting := prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "orders_waiting", Help: "Orders that wait for a packer."},
		func() float64 { return float64(len(p.queue)) },
	)
	registry.MustRegister(p.shipped, waiting)
	return p
}

// Offer queues an order. It reports false, and the order stays placed, when the
// queue is full.
func (p *Packers) Offer(id uuid.UUID) bool {
	select {
	case p.queue <- id:
		return true
	default:
		return false
	}
}

// Run ships with the given number of packers until ctx ends, and then what is
// queued at that time.
func (p *Packers) Run(ctx context.Context, packers int) {
	var wait sync.WaitGroup
	for range packers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			p.pack(ctx)
		}()
	}
	wait.Wait()
}

func (p *Packers) pack(ctx context.Context) {
	for {
		select {
		case id := <-p.queue:
			p.ship(id)
		case <-ctx.Done():
			for {
				select {
				case id := <-p.queue:
					p.ship(id)
				default:
					return
				}
			}
		}
	}
}

func (p *Packers) ship(id uuid.UUID) {
	_, err := p.orders.Change(id, func(o *order.Order) error { return o.Move(order.Shipped) })
	switch {
	case err == nil:
		p.shipped.Inc()
	case errors.Is(err, order.ErrNotPlaced): // it was cancelled in the meantime
	default:
		p.log.Error().Err(err).Stringer("order", id).Msg("not shipped")
	}
}
