package fulfil

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"example.com/orders/internal/order"
)

// shelf is a store in memory.
type shelf struct {
	mu     sync.Mutex
	orders map[uuid.UUID]order.Order
}

func (s *shelf) Change(id uuid.UUID, change func(*order.Order) error) (order.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[id]
	if err := change(&o); err != nil {
		return order.Order{}, err
	}
	s.orders[id] = o
	return o, nil
}

func TestWhatIsQueuedIsShippedBeforeRunReturns(t *testing.T) {
	shelf := &shelf{orders: make(map[uuid.UUID]order.Order)}
	packers := New(shelf, 100, zerolog.Nop(), prometheus.NewRegistry())
	for range 100 {
		id := uuid.New()
		shelf.orders[id] = order.Order{ID: id, Status: order.Placed}
		if !packers.Offer(id) {
			t.Fatal("there was room")
		}
	}
	cancelled := uuid.New()
	if packers.Offer(cancelled) {
		t.Error("a full queue took an order")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	packers.Run(ctx, 4)
	for id, o := range shelf.orders {
		if o.Status != order.Shipped {
			t.Errorf("%s is %s", id, o.Status)
		}
	}
	if got := testutil.ToFloat64(packers.shipped); got != 100 {
		t.Errorf("counted %v", got)
	}
}

func TestACancelledOrderIsNotShipped(t *testing.T) {
	id := uuid.New()
	shelf := &shelf{orders: map[uuid.UUID]order.Order{id: {ID: id, Status: order.Cancelled}}}
	packers := New(shelf, 1, zerolog.Nop(), prometheus.NewRegistry())
	packers.Offer(id)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	packers.Run(ctx, 1)
	if shelf.orders[id].Status != order.Cancelled || testutil.ToFloat64(packers.shipped) != 0 {
		t.Error("a cancelled order was shipped")
	}
}
