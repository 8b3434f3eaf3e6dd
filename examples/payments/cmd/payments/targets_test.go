package main

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/signature"
)

var update = flag.Bool("update", false, "write load/pay.targets anew")

const (
	moduleRoot  = "../../"
	targetsFile = "load/pay.targets"
	// origin is what gocost fills in with the port that it chose.
	origin = "http://127.0.0.1:{port}"
)

// target is one request of the load; body is a file, or empty.
type target struct{ method, uri, key, body string }

// mix is the load: mostly new payments, some retries of the same two, quotes
// and reads of accounts. A load generator goes through it in turns.
var mix = []target{
	{"POST", "/v1/payments", "", "load/card.json"},
	{"POST", "/v1/payments", "", "load/sepa.json"},
	{"GET", "/v1/accounts/acct_1001", "", ""},
	{"POST", "/v1/payments", "", "load/wallet.json"},
	{"POST", "/v1/quotes", "", "load/card.json"},
	{"POST", "/v1/payments", "", "load/card.json"},
	{"POST", "/v1/payments", "retry-card-1", "load/card.json"},
	{"GET", "/v1/accounts/acct_1002", "", ""},
	{"POST", "/v1/payments", "", "load/card.json"},
	{"POST", "/v1/quotes", "", "load/wallet.json"},
	{"POST", "/v1/payments", "", "load/sepa.json"},
	{"POST", "/v1/payments", "", "load/card.json"},
	{"GET", "/v1/accounts/acct_1003", "", ""},
	{"POST", "/v1/payments", "", "load/wallet.json"},
	{"POST", "/v1/payments", "retry-sepa-1", "load/sepa.json"},
	{"POST", "/v1/payments", "", "load/card.json"},
	{"GET", "/v1/accounts/acct_1001", "", ""},
	{"POST", "/v1/payments", "", "load/card.json"},
	{"POST", "/v1/quotes", "", "load/sepa.json"},
	{"POST", "/v1/payments", "", "load/sepa.json"},
}

func TestTargetsAreTheSignedMix(t *testing.T) {
	var want bytes.Buffer
	for _, target := range mix {
		want.WriteString(render(t, target))
	}
	if *update {
		if err := os.WriteFile(moduleRoot+targetsFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(moduleRoot + targetsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the mix gives: run go test ./cmd/payments -run Targets -update", targetsFile)
	}
}

func TestEveryTargetIsAccepted(t *testing.T) {
	service := startService(t)
	for i := 0; i < 2; i++ { // the second round retries the idempotency keys
		for _, target := range mix {
			request, err := http.NewRequest(target.method, service.api+target.uri, bytes.NewReader(bodyOf(t, target)))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range headersOf(t, target) {
				name, value, _ := strings.Cut(line, ": ")
				request.Header.Set(name, value)
			}
			if status, text := send(t, request); status/100 != 2 {
				t.Errorf("%s %s: %d %s", target.method, target.uri, status, text)
			}
		}
	}
}

func render(t *testing.T, target target) string {
	t.Helper()
	text := fmt.Sprintf("%s %s%s\n%s\n", target.method, origin, target.uri, strings.Join(headersOf(t, target), "\n"))
	if target.body != "" {
		text += "@" + target.body + "\n"
	}
	return text + "\n"
}

func headersOf(t *testing.T, target target) []string {
	t.Helper()
	message := signature.Message{Method: target.method, URI: target.uri, IdempotencyKey: target.key, Body: bodyOf(t, target)}
	headers := []string{signature.Header + ": " + signature.NewSigner([]byte(demoKey)).Sign(message)}
	if target.key != "" {
		headers = append(headers, idempotency.Header+": "+target.key)
	}
	if target.body != "" {
		headers = append(headers, "Content-Type: application/json")
	}
	return headers
}

func bodyOf(t *testing.T, target target) []byte {
	t.Helper()
	if target.body == "" {
		return nil
	}
	body, err := os.ReadFile(moduleRoot + target.body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
