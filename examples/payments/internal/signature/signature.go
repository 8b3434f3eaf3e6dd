// Package signature signs and checks requests with HMAC-SHA256.
//
// The signed text is the method, the request URI and the idempotency key, each
// followed by a newline, and then the body as it was sent. The header reads
// "v1=" and the MAC in hexadecimal, so that another version can be added beside
// it. There is no time in it: a repeated request is made harmless by its
// idempotency key, and load-test targets can be signed once and kept as files.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"
	"sync"
)

// Header carries the signature of a request.
const Header = "X-Signature"

const prefix = "v1="

// ErrInvalid is every reason for not believing a signature: a caller must not
// learn from the answer which part was wrong.
var ErrInvalid = errors.New("the signature does not match the request")

// Message is what a signature covers.
type Message struct {
	Method         string
	URI            string
	IdempotencyKey string
	Body           []byte
}

// Signer signs and verifies with one key. It is safe for concurrent use.
type Signer struct {
	macs sync.Pool
}

// NewSigner returns a Signer for the key.
func NewSigner(key []byte) *Signer {
	key = append([]byte(nil), key...)
	return &Signer{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Sign returns the header value for the message.
func (s *Signer) Sign(message Message) string {
	var sum [sha256.Size]byte
	return prefix + hex.EncodeToString(s.sum(sum[:0], message))
}

// Verify reports ErrInvalid unless header is the signature of the message. It
// takes the same time whichever byte of the MAC is wrong.
func (s *Signer) Verify(header string, message Message) error {
	encoded, ok := strings.CutPrefix(header, prefix)
	if !ok || len(encoded) != hex.EncodedLen(sha256.Size) {
		return ErrInvalid
	}
	claimed, err := hex.DecodeString(encoded)
	if err != nil {
		return ErrInvalid
	}
	var sum [sha256.Size]byte
	if !hmac.Equal(claimed, s.sum(sum[:0], message)) {
		return ErrInvalid
	}
	return nil
}

func (s *Signer) sum(into []byte, message Message) []byte {
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	// A hash never returns an error from Write.
	_, _ = io.WriteString(mac, message.Method+"\n"+message.URI+"\n"+message.IdempotencyKey+"\n")
	_, _ = mac.Write(message.Body)
	return mac.Sum(into)
}
