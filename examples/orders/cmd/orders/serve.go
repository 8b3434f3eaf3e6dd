package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"example.com/orders/internal/api"
	"example.com/orders/internal/fulfil"
	"example.com/orders/internal/regress"
	"example.com/orders/internal/store"
)

// run serves until ctx ends, then drains: requests in flight are answered, what
// is queued is shipped, the file is closed.
func run(ctx context.Context, args []string, output io.Writer) (err error) {
	c, err := parse(args, output)
	if err != nil {
		return err
	}
	log := zerolog.New(output).Level(c.level).With().Timestamp().Logger()

	path, remove, err := dataFile(c.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	orders, err := store.Open(path, store.Options{Sync: c.sync, BatchDelay: c.batchDelay})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, orders.Close()) }()

	registry := newRegistry(orders)
	packers := fulfil.New(orders, c.queue, log, registry)
	stopPacking := background(func(ctx context.Context) { packers.Run(ctx, c.packers) })
	defer stopPacking() // before the store is closed

	handler := api.Handler(api.Options{Orders: orders, Offer: packers.Offer, Log: log, Registry: registry, Now: time.Now})
	mux := http.NewServeMux()
	mux.Handle("/", regress.New(c.regress).Wrap(handler))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	if addExport != nil {
		addExport(mux, orders)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	servers := []server{{name: "api", address: c.listen, handler: mux, writeTimeout: 20 * time.Second}}
	if c.debugListen != "" {
		debug := http.NewServeMux()
		debug.Handle("/debug/", http.StripPrefix("/debug", middleware.Profiler()))
		servers = append(servers, server{name: "debug", address: c.debugListen, handler: debug})
	}
	return serve(ctx, servers, c.drain, log)
}

// addExport adds the export of orders. It is nil unless the build tag export is
// set.
var addExport func(*http.ServeMux, *store.Store)

// server is what to serve and where. Without a write timeout an answer may take
// as long as a profile.
type server struct {
	name         string
	address      string
	handler      http.Handler
	writeTimeout time.Duration
}

func serve(ctx context.Context, servers []server, drain time.Duration, log zerolog.Logger) error {
	failed := make(chan error, len(servers))
	var running []*http.Server
	var serving sync.WaitGroup
	var err error
	for _, s := range servers {
		var open net.ListenConfig
		var listener net.Listener
		if listener, err = open.Listen(ctx, "tcp", s.address); err != nil {
			err = fmt.Errorf("listen for the %s: %w", s.name, err)
			break
		}
		h := &http.Server{
			Handler:           s.handler,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      s.writeTimeout,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          stdlog.New(log.With().Str("level", "warn").Logger(), "", 0),
		}
		running = append(running, h)
		serving.Add(1)
		go func() {
			defer serving.Done()
			if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve the %s: %w", s.name, err)
			}
		}()
		log.Info().Str("server", s.name).Str("address", listener.Addr().String()).Msg("listening")
	}
	if err == nil {
		select {
		case <-ctx.Done():
			log.Info().Dur("limit", drain).Msg("draining")
		case err = <-failed:
		}
	}
	// The signal has ended ctx; draining needs time of its own.
	draining, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	for _, h := range running {
		if shutdown := h.Shutdown(draining); shutdown != nil {
			err = errors.Join(err, shutdown, h.Close())
		}
	}
	serving.Wait()
	return err
}

func newRegistry(orders *store.Store) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "orders_stored", Help: "Orders in the file."},
			func() float64 { return float64(orders.Len()) },
		),
	)
	return registry
}

// dataFile returns the file for the orders and what removes it if it is a
// temporary one.
func dataFile(named string) (path string, remove func() error, err error) {
	if named != "" {
		return named, func() error { return nil }, nil
	}
	folder, err := os.MkdirTemp("", "orders-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(folder, "orders.db"), func() error { return os.RemoveAll(folder) }, nil
}

// background runs work in a goroutine and returns what ends it and waits for it.
func background(work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}
