package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/vmihailenco/msgpack/v5"

	"example.com/orders/internal/order"
	"example.com/orders/internal/store"
)

const body = `{"customer":"cust_1","country":"DE","lines":[{"sku":"bean-200","quantity":2},{"sku":"cup-blue","quantity":1}]}`

func newHandler(t testing.TB, options Options) http.Handler {
	t.Helper()
	if options.Orders == nil {
		s, err := store.Open(filepath.Join(t.TempDir(), "orders.db"), store.Options{BatchDelay: time.Microsecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		options.Orders = s
	}
	if options.Registry == nil {
		options.Registry = prometheus.NewRegistry()
	}
	options.Offer = func(uuid.UUID) bool { return true }
	options.Log = zerolog.Nop()
	options.Now = time.Now
	return Handler(options)
}

func do(handler http.Handler, method, path, text string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(text))
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func TestAnOrderThroughItsLife(t *testing.T) {
	handler := newHandler(t, Options{})
	placed := do(handler, "POST", "/orders", body)
	if placed.Code != http.StatusCreated {
		t.Fatalf("%d %s", placed.Code, placed.Body)
	}
	var o order.Order
	if err := json.Unmarshal(placed.Body.Bytes(), &o); err != nil || o.NetCents != 3030 {
		t.Fatalf("%v in %s", err, placed.Body)
	}
	if got := do(handler, "GET", placed.Header().Get("Location"), ""); got.Code != 200 || got.Body.String() != placed.Body.String() {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := do(handler, "POST", "/orders/"+o.ID.String()+"/cancel", ""); got.Code != 200 || !strings.Contains(got.Body.String(), `"cancelled"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := do(handler, "POST", "/orders/"+o.ID.String()+"/cancel", ""); got.Code != http.StatusConflict {
		t.Errorf("cancelled twice: %d", got.Code)
	}
	var latest []order.Order
	if err := json.Unmarshal(do(handler, "GET", "/customers/cust_1/orders", "").Body.Bytes(), &latest); err != nil || len(latest) != 1 {
		t.Errorf("%v, %+v", err, latest)
	}
}

func TestBothCodecsSayTheSame(t *testing.T) {
	handler := newHandler(t, Options{})
	var request order.Request
	if err := json.Unmarshal([]byte(body), &request); err != nil {
		t.Fatal(err)
	}
	packed, err := msgpack.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/orders", bytes.NewReader(packed))
	r.Header.Set("Content-Type", msgpackType)
	r.Header.Set("Accept", msgpackType)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	var o order.Order
	if err := msgpack.Unmarshal(recorder.Body.Bytes(), &o); err != nil || recorder.Code != http.StatusCreated || o.NetCents != 3030 {
		t.Errorf("%d, %v, %+v", recorder.Code, err, o)
	}
	if got := recorder.Header().Get("Content-Type"); got != msgpackType {
		t.Errorf("answered in %s", got)
	}
}

func TestErrorsAreTold(t *testing.T) {
	handler := newHandler(t, Options{})
	tests := []struct {
		name, method, path, body string
		status                   int
	}{
		{"not JSON", "POST", "/orders", "{", 400},
		{"unknown product", "POST", "/orders", strings.Replace(body, "cup-blue", "tea", 1), 422},
		{"large body", "POST", "/orders", strings.Repeat(" ", maxBody+1), 413},
		{"unknown order", "GET", "/orders/" + uuid.NewString(), "", 404},
		{"no order's name", "GET", "/orders/1", "", 404},
		{"unknown cancel", "POST", "/orders/" + uuid.NewString() + "/cancel", "", 404},
		{"no route", "GET", "/nowhere", "", 404},
		{"wrong method", "DELETE", "/products", "", 405},
	}
	for _, test := range tests {
		if got := do(handler, test.method, test.path, test.body); got.Code != test.status {
			t.Errorf("%s: %d %s", test.name, got.Code, got.Body)
		}
	}
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(body))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusUnsupportedMediaType {
		t.Errorf("no content type: %d", recorder.Code)
	}
}

// brokenStore fails in a way that a customer must not read about.
type brokenStore struct{ Orders }

func (brokenStore) Add(order.Order) error { return errors.New("disk /dev/sda1 is full") }

func TestOurOwnFaultIsNotExplainedToTheCaller(t *testing.T) {
	got := do(newHandler(t, Options{Orders: brokenStore{}}), "POST", "/orders", body)
	if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "disk") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestRequestsAreCountedByPattern(t *testing.T) {
	registry := prometheus.NewRegistry()
	handler := newHandler(t, Options{Registry: registry})
	for range 3 {
		do(handler, "GET", "/orders/"+uuid.NewString(), "")
	}
	do(handler, "GET", "/nowhere", "")
	want := `# HELP http_requests_total Requests answered, by route and status.
# TYPE http_requests_total counter
http_requests_total{code="404",route="/orders/{id}"} 3
http_requests_total{code="404",route="none"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "http_requests_total"); err != nil {
		t.Error(err)
	}
}

func BenchmarkPlace(b *testing.B) { benchmark(b, "POST", "/orders", body) }

func BenchmarkProducts(b *testing.B) { benchmark(b, "GET", "/products", "") }

func BenchmarkLatest(b *testing.B) { benchmark(b, "GET", "/customers/cust_1/orders", "") }

func benchmark(b *testing.B, method, path, text string) {
	handler := newHandler(b, Options{})
	do(handler, "POST", "/orders", body)
	b.ReportAllocs()
	for b.Loop() {
		if got := do(handler, method, path, text); got.Code >= http.StatusBadRequest {
			b.Fatalf("%d %s", got.Code, got.Body)
		}
	}
}
