package store

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that tests move by hand.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func TestPutAndGet(t *testing.T) {
	m := New[string, int](time.Minute, time.Now)
	m.Put("a", 1)
	m.Put("a", 2)
	if value, ok := m.Get("a"); !ok || value != 2 {
		t.Errorf("Get(a) = %d, %t", value, ok)
	}
	if _, ok := m.Get("b"); ok {
		t.Error("found a key that was never written")
	}
	m.Delete("a")
	if _, ok := m.Get("a"); ok {
		t.Error("found a deleted key")
	}
}

func TestAnEntryExpiresWithoutASweep(t *testing.T) {
	var c clock
	m := New[string, int](time.Minute, c.now)
	m.Put("a", 1)
	c.advance(time.Minute)
	if _, ok := m.Get("a"); ok {
		t.Error("found an expired key")
	}
	if m.Change("a", func(*int) {}) {
		t.Error("changed an expired key")
	}
}

func TestSweepRemovesOnlyWhatIsDue(t *testing.T) {
	var c clock
	m := New[string, int](time.Minute, c.now)
	for i := 0; i < 500; i++ {
		m.Put(strconv.Itoa(i), i)
	}
	c.advance(30 * time.Second)
	m.Put("7", 70) // lives anew
	m.Put("late", 1)
	m.Delete("8")
	c.advance(30 * time.Second)
	if removed := m.Sweep(); removed != 498 {
		t.Errorf("swept %d entries, want 498", removed)
	}
	if value, ok := m.Get("7"); !ok || value != 70 || m.Len() != 2 {
		t.Errorf("Get(7) = %d, %t with %d entries left", value, ok, m.Len())
	}
	c.advance(30 * time.Second)
	if removed := m.Sweep(); removed != 2 || m.Len() != 0 {
		t.Errorf("swept %d entries, %d left", removed, m.Len())
	}
}

func TestChangeDoesNotProlongALife(t *testing.T) {
	var c clock
	m := New[string, int](time.Minute, c.now)
	m.Put("a", 1)
	c.advance(59 * time.Second)
	if !m.Change("a", func(v *int) { *v++ }) {
		t.Fatal("no live value")
	}
	if value, _ := m.Get("a"); value != 2 {
		t.Errorf("changed to %d", value)
	}
	c.advance(time.Second)
	if _, ok := m.Get("a"); ok {
		t.Error("a change prolonged the life of its entry")
	}
}

func TestExactlyOneConcurrentCallerCreates(t *testing.T) {
	m := New[string, int](time.Minute, time.Now)
	var created atomic.Int64
	var wait sync.WaitGroup
	for i := 0; i < 32; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if value, _ := m.GetOrPut("a", func() int { return int(created.Add(1)) }); value != 1 {
				t.Errorf("got %d", value)
			}
		}()
	}
	wait.Wait()
}

func TestUpdatesAreNotLost(t *testing.T) {
	m := New[string, int](time.Minute, time.Now)
	var wait sync.WaitGroup
	for i := 0; i < 16; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for j := 0; j < 100; j++ {
				m.Update("sum", func(v *int, _ bool) { *v++ })
			}
		}()
	}
	wait.Wait()
	if sum, _ := m.Get("sum"); sum != 1600 {
		t.Errorf("sum is %d, want 1600", sum)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	m := New[string, int](time.Nanosecond, time.Now)
	m.Put("a", 1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { m.Run(ctx, time.Millisecond); close(done) }()
	for m.Len() > 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	if m.Len() != 0 {
		t.Error("nothing was swept")
	}
}

func BenchmarkPut(b *testing.B) {
	var c clock
	m := New[string, int](time.Second, c.now)
	keys := benchmarkKeys()
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		m.Put(keys[i%len(keys)], i)
		if i%len(keys) == 0 {
			c.advance(time.Second) // so that the queue stays as long as in a service
			m.Sweep()
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m := New[string, int](time.Hour, time.Now)
	keys := benchmarkKeys()
	for i, key := range keys {
		m.Put(key, i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if _, ok := m.Get(keys[i%len(keys)]); !ok {
			b.Fatal("lost a key")
		}
	}
}

func BenchmarkGetParallel(b *testing.B) {
	m := New[string, int](time.Hour, time.Now)
	keys := benchmarkKeys()
	for i, key := range keys {
		m.Put(key, i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			m.Get(keys[i%len(keys)])
		}
	})
}

func benchmarkKeys() []string {
	keys := make([]string, 4096)
	for i := range keys {
		keys[i] = "pay_" + strconv.Itoa(i)
	}
	return keys
}
