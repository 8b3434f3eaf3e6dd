package metrics

import (
	"io"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRequestsAreCountedByStatusAndBucket(t *testing.T) {
	var requests Requests
	route := requests.Route("create")
	requests.Route("unused")
	route.Observe(201, 200*time.Microsecond)
	route.Observe(201, 3*time.Millisecond)
	route.Observe(503, 10*time.Second)
	text := read(t, &requests, nil)
	for _, want := range []string{
		`http_requests_total{route="create",code="201"} 2`,
		`http_requests_total{route="create",code="503"} 1`,
		`http_request_duration_seconds_bucket{route="create",le="0.0001"} 0`,
		`http_request_duration_seconds_bucket{route="create",le="0.00025"} 1`,
		`http_request_duration_seconds_bucket{route="create",le="0.005"} 2`,
		`http_request_duration_seconds_bucket{route="create",le="2.5"} 2`,
		`http_request_duration_seconds_bucket{route="create",le="+Inf"} 3`,
		`http_request_duration_seconds_sum{route="create"} 10.0032`,
		`http_request_duration_seconds_count{route="create"} 3`,
		`http_request_duration_seconds_count{route="unused"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
}

func TestTheRuntimeIsOnThePage(t *testing.T) {
	runtime.GC()
	text := read(t, &Requests{}, nil)
	for _, family := range families {
		if value(t, text, family.name) < 0 {
			t.Errorf("%s is negative", family.name)
		}
	}
	if value(t, text, "go_goroutines") < 1 || value(t, text, "go_threads") < 1 {
		t.Error("a running test has a goroutine and a thread")
	}
	if value(t, text, "go_gc_duration_seconds_count") < 1 || value(t, text, `go_gc_duration_seconds{quantile="1"}`) <= 0 {
		t.Error("the collection is missing")
	}
	if value(t, text, "go_memstats_alloc_bytes_total") < value(t, text, "go_memstats_alloc_bytes") {
		t.Error("more bytes live than were ever allocated")
	}
	if !strings.Contains(text, `go_info{version="`+runtime.Version()+`"} 1`) {
		t.Error("no go_info")
	}
}

func TestGaugesAreReadWhenThePageIs(t *testing.T) {
	reads := 0.0
	gauges := []Gauge{{"payments_waiting", "Payments that wait.", func() float64 { reads++; return reads }}}
	read(t, &Requests{}, gauges)
	if got := value(t, read(t, &Requests{}, gauges), "payments_waiting"); got != 2 {
		t.Errorf("the second page shows %v", got)
	}
}

func TestThePageIsWellFormed(t *testing.T) {
	var requests Requests
	requests.Route("get").Observe(200, time.Millisecond)
	line := regexp.MustCompile(`^([a-z_]+)(\{([a-z]+="[^"\\]*",?)+\})? (\S+)$`)
	types := map[string]bool{}
	for _, text := range strings.Split(strings.TrimSuffix(read(t, &requests, nil), "\n"), "\n") {
		if name, found := strings.CutPrefix(text, "# TYPE "); found {
			name, _, _ = strings.Cut(name, " ")
			if types[name] {
				t.Errorf("two types for %s", name)
			}
			types[name] = true
			continue
		}
		if strings.HasPrefix(text, "# HELP ") {
			continue
		}
		match := line.FindStringSubmatch(text)
		if match == nil {
			t.Errorf("malformed line %q", text)
			continue
		}
		if _, err := strconv.ParseFloat(match[4], 64); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func read(t *testing.T, requests *Requests, gauges []Gauge) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	Handler(requests, gauges).ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	if got := recorder.Header().Get("Content-Type"); got != contentType {
		t.Errorf("content type %q", got)
	}
	text, err := io.ReadAll(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func value(t *testing.T, text, name string) float64 {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			v, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return v
		}
	}
	t.Fatalf("no %s in\n%s", name, text)
	return 0
}
