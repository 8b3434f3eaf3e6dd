// Package idempotency makes a repeated request harmless: the same key with the
// same content gets the first answer again instead of a second payment.
package idempotency

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"example.com/payments/internal/store"
)

// Header carries the caller's key.
const Header = "Idempotency-Key"

// MaxKey is the longest accepted key, in bytes.
const MaxKey = 128

// ErrMismatch means that a key was used before with another content.
var ErrMismatch = errors.New("the idempotency key was used before for another request")

// Response is the answer that is kept for a key.
type Response struct {
	Status int
	Body   []byte
}

// Keys remembers answers by key. It is safe for concurrent use.
type Keys struct {
	calls *store.Map[string, *call]
}

type call struct {
	fingerprint [sha256.Size]byte
	done        chan struct{}
	response    Response // written before done is closed
}

// New returns Keys that remember an answer for ttl.
func New(ttl time.Duration, now func() time.Time) *Keys {
	return &Keys{calls: store.New[string, *call](ttl, now)}
}

// Do runs handle once for a key and returns its answer to every caller with the
// same key and content, to those too that arrive while it runs. An answer of
// the server's own failure (5xx) is not kept: a retry may succeed.
func (k *Keys) Do(ctx context.Context, key string, content []byte, handle func() Response) (response Response, replayed bool, err error) {
	fingerprint := sha256.Sum256(content)
	c, found := k.calls.GetOrPut(key, func() *call {
		return &call{fingerprint: fingerprint, done: make(chan struct{})}
	})
	if !found {
		k.first(key, c, handle)
		return c.response, false, nil
	}
	if c.fingerprint != fingerprint {
		return Response{}, false, ErrMismatch
	}
	select {
	case <-c.done:
		return c.response, true, nil
	case <-ctx.Done():
		return Response{}, false, ctx.Err()
	}
}

func (k *Keys) first(key string, c *call, handle func() Response) {
	// The status stands if handle panics: those who wait must not wait forever.
	c.response = Response{Status: http.StatusInternalServerError}
	defer func() {
		if c.response.Status >= http.StatusInternalServerError {
			k.calls.Delete(key)
		}
		close(c.done)
	}()
	c.response = handle()
}

// Len is the number of keys that are remembered.
func (k *Keys) Len() int { return k.calls.Len() }

// Run forgets expired keys until the context ends.
func (k *Keys) Run(ctx context.Context, interval time.Duration) { k.calls.Run(ctx, interval) }
