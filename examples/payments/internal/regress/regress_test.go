package regress

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := []struct {
		spec string
		want Amounts
	}{
		{"", Amounts{}},
		{"leak", Amounts{Leak: 10}},
		{"leak=1, allocate", Amounts{Leak: 1, Allocate: 65536}},
		{"retain,lock,burn=1us", Amounts{Retain: 4096, Lock: time.Millisecond, Burn: time.Microsecond}},
		{"slow,start=2s", Amounts{Slow: 20 * time.Millisecond, Start: 2 * time.Second}},
	}
	for _, test := range tests {
		if got, err := Parse(test.spec); err != nil || got != test.want {
			t.Errorf("Parse(%q) = %+v, %v", test.spec, got, err)
		}
	}
	for _, bad := range []string{"leek", "leak=", "leak=0", "allocate=1KiB", "slow=-1s", "leak,,lock"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) is accepted", bad)
		}
	}
}

func TestNothingIsWrappedWithoutASwitch(t *testing.T) {
	next := http.NewServeMux()
	if New(Amounts{Start: time.Second}).Wrap(next) != http.Handler(next) {
		t.Error("a handler was wrapped for no reason")
	}
}

func TestLeakLeavesOneGoroutineOfN(t *testing.T) {
	before := runtime.NumGoroutine()
	serve(New(Amounts{Leak: 10}), 100)
	if got := runtime.NumGoroutine() - before; got != 10 {
		t.Errorf("%d goroutines are left, want 10", got)
	}
}

func TestAllocateAddsExactlyItsBytes(t *testing.T) {
	const n, size = 200, 64 << 10
	plain := allocated(New(Amounts{Burn: 1}), n)
	worse := allocated(New(Amounts{Burn: 1, Allocate: size}), n)
	if perRequest := (worse - plain) / n; perRequest < size-512 || perRequest > size+512 {
		t.Errorf("%d bytes per request, want %d", perRequest, size)
	}
}

func TestRetainKeepsItsBytes(t *testing.T) {
	injector := New(Amounts{Retain: 4096})
	serve(injector, 50)
	total := 0
	for _, page := range injector.kept {
		total += len(page)
	}
	if total != 50*4096 {
		t.Errorf("%d bytes are kept", total)
	}
}

func TestTimesAreSpent(t *testing.T) {
	for _, amounts := range []Amounts{{Lock: 2 * time.Millisecond}, {Burn: 2 * time.Millisecond}, {Slow: 2 * time.Millisecond}} {
		start := time.Now()
		serve(New(amounts), 5)
		if took := time.Since(start); took < 10*time.Millisecond {
			t.Errorf("%+v: five requests took %s", amounts, took)
		}
	}
}

func TestBallastEndsInTheByteThatKeepsItInTheFile(t *testing.T) {
	if ballastAt(ballastBytes) != 1 {
		t.Error("the last byte of the ballast is not set")
	}
}

func serve(injector *Injector, n int) {
	handler := injector.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	request := httptest.NewRequest("GET", "/", nil)
	for i := 0; i < n; i++ {
		handler.ServeHTTP(httptest.NewRecorder(), request)
	}
}

func allocated(injector *Injector, n int) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	serve(injector, n)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
