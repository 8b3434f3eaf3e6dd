// Package payment holds the words of the service: payments, money and the
// rules that a request must keep. It does no I/O.
package payment

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"time"
)

// ID names one payment: "pay_" and 26 letters of 128 random bits.
type ID string

// Status is where a payment stands in its life.
type Status string

// A payment is pending until a settlement worker has booked it.
const (
	Pending  Status = "pending"
	Settled  Status = "settled"
	Refunded Status = "refunded"
)

// Money is an amount in the minor unit of its currency (cents for EUR).
type Money struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// Method says how the payer pays.
type Method struct {
	Type  string `json:"type"`
	Token string `json:"token"`
}

// Payment is one accepted request and what became of it.
type Payment struct {
	ID        ID                `json:"id"`
	Account   string            `json:"account"`
	Reference string            `json:"reference"`
	Amount    Money             `json:"amount"`
	Fee       Money             `json:"fee"`
	Method    Method            `json:"method"`
	Status    Status            `json:"status"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	SettledAt *time.Time        `json:"settled_at,omitempty"`
}

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID makes an unguessable payment ID.
func NewID() (ID, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("payment id: %w", err)
	}
	return ID("pay_" + idEncoding.EncodeToString(random[:])), nil
}
