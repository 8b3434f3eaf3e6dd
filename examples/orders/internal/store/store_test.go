package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"example.com/orders/internal/order"
)

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{BatchDelay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newOrder(t testing.TB, customer string) order.Order {
	t.Helper()
	o, err := order.New(order.Request{Customer: customer, Country: "DE", Lines: []order.Line{{SKU: "cup-blue", Quantity: 1}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOrdersOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	want := newOrder(t, "cust_1")
	s := open(t, path)
	if err := s.Add(want); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	got, err := s.Get(want.ID)
	if err != nil || got.ID != want.ID || !got.Placed.Equal(want.Placed) || got.NetCents != want.NetCents || s.Len() != 1 {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestTheFileIsHeldByOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	open(t, path)
	if _, err := Open(path, Options{}); err == nil {
		t.Error("the file was opened twice")
	}
}

func TestLatestIsNewestFirstAndOfOneCustomer(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "orders.db"))
	var mine []order.Order
	for i := range 15 {
		for _, customer := range []string{"cust_1", "cust_", "cust_10", "cust_2"} {
			o := newOrder(t, customer)
			if err := s.Add(o); err != nil {
				t.Fatal(i, err)
			}
			if customer == "cust_1" {
				mine = append(mine, o)
			}
		}
	}
	latest, err := s.Latest("cust_1", 10)
	if err != nil || len(latest) != 10 {
		t.Fatalf("%d orders, %v", len(latest), err)
	}
	for i, o := range latest {
		if want := mine[len(mine)-1-i]; o.ID != want.ID {
			t.Errorf("place %d has %s, want %s", i, o.ID, want.ID)
		}
	}
	for _, customer := range []string{"cust_2", "cust_"} { // the last in the bucket, and the first
		if latest, err := s.Latest(customer, 100); err != nil || len(latest) != 15 {
			t.Errorf("%s has %d orders, %v", customer, len(latest), err)
		}
	}
	if none, err := s.Latest("zz", 10); err != nil || len(none) != 0 {
		t.Errorf("an unknown customer has %d orders, %v", len(none), err)
	}
}

func TestChangeWritesBackUnlessItFails(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "orders.db"))
	o := newOrder(t, "cust_1")
	if err := s.Add(o); err != nil {
		t.Fatal(err)
	}
	ship := func(o *order.Order) error { return o.Move(order.Shipped) }
	if changed, err := s.Change(o.ID, ship); err != nil || changed.Status != order.Shipped {
		t.Errorf("%+v, %v", changed, err)
	}
	if _, err := s.Change(o.ID, ship); !errors.Is(err, order.ErrNotPlaced) {
		t.Errorf("a second change gave %v", err)
	}
	if _, err := s.Change(uuid.New(), ship); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown order gave %v", err)
	}
	if _, err := s.Get(uuid.New()); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown order gave %v", err)
	}
}

func TestConcurrentWritesAreAllKept(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "orders.db"))
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 20 {
				if err := s.Add(newOrder(t, fmt.Sprint("cust_", i))); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wait.Wait()
	if s.Len() != 160 {
		t.Errorf("%d orders", s.Len())
	}
}

func BenchmarkAdd(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "orders.db"))
	s.db.MaxBatchSize = 1 // a benchmark of one caller would only measure the delay
	orders := make([]order.Order, b.N)
	for i := range orders {
		orders[i] = newOrder(b, "cust_1")
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range orders {
		if err := s.Add(orders[i]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLatest(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "orders.db"))
	for range 100 {
		if err := s.Add(newOrder(b, "cust_1")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Latest("cust_1", 10); err != nil {
			b.Fatal(err)
		}
	}
}
