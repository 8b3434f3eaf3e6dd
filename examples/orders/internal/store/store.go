// Package store keeps orders in a bbolt file.
//
// Two buckets: "orders" holds each order (MessagePack) under its 16-byte ID, and
// "by_customer" an empty value under customer, a zero byte and ID. IDs grow with
// time, so both are in the order of arrival.
package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"
	bolt "go.etcd.io/bbolt"

	"example.com/orders/internal/order"
)

// ErrNotFound means that there is no order with this ID.
var ErrNotFound = errors.New("no such order")

var (
	ordersBucket   = []byte("orders")
	customerBucket = []byte("by_customer")
)

// Options say how careful the store is.
type Options struct {
	// Sync makes every commit reach the disk before it is confirmed.
	Sync bool
	// BatchDelay is how long a write waits for others to share its commit.
	BatchDelay time.Duration
}

// Store is a file of orders. It is safe for concurrent use.
type Store struct {
	db    *bolt.DB
	count atomic.Int64 // kept here: to count in the file is to walk through it
}

// Open opens or makes the file. It fails when another process has it open.
func Open(path string, options Options) (*Store, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:        time.Second,
		NoSync:         !options.Sync,
		NoFreelistSync: true,
		FreelistType:   bolt.FreelistMapType,
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.MaxBatchDelay = options.BatchDelay
	s := &Store{db: db}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{ordersBucket, customerBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("bucket %s: %w", name, err)
			}
		}
		s.count.Store(int64(tx.Bucket(ordersBucket).Stats().KeyN))
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Close waits for open transactions and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Add writes a new order.
func (s *Store) Add(o order.Order) error {
	value, err := msgpack.Marshal(&o)
	if err != nil {
		return fmt.Errorf("encode order %s: %w", o.ID, err)
	}
	err = s.db.Batch(func(tx *bolt.Tx) error {
		if err := tx.Bucket(ordersBucket).Put(o.ID[:], value); err != nil {
			return err
		}
		return tx.Bucket(customerBucket).Put(customerKey(o.Customer, o.ID), nil)
	})
	if err == nil {
		s.count.Add(1)
	}
	return err
}

// Get returns one order, or ErrNotFound.
func (s *Store) Get(id uuid.UUID) (order.Order, error) {
	var found order.Order
	err := s.db.View(func(tx *bolt.Tx) error {
		var err error
		found, err = read(tx, id[:])
		return err
	})
	return found, err
}

// Change lets change alter an order and writes it back; an error of change
// leaves it as it is. It may be called more than once.
func (s *Store) Change(id uuid.UUID, change func(*order.Order) error) (order.Order, error) {
	var changed order.Order
	err := s.db.Batch(func(tx *bolt.Tx) error {
		o, err := read(tx, id[:])
		if err != nil {
			return err
		}
		if err := change(&o); err != nil {
			return err
		}
		value, err := msgpack.Marshal(&o)
		if err != nil {
			return fmt.Errorf("encode order %s: %w", id, err)
		}
		changed = o
		return tx.Bucket(ordersBucket).Put(id[:], value)
	})
	return changed, err
}

// Latest returns the newest orders of a customer, at most limit.
func (s *Store) Latest(customer string, limit int) ([]order.Order, error) {
	latest := make([]order.Order, 0, limit)
	err := s.db.View(func(tx *bolt.Tx) error {
		prefix := append([]byte(customer), 0)
		cursor := tx.Bucket(customerBucket).Cursor()
		// The first key after all of this customer's, then backwards.
		key, _ := cursor.Seek(append([]byte(customer), 1))
		if key == nil {
			key, _ = cursor.Last()
		} else {
			key, _ = cursor.Prev()
		}
		for ; bytes.HasPrefix(key, prefix) && len(latest) < limit; key, _ = cursor.Prev() {
			o, err := read(tx, key[len(prefix):])
			if err != nil {
				return err
			}
			latest = append(latest, o)
		}
		return nil
	})
	return latest, err
}

// Len is the number of orders.
func (s *Store) Len() int { return int(s.count.Load()) }

func read(tx *bolt.Tx, id []byte) (order.Order, error) {
	value := tx.Bucket(ordersBucket).Get(id)
	if value == nil {
		return order.Order{}, ErrNotFound
	}
	var o order.Order
	if err := msgpack.Unmarshal(value, &o); err != nil {
		return order.Order{}, fmt.Errorf("decode order %x: %w", id, err)
	}
	o.Placed = o.Placed.UTC()
	return o, nil
}

func customerKey(customer string, id uuid.UUID) []byte {
	key := make([]byte, 0, len(customer)+1+len(id))
	key = append(append(key, customer...), 0)
	return append(key, id[:]...)
}
