// Package debug serves what only operators should see: profiles, variables and
// metrics. It belongs on a port of its own that is not public.
package debug

import (
	"expvar"
	"net/http"
	"net/http/pprof"
)

// Mux serves /debug/pprof/, /debug/vars and /metrics.
func Mux(metrics http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/vars", expvar.Handler())
	mux.Handle("/metrics", metrics)
	return mux
}
