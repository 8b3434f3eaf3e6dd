package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/metrics"
	"example.com/payments/internal/payment"
	"example.com/payments/internal/processor"
	"example.com/payments/internal/regress"
	"example.com/payments/internal/settle"
	"example.com/payments/internal/signature"
)

const cardBody = `{"account":"acct_1001","reference":"order 77","amount":{"minor":4999,"currency":"EUR"},` +
	`"method":{"type":"card","token":"tok_visa"},"metadata":{"cart":"c-12"}}`

type client struct {
	handler http.Handler
	signer  *signature.Signer
}

func newClient(t testing.TB) client {
	t.Helper()
	p := processor.Start(processor.Options{
		TTL:           time.Minute,
		SweepInterval: time.Second,
		Settlement:    settle.Options{Workers: 2, Depth: 256, Patience: time.Minute},
		Now:           time.Now,
	})
	t.Cleanup(func() { _ = p.Close(context.Background()) })
	signer := signature.NewSigner([]byte("test-key"))
	a := New(Options{
		Processor: p,
		Signer:    signer,
		Keys:      idempotency.New(time.Minute, time.Now),
		Requests:  new(metrics.Requests),
		Log:       slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	amounts, err := regress.Parse(regress.Initial())
	if err != nil {
		t.Fatal(err)
	}
	return client{regress.New(amounts).Wrap(a.Handler()), signer}
}

func (c client) do(method, uri, key, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, uri, strings.NewReader(body))
	request.Header.Set(idempotency.Header, key)
	request.Header.Set(signature.Header, c.signer.Sign(signature.Message{
		Method: method, URI: uri, IdempotencyKey: key, Body: []byte(body),
	}))
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, request)
	return recorder
}

func decode[T any](t *testing.T, recorder *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(recorder.Body.Bytes(), &value); err != nil {
		t.Fatalf("%v in %s", err, recorder.Body)
	}
	return value
}

func TestAPaymentThroughItsLife(t *testing.T) {
	c := newClient(t)
	response := c.do("POST", "/v1/payments", "", cardBody)
	if response.Code != http.StatusCreated {
		t.Fatalf("created: %d %s", response.Code, response.Body)
	}
	created := decode[payment.Payment](t, response)

	deadline := time.Now().Add(10 * time.Second)
	var found payment.Payment
	for found.Status != payment.Settled && time.Now().Before(deadline) {
		response := c.do("GET", "/v1/payments/"+string(created.ID), "", "")
		if response.Code != http.StatusOK {
			t.Fatalf("got: %d %s", response.Code, response.Body)
		}
		found = decode[payment.Payment](t, response)
	}
	if found.Status != payment.Settled {
		t.Fatal("the payment was not settled")
	}
	account := decode[processor.Account](t, c.do("GET", "/v1/accounts/acct_1001", "", ""))
	if len(account.Recent) != 1 || account.Recent[0].ID != created.ID {
		t.Errorf("account %+v", account)
	}
	refund := c.do("POST", "/v1/payments/"+string(created.ID)+"/refund", "", "")
	if refund.Code != http.StatusOK || decode[payment.Payment](t, refund).Status != payment.Refunded {
		t.Errorf("refund: %d %s", refund.Code, refund.Body)
	}
}

func TestARepeatedKeyGetsTheFirstAnswer(t *testing.T) {
	c := newClient(t)
	first := c.do("POST", "/v1/payments", "k-1", cardBody)
	second := c.do("POST", "/v1/payments", "k-1", cardBody)
	if first.Code != http.StatusCreated || !bytes.Equal(first.Body.Bytes(), second.Body.Bytes()) {
		t.Errorf("first %d %s, second %d %s", first.Code, first.Body, second.Code, second.Body)
	}
	if second.Header().Get("Idempotent-Replayed") != "true" || first.Header().Get("Idempotent-Replayed") != "" {
		t.Error("a replay is not marked as one")
	}
}

