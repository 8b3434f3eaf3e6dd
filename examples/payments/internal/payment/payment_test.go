package payment

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

const cardBody = `{"account":"acct_1001","reference":"order 77","amount":{"minor":4999,"currency":"EUR"},` +
	`"method":{"type":"card","token":"tok_visa"},"metadata":{"cart":"c-12","channel":"web"}}`

func TestDecodeRequestAcceptsAValidBody(t *testing.T) {
	request, err := DecodeRequest([]byte(cardBody))
	if err != nil {
		t.Fatal(err)
	}
	if request.Account != "acct_1001" || request.Amount != (Money{4999, "EUR"}) || request.Metadata["cart"] != "c-12" {
		t.Errorf("decoded %+v", request)
	}
}

func TestDecodeRequestNamesTheWrongField(t *testing.T) {
	tests := []struct{ name, replace, with, field string }{
		{"no account", `"acct_1001"`, `""`, "account"},
		{"long reference", `order 77`, strings.Repeat("x", maxReference+1), "reference"},
		{"no token", `"tok_visa"`, `""`, "method.token"},
		{"negative amount", `4999`, `-1`, "amount.minor"},
		{"huge amount", `4999`, `10000000001`, "amount.minor"},
		{"unknown currency", `"EUR"`, `"XTS"`, "amount.currency"},
		{"unknown method", `"card"`, `"cash"`, "method.type"},
		{"long metadata", `c-12`, strings.Repeat("x", maxMetadataText), "metadata.cart"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeRequest([]byte(strings.Replace(cardBody, test.replace, test.with, 1)))
			var field *FieldError
			if !errors.As(err, &field) || field.Field != test.field {
				t.Errorf("got %v, want an error in %s", err, test.field)
			}
		})
	}
}

func TestDecodeRequestRefusesWhatIsNotOneKnownObject(t *testing.T) {
	for _, body := range []string{
		"", "[]", cardBody + cardBody, cardBody[:40],
		strings.Replace(cardBody, `"account"`, `"acount"`, 1),
	} {
		if _, err := DecodeRequest([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("DecodeRequest(%q) = %v", body, err)
		}
	}
}

func TestFeeOf(t *testing.T) {
	tests := []struct {
		minor  int64
		method string
		want   int64
	}{
		{10_000, "card", 140 + 25},
		{1, "card", 0 + 25},
		{36, "card", 1 + 25}, // 0.504 rounds up
		{10_000, "sepa", 35},
		{10_000, "wallet", 190 + 10},
	}
	for _, test := range tests {
		fee, err := FeeOf(Money{test.minor, "EUR"}, test.method)
		if err != nil || fee != (Money{test.want, "EUR"}) {
			t.Errorf("FeeOf(%d, %s) = %v, %v; want %d", test.minor, test.method, fee, err, test.want)
		}
	}
}

func TestNewIDIsUnique(t *testing.T) {
	seen := make(map[ID]bool)
	for i := 0; i < 1000; i++ {
		id, err := NewID()
		if err != nil {
			t.Fatal(err)
		}
		if len(id) != 30 || !strings.HasPrefix(string(id), "pay_") || seen[id] {
			t.Fatalf("bad or repeated id %q", id)
		}
		seen[id] = true
	}
}

func BenchmarkDecodeRequest(b *testing.B) {
	body := []byte(cardBody)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for i := 0; i < b.N; i++ {
		if _, err := DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodePayment(b *testing.B) {
	payment := Payment{
		ID: "pay_0123456789abcdefghjkmnpqrs", Account: "acct_1001", Reference: "order 77",
		Amount: Money{4999, "EUR"}, Fee: Money{95, "EUR"}, Method: Method{"card", "tok_visa"},
		Status: Pending, Metadata: map[string]string{"cart": "c-12", "channel": "web"},
		CreatedAt: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC),
	}
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if _, err := json.Marshal(&payment); err != nil {
			b.Fatal(err)
		}
	}
}
