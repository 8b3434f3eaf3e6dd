// Package order holds the words of the service: orders, their lines and what
// they cost. It does no I/O.
package order

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// Status is where an order stands.
type Status string

// An order is placed until it is shipped or cancelled.
const (
	Placed    Status = "placed"
	Shipped   Status = "shipped"
	Cancelled Status = "cancelled"
)

// Limits of one request.
const (
	maxLines    = 50
	maxQuantity = 1_000
)

var customerName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ErrInvalid is every reason why a request cannot become an order.
var ErrInvalid = errors.New("invalid order")

// ErrNotPlaced means that an order has been shipped or cancelled already.
var ErrNotPlaced = errors.New("the order is not open any more")

// Line is one product of an order.
type Line struct {
	SKU      string `json:"sku" msgpack:"sku"`
	Quantity int    `json:"quantity" msgpack:"quantity"`
	Cents    int64  `json:"cents,omitempty" msgpack:"cents,omitempty"` // of the whole line
}

// Request is what a customer asks for.
type Request struct {
	Customer string `json:"customer" msgpack:"customer"`
	Country  string `json:"country" msgpack:"country"`
	Lines    []Line `json:"lines" msgpack:"lines"`
}

// Order is an accepted request.
type Order struct {
	ID       uuid.UUID `json:"id" msgpack:"id"`
	Customer string    `json:"customer" msgpack:"customer"`
	Country  string    `json:"country" msgpack:"country"`
	Lines    []Line    `json:"lines" msgpack:"lines"`
	NetCents int64     `json:"net_cents" msgpack:"net_cents"`
	TaxCents int64     `json:"tax_cents" msgpack:"tax_cents"`
	Status   Status    `json:"status" msgpack:"status"`
	Placed   time.Time `json:"placed" msgpack:"placed"`
}

// New checks a request, prices it and gives it an ID that grows with time, so
// that orders lie in the store in the order in which they came.
func New(request Request, now time.Time) (Order, error) {
	if !customerName.MatchString(request.Customer) {
		return Order{}, fmt.Errorf("%w: customer must be 1 to 64 letters, digits, - or _", ErrInvalid)
	}
	if len(request.Lines) == 0 || len(request.Lines) > maxLines {
		return Order{}, fmt.Errorf("%w: an order has 1 to %d lines", ErrInvalid, maxLines)
	}
	permille, ok := taxPermille[request.Country]
	if !ok {
		return Order{}, fmt.Errorf("%w: no delivery to country %q", ErrInvalid, request.Country)
	}
	lines, net, err := price(request.Lines)
	if err != nil {
		return Order{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Order{}, fmt.Errorf("order id: %w", err)
	}
	return Order{
		ID:       id,
		Customer: request.Customer,
		Country:  request.Country,
		Lines:    lines,
		NetCents: net,
		TaxCents: (net*permille + 500) / 1000,
		Status:   Placed,
		Placed:   now.UTC(),
	}, nil
}

// Move changes the status of an open order.
func (o *Order) Move(to Status) error {
	if o.Status != Placed {
		return ErrNotPlaced
	}
	o.Status = to
	return nil
}

func price(lines []Line) ([]Line, int64, error) {
	priced := make([]Line, len(lines))
	var net int64
	for i, line := range lines {
		product, ok := Find(line.SKU)
		if !ok {
			return nil, 0, fmt.Errorf("%w: no product %q", ErrInvalid, line.SKU)
		}
		if line.Quantity < 1 || line.Quantity > maxQuantity {
			return nil, 0, fmt.Errorf("%w: quantity of %s must be 1 to %d", ErrInvalid, line.SKU, maxQuantity)
		}
		line.Cents = product.Cents * int64(line.Quantity)
		priced[i] = line
		net += line.Cents
	}
	return priced, net, nil
}
