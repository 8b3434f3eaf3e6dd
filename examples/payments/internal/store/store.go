// Package store keeps values in memory for a limited time, sharded so that
// requests for different keys rarely wait for each other.
package store

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// shardCount is a power of two well above the cores of a machine that a service
// of this kind runs on.
const shardCount = 64

// Map holds values by key until their time to live is over. A value that is
// written again lives anew. It is safe for concurrent use.
type Map[K ~string, V any] struct {
	seed   maphash.Seed
	ttl    time.Duration
	now    func() time.Time
	shards [shardCount]shard[K, V]
}

type shard[K ~string, V any] struct {
	mu      sync.Mutex
	entries map[K]*entry[V]
	// Every entry has the same time to live, so the order of writing is the
	// order of expiry: a queue finds what is due without a scan.
	queue []due[K]
}

type entry[V any] struct {
	value   V
	expires time.Time
}

type due[K ~string] struct {
	key K
	at  time.Time
}

// New returns an empty Map whose entries live for ttl. The clock is injected so
// that tests need not wait.
func New[K ~string, V any](ttl time.Duration, now func() time.Time) *Map[K, V] {
	m := &Map[K, V]{seed: maphash.MakeSeed(), ttl: ttl, now: now}
	for i := range m.shards {
		m.shards[i].entries = make(map[K]*entry[V])
	}
	return m
}

// Get returns the live value of a key.
func (m *Map[K, V]) Get(key K) (V, bool) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.live(key, m.now()); e != nil {
		return e.value, true
	}
	var none V
	return none, false
}

// Put writes a value.
func (m *Map[K, V]) Put(key K, value V) {
	m.Update(key, func(old *V, _ bool) { *old = value })
}

// GetOrPut returns the live value of a key, or writes and returns what create
// makes. Exactly one of many concurrent callers creates.
func (m *Map[K, V]) GetOrPut(key K, create func() V) (value V, found bool) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	if e := s.live(key, now); e != nil {
		return e.value, true
	}
	value = create()
	s.write(key, value, now.Add(m.ttl))
	return value, false
}

// Update changes the value of a key in place, under the lock of its shard. When
// the key has none, found is false and the value starts as its zero.
func (m *Map[K, V]) Update(key K, change func(value *V, found bool)) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	if e := s.live(key, now); e != nil {
		change(&e.value, true)
		e.expires = now.Add(m.ttl)
		s.queue = append(s.queue, due[K]{key, e.expires})
		return
	}
	var value V
	change(&value, false)
	s.write(key, value, now.Add(m.ttl))
}

// Change changes a live value in place without prolonging its life, and reports
// whether there was one.
func (m *Map[K, V]) Change(key K, change func(value *V)) bool {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.live(key, m.now())
	if e == nil {
		return false
	}
	change(&e.value)
	return true
}

// Delete removes a key.
func (m *Map[K, V]) Delete(key K) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
}

// Len is the number of entries, those included that have expired and were not
// swept yet.
func (m *Map[K, V]) Len() int {
	total := 0
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		total += len(s.entries)
		s.mu.Unlock()
	}
	return total
}

// Sweep removes what has expired and returns how many entries that were.
func (m *Map[K, V]) Sweep() int {
	removed := 0
	now := m.now()
	for i := range m.shards {
		removed += m.shards[i].sweep(now)
	}
	return removed
}

// Run sweeps at every interval until the context ends.
func (m *Map[K, V]) Run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.Sweep()
		}
	}
}

func (m *Map[K, V]) shard(key K) *shard[K, V] {
	return &m.shards[maphash.String(m.seed, string(key))%shardCount]
}

func (s *shard[K, V]) live(key K, now time.Time) *entry[V] {
	e := s.entries[key]
	if e == nil || !now.Before(e.expires) {
		return nil
	}
	return e
}

func (s *shard[K, V]) write(key K, value V, expires time.Time) {
	s.entries[key] = &entry[V]{value: value, expires: expires}
	s.queue = append(s.queue, due[K]{key, expires})
}

func (s *shard[K, V]) sweep(now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	removed, passed := 0, 0
	for _, d := range s.queue {
		if now.Before(d.at) {
			break
		}
		passed++
		// A later write has a later place in the queue.
		if e := s.entries[d.key]; e != nil && !now.Before(e.expires) {
			delete(s.entries, d.key)
			removed++
		}
	}
	if passed > 0 {
		// A copy lets go of the swept part of the array.
		s.queue = append([]due[K](nil), s.queue[passed:]...)
	}
	return removed
}