func TestAQuoteIsWhatThePaymentThenCosts(t *testing.T) {
	c := newClient(t)
	q := decode[quote](t, c.do("POST", "/v1/quotes", "", cardBody))
	created := decode[payment.Payment](t, c.do("POST", "/v1/payments", "", cardBody))
	if q.Fee != created.Fee || q.Net.Minor != q.Amount.Minor-q.Fee.Minor {
		t.Errorf("quoted %+v, charged %+v", q, created.Fee)
	}
}

func TestErrorsAreTold(t *testing.T) {
	c := newClient(t)
	c.do("POST", "/v1/payments", "used", cardBody)
	tests := []struct {
		name, method, uri, key, body string
		status                       int
		code                         string
	}{
		{"unknown payment", "GET", "/v1/payments/pay_x", "", "", 404, "not_found"},
		{"unknown refund", "POST", "/v1/payments/pay_x/refund", "", "", 404, "not_found"},
		{"no such action", "POST", "/v1/payments/pay_x/capture", "", "", 404, "not_found"},
		{"no account", "GET", "/v1/accounts/", "", "", 404, "not_found"},
		{"wrong method", "DELETE", "/v1/payments", "", "", 405, "bad_method"},
		{"not JSON", "POST", "/v1/payments", "", "{", 400, "malformed"},
		{"bad field", "POST", "/v1/payments", "", strings.Replace(cardBody, "EUR", "XTS", 1), 400, "bad_field"},
		{"large body", "POST", "/v1/payments", "", strings.Repeat(" ", maxBody+1), 413, "large_body"},
		{"long key", "POST", "/v1/payments", strings.Repeat("k", 129), cardBody, 400, "long_key"},
		{"reused key", "POST", "/v1/payments", "used", strings.Replace(cardBody, "4999", "5000", 1), 422, "key_reused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := c.do(test.method, test.uri, test.key, test.body)
			got := decode[problem](t, response)
			if response.Code != test.status || got.Error.Code != test.code {
				t.Errorf("got %d %+v", response.Code, got)
			}
		})
	}
}

func TestAnUnsignedRequestIsRefusedAndChangesNothing(t *testing.T) {
	c := newClient(t)
	for _, header := range []string{"", "v1=00", c.signer.Sign(signature.Message{Method: "POST", URI: "/v1/quotes"})} {
		request := httptest.NewRequest("POST", "/v1/payments", strings.NewReader(cardBody))
		request.Header.Set(signature.Header, header)
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusUnauthorized {
			t.Errorf("header %q: %d", header, recorder.Code)
		}
	}
	if account := decode[processor.Account](t, c.do("GET", "/v1/accounts/acct_1001", "", "")); len(account.Recent) != 0 {
		t.Errorf("an unsigned request made %+v", account.Recent)
	}
}

func TestAPanicIsAnswered(t *testing.T) {
	var log bytes.Buffer
	a := New(Options{
		Signer:   signature.NewSigner(nil),
		Keys:     idempotency.New(time.Minute, time.Now),
		Requests: new(metrics.Requests),
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	})
	c := client{a.serve("boom", func(*http.Request, []byte) (int, any, error) { panic("boom") }), a.signer}
	for _, key := range []string{"", "k-1", "k-1"} {
		if response := c.do("POST", "/", key, ""); response.Code != http.StatusInternalServerError {
			t.Errorf("key %q: %d", key, response.Code)
		}
	}
	if strings.Count(log.String(), "msg=panic") != 3 {
		t.Errorf("logged %s", log.String())
	}
}

func TestHealthFailsWhileDraining(t *testing.T) {
	a := New(Options{})
	status := func() int {
		recorder := httptest.NewRecorder()
		a.Health(recorder, httptest.NewRequest("GET", "/healthz", nil))
		return recorder.Code
	}
	if got := status(); got != http.StatusOK {
		t.Errorf("serving: %d", got)
	}
	a.Drain()
	if got := status(); got != http.StatusServiceUnavailable {
		t.Errorf("draining: %d", got)
	}
}
