// Package metrics counts requests and writes them, with the state of the Go
// runtime, in the Prometheus text format. It is written by hand so that the
// service needs nothing beside the standard library.
package metrics

import (
	"strconv"
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of the latency buckets in seconds.
var bounds = [...]float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
}

const maxStatus = 599

// Route counts the requests of one route. It is safe for concurrent use.
type Route struct {
	name     string
	statuses [maxStatus + 1]atomic.Uint64
	buckets  [len(bounds) + 1]atomic.Uint64 // the last one has no upper bound
	nanos    atomic.Int64
}

// Requests are the routes of a service, in the order in which they were made.
type Requests struct {
	routes []*Route
}

// Route adds a route. All routes are added before the service serves.
func (r *Requests) Route(name string) *Route {
	route := &Route{name: name}
	r.routes = append(r.routes, route)
	return route
}

// Observe counts one answered request.
func (r *Route) Observe(status int, took time.Duration) {
	if status < 0 || status > maxStatus {
		status = maxStatus
	}
	r.statuses[status].Add(1)
	r.buckets[bucketOf(took.Seconds())].Add(1)
	r.nanos.Add(int64(took))
}

func bucketOf(seconds float64) int {
	for i, bound := range bounds {
		if seconds <= bound {
			return i
		}
	}
	return len(bounds)
}

func (r *Requests) write(page *page) {
	page.family("http_requests_total", "counter", "Requests answered, by route and status.")
	for _, route := range r.routes {
		for status := range route.statuses {
			if n := route.statuses[status].Load(); n > 0 {
				page.sample("http_requests_total", float64(n), "route", route.name, "code", strconv.Itoa(status))
			}
		}
	}
	page.family("http_request_duration_seconds", "histogram", "Time from the first byte read to the last byte written, by route.")
	for _, route := range r.routes {
		route.writeHistogram(page)
	}
}

func (r *Route) writeHistogram(page *page) {
	var count uint64
	for i := range r.buckets {
		count += r.buckets[i].Load()
		bound := "+Inf"
		if i < len(bounds) {
			bound = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		page.sample("http_request_duration_seconds_bucket", float64(count), "route", r.name, "le", bound)
	}
	page.sample("http_request_duration_seconds_sum", time.Duration(r.nanos.Load()).Seconds(), "route", r.name)
	page.sample("http_request_duration_seconds_count", float64(count), "route", r.name)
}
