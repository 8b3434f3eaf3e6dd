package order

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

func valid() Request {
	return Request{Customer: "cust_1", Country: "DE", Lines: []Line{{SKU: "bean-200", Quantity: 2}, {SKU: "cup-blue", Quantity: 1}}}
}

func TestNewPricesEveryLine(t *testing.T) {
	got, err := New(valid(), now)
	if err != nil {
		t.Fatal(err)
	}
	if got.NetCents != 3030 || got.TaxCents != 576 || got.Lines[0].Cents != 1780 { // 575.7 rounds up
		t.Errorf("priced %+v", got)
	}
	if got.Status != Placed || !got.Placed.Equal(now) || got.ID.Version() != 7 {
		t.Errorf("placed %+v", got)
	}
}

func TestNewIgnoresPricesOfTheCustomer(t *testing.T) {
	request := valid()
	request.Lines[0].Cents = 1
	if got, err := New(request, now); err != nil || got.NetCents != 3030 {
		t.Errorf("priced %d, %v", got.NetCents, err)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]func(*Request){
		"no customer":        func(r *Request) { r.Customer = "" },
		"long customer":      func(r *Request) { r.Customer = strings.Repeat("c", 65) },
		"odd customer":       func(r *Request) { r.Customer = "a\x00b" },
		"no lines":           func(r *Request) { r.Lines = nil },
		"too many lines":     func(r *Request) { r.Lines = slices.Repeat(r.Lines, 26) },
		"unknown country":    func(r *Request) { r.Country = "XX" },
		"unknown product":    func(r *Request) { r.Lines[0].SKU = "tea" },
		"nothing of it":      func(r *Request) { r.Lines[0].Quantity = 0 },
		"too much of it":     func(r *Request) { r.Lines[0].Quantity = maxQuantity + 1 },
		"a negative of that": func(r *Request) { r.Lines[0].Quantity = -1 },
	}
	for name, change := range tests {
		request := valid()
		change(&request)
		if _, err := New(request, now); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnOrderMovesOnce(t *testing.T) {
	o := Order{Status: Placed}
	if err := o.Move(Shipped); err != nil {
		t.Fatal(err)
	}
	if err := o.Move(Cancelled); !errors.Is(err, ErrNotPlaced) || o.Status != Shipped {
		t.Errorf("%v, %s", err, o.Status)
	}
}

func TestTheCatalogueIsSorted(t *testing.T) {
	for _, product := range Catalogue() {
		if found, ok := Find(product.SKU); !ok || found != product {
			t.Errorf("Find(%s) = %+v, %t", product.SKU, found, ok)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	request := valid()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(request, now); err != nil {
			b.Fatal(err)
		}
	}
}
