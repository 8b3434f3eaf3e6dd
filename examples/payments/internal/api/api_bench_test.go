package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/payments/internal/signature"
)

// These benchmarks go through the switches of package regress as requests to
// the service do, so that a regression shows here too.

func BenchmarkCreatePayment(b *testing.B) { benchmark(b, "POST", "/v1/payments", cardBody) }

func BenchmarkCreateQuote(b *testing.B) { benchmark(b, "POST", "/v1/quotes", cardBody) }

func BenchmarkGetAccount(b *testing.B) { benchmark(b, "GET", "/v1/accounts/acct_1001", "") }

func benchmark(b *testing.B, method, uri, body string) {
	c := newClient(b)
	header := c.signer.Sign(signature.Message{Method: method, URI: uri, Body: []byte(body)})
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		request := httptest.NewRequest(method, uri, strings.NewReader(body))
		request.Header.Set(signature.Header, header)
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, request)
		if recorder.Code >= http.StatusBadRequest {
			b.Fatalf("%d %s", recorder.Code, recorder.Body)
		}
	}
}
