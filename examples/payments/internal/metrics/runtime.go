package metrics

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"
)

// Names and meanings are those of the Go collector that most services use, so
// that dashboards and gocost read this page like any other.
var families = []struct {
	name    string
	kind    string
	help    string
	sources []string // added up
}{
	{"go_sched_gomaxprocs_threads", "gauge", "GOMAXPROCS.", []string{"/sched/gomaxprocs:threads"}},
	{"go_gc_gogc_percent", "gauge", "GOGC.", []string{"/gc/gogc:percent"}},
	{"go_gc_gomemlimit_bytes", "gauge", "GOMEMLIMIT.", []string{"/gc/gomemlimit:bytes"}},
	{"go_cpu_classes_gc_total_cpu_seconds_total", "counter", "Estimated CPU time of the collector.", []string{"/cpu/classes/gc/total:cpu-seconds"}},
	{"go_cpu_classes_total_cpu_seconds_total", "counter", "Estimated CPU time available to the process.", []string{"/cpu/classes/total:cpu-seconds"}},
	{"go_memstats_alloc_bytes", "gauge", "Bytes of live and not yet swept heap objects.", []string{"/memory/classes/heap/objects:bytes"}},
	{"go_memstats_alloc_bytes_total", "counter", "Bytes ever allocated on the heap.", []string{"/gc/heap/allocs:bytes"}},
	{"go_memstats_mallocs_total", "counter", "Objects ever allocated on the heap.", []string{"/gc/heap/allocs:objects", "/gc/heap/tiny/allocs:objects"}},
	{"go_memstats_frees_total", "counter", "Objects ever freed.", []string{"/gc/heap/frees:objects", "/gc/heap/tiny/allocs:objects"}},
	{"go_memstats_sys_bytes", "gauge", "Bytes obtained from the system.", []string{"/memory/classes/total:bytes"}},
	{"go_memstats_heap_alloc_bytes", "gauge", "The same as go_memstats_alloc_bytes.", []string{"/memory/classes/heap/objects:bytes"}},
	{"go_memstats_heap_sys_bytes", "gauge", "Heap bytes obtained from the system.", []string{"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/free:bytes", "/memory/classes/heap/released:bytes"}},
	{"go_memstats_heap_idle_bytes", "gauge", "Heap bytes in no use.", []string{"/memory/classes/heap/free:bytes", "/memory/classes/heap/released:bytes"}},
	{"go_memstats_heap_inuse_bytes", "gauge", "Heap bytes in spans that are in use.", []string{"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes"}},
	{"go_memstats_heap_released_bytes", "gauge", "Heap bytes given back to the system.", []string{"/memory/classes/heap/released:bytes"}},
	{"go_memstats_heap_objects", "gauge", "Heap objects.", []string{"/gc/heap/objects:objects"}},
	{"go_memstats_stack_inuse_bytes", "gauge", "Bytes of goroutine stacks.", []string{"/memory/classes/heap/stacks:bytes"}},
	{"go_memstats_stack_sys_bytes", "gauge", "Stack bytes obtained from the system.", []string{"/memory/classes/heap/stacks:bytes", "/memory/classes/os-stacks:bytes"}},
	{"go_memstats_gc_sys_bytes", "gauge", "Bytes of the collector's own data.", []string{"/memory/classes/metadata/other:bytes"}},
	{"go_memstats_next_gc_bytes", "gauge", "Heap size at which the next collection starts.", []string{"/gc/heap/goal:bytes"}},
}

// processStart is as near to the start of the process as a package gets.
var processStart = time.Now()

// runtimePage reads the runtime. A page is read by one caller at a time.
type runtimePage struct {
	mu      sync.Mutex
	index   map[string]int
	samples []metrics.Sample
	gc      debug.GCStats
}

func newRuntime() *runtimePage {
	r := &runtimePage{index: make(map[string]int)}
	for _, family := range families {
		for _, source := range family.sources {
			if _, ok := r.index[source]; !ok {
				r.index[source] = len(r.samples)
				r.samples = append(r.samples, metrics.Sample{Name: source})
			}
		}
	}
	r.gc.PauseQuantiles = make([]time.Duration, 5)
	return r
}

func (r *runtimePage) write(page *page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	metrics.Read(r.samples)
	for _, family := range families {
		if value, ok := r.sum(family.sources); ok {
			page.family(family.name, family.kind, family.help)
			page.sample(family.name, value)
		}
	}
	// Not /sched/goroutines:goroutines, which from Go 1.26 also counts the collector's own workers:
	// they appear with the first collection and look like a leak.
	page.gauge("go_goroutines", "Goroutines that exist now.", float64(runtime.NumGoroutine()))
	page.gauge("go_threads", "OS threads ever created.", float64(pprof.Lookup("threadcreate").Count()))
	r.writeCollections(page)
	page.family("go_info", "gauge", "The Go version that built the service.")
	page.sample("go_info", 1, "version", runtime.Version())
	page.gauge("process_start_time_seconds", "Start of the process in Unix seconds.", seconds(processStart))
}

// sum adds up sources; a runtime that lacks one of them has no value.
func (r *runtimePage) sum(sources []string) (float64, bool) {
	total := 0.0
	for _, source := range sources {
		switch value := r.samples[r.index[source]].Value; value.Kind() {
		case metrics.KindUint64:
			total += float64(value.Uint64())
		case metrics.KindFloat64:
			total += value.Float64()
		default:
			return 0, false
		}
	}
	return total, true
}

func (r *runtimePage) writeCollections(page *page) {
	const name = "go_gc_duration_seconds"
	debug.ReadGCStats(&r.gc)
	page.family(name, "summary", "Stop-the-world pauses of the latest collections.")
	for i, pause := range r.gc.PauseQuantiles {
		quantile := float64(i) / float64(len(r.gc.PauseQuantiles)-1)
		page.sample(name, pause.Seconds(), "quantile", strconv.FormatFloat(quantile, 'g', -1, 64))
	}
	page.sample(name+"_sum", r.gc.PauseTotal.Seconds())
	page.sample(name+"_count", float64(r.gc.NumGC))
	page.gauge("go_memstats_last_gc_time_seconds", "End of the latest collection in Unix seconds.", seconds(r.gc.LastGC))
}

func seconds(at time.Time) float64 { return float64(at.UnixNano()) / 1e9 }
