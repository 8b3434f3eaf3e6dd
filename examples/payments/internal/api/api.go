// Package api is the HTTP face of the service.
//
//	POST /v1/payments              create a payment
//	GET  /v1/payments/{id}         one payment
//	POST /v1/payments/{id}/refund  give a settled payment back
//	GET  /v1/accounts/{name}       balances and latest payments
//	POST /v1/quotes                what a payment would cost
//	GET  /healthz                  200 while the service takes requests
//
// Every /v1 request is signed (package signature). A POST may carry an
// Idempotency-Key, which makes it safe to repeat.
package api

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/metrics"
	"example.com/payments/internal/payment"
	"example.com/payments/internal/processor"
	"example.com/payments/internal/signature"
)

// Options are what an API is made of.
type Options struct {
	Processor *processor.Processor
	Signer    *signature.Signer
	Keys      *idempotency.Keys
	Requests  *metrics.Requests
	Log       *slog.Logger
}

// API answers requests. It is safe for concurrent use.
type API struct {
	processor *processor.Processor
	signer    *signature.Signer
	keys      *idempotency.Keys
	requests  *metrics.Requests
	log       *slog.Logger
	draining  atomic.Bool
}

// New returns an API that is ready to serve.
func New(options Options) *API {
	return &API{
		processor: options.Processor,
		signer:    options.Signer,
		keys:      options.Keys,
		requests:  options.Requests,
		log:       options.Log,
	}
}

// Handler routes the /v1 requests. It is called once.
func (a *API) Handler() http.Handler {
	payments := methods{
		http.MethodPost: a.serve("create_payment", a.createPayment),
	}
	payment := methods{
		http.MethodGet:  a.serve("get_payment", a.getPayment),
		http.MethodPost: a.serve("refund_payment", a.refundPayment),
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/payments", payments)
	mux.Handle("/v1/payments/", payment)
	mux.Handle("/v1/accounts/", methods{http.MethodGet: a.serve("get_account", a.getAccount)})
	mux.Handle("/v1/quotes", methods{http.MethodPost: a.serve("create_quote", a.createQuote)})
	return mux
}

// Health answers load balancers. It needs no signature and is not counted.
func (a *API) Health(w http.ResponseWriter, _ *http.Request) {
	if a.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// Drain makes Health fail, so that load balancers send no more requests.
func (a *API) Drain() { a.draining.Store(true) }

func (a *API) createPayment(r *http.Request, body []byte) (int, any, error) {
	request, err := payment.DecodeRequest(body)
	if err != nil {
		return 0, nil, err
	}
	created, err := a.processor.Create(r.Context(), request)
	return http.StatusCreated, created, err
}

func (a *API) getPayment(r *http.Request, _ []byte) (int, any, error) {
	id := strings.TrimPrefix(r.URL.Path, "/v1/payments/")
	found, err := a.processor.Get(payment.ID(id))
	return http.StatusOK, found, err
}

func (a *API) refundPayment(r *http.Request, _ []byte) (int, any, error) {
	rest := strings.TrimPrefix(r.URL.Path, "/v1/payments/")
	id, found := strings.CutSuffix(rest, "/refund")
	if !found {
		return 0, nil, errNoRoute
	}
	refunded, err := a.processor.Refund(payment.ID(id))
	return http.StatusOK, refunded, err
}

func (a *API) getAccount(r *http.Request, _ []byte) (int, any, error) {
	name := strings.TrimPrefix(r.URL.Path, "/v1/accounts/")
	if name == "" || strings.Contains(name, "/") {
		return 0, nil, errNoRoute
	}
	return http.StatusOK, a.processor.Account(name), nil
}

// quote is the answer to a request for one.
type quote struct {
	Amount payment.Money `json:"amount"`
	Fee    payment.Money `json:"fee"`
	Net    payment.Money `json:"net"`
}

func (a *API) createQuote(_ *http.Request, body []byte) (int, any, error) {
	request, err := payment.DecodeRequest(body)
	if err != nil {
		return 0, nil, err
	}
	fee, err := payment.FeeOf(request.Amount, request.Method.Type)
	net := payment.Money{Minor: request.Amount.Minor - fee.Minor, Currency: fee.Currency}
	return http.StatusOK, quote{request.Amount, fee, net}, err
}
