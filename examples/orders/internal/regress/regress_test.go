package regress

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := map[string]Amounts{
		"":                         {},
		"leak":                     {Leak: 10},
		"leak=1, allocate":         {Leak: 1, Allocate: 65536},
		"retain,slow=2ms":          {Retain: 4096, Slow: 2 * time.Millisecond},
		"slow,retain=1,allocate=2": {Retain: 1, Allocate: 2, Slow: 20 * time.Millisecond},
	}
	for spec, want := range tests {
		if got, err := Parse(spec); err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v", spec, got, err)
		}
	}
	for _, bad := range []string{"leek", "leak=", "leak=0", "slow=-1s", "leak,,slow", ","} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) is accepted", bad)
		}
	}
}

func TestEveryAmountIsInjected(t *testing.T) {
	injector := New(Amounts{Leak: 5, Allocate: 1 << 20, Retain: 4096, Slow: time.Microsecond})
	handler := injector.Wrap(http.NotFoundHandler())
	goroutines := runtime.NumGoroutine()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	runtime.ReadMemStats(&after)
	if got := runtime.NumGoroutine() - goroutines; got != 4 {
		t.Errorf("%d goroutines are left", got)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got < 20<<20 {
		t.Errorf("%d bytes were allocated", got)
	}
	if len(injector.kept) != 20 || len(injector.kept[0]) != 4096 {
		t.Errorf("%d pages are kept", len(injector.kept))
	}
}

func TestNothingIsWrappedWithoutASwitch(t *testing.T) {
	next := http.NewServeMux()
	if New(Amounts{}).Wrap(next) != http.Handler(next) {
		t.Error("a handler was wrapped for no reason")
	}
}
