package main

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"example.com/payments/internal/api"
	"example.com/payments/internal/debug"
	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/metrics"
	"example.com/payments/internal/processor"
	"example.com/payments/internal/regress"
	"example.com/payments/internal/settle"
	"example.com/payments/internal/signature"
)

// service is everything that runs.
type service struct {
	api       *api.API
	processor *processor.Processor
	servers   []*boundServer
	stopKeys  func()
}

// boundServer is a server and the socket that it serves.
type boundServer struct {
	http.Server
	name     string
	listener net.Listener
}

// listeners are the sockets of a service; debug is nil when there is none.
type listeners struct {
	api   net.Listener
	debug net.Listener
}

func listen(ctx context.Context, c config) (listeners, error) {
	var l listeners
	var open net.ListenConfig
	var err error
	if l.api, err = open.Listen(ctx, "tcp", c.listen); err != nil {
		return l, fmt.Errorf("--listen: %w", err)
	}
	if c.debugListen == "" {
		return l, nil
	}
	if l.debug, err = open.Listen(ctx, "tcp", c.debugListen); err != nil {
		return l, errors.Join(fmt.Errorf("--debug-listen: %w", err), l.api.Close())
	}
	return l, nil
}

// start builds the service around its sockets. The service must be drained.
func start(c config, l listeners, log *slog.Logger) *service {
	p := processor.Start(processor.Options{
		TTL:           c.ttl,
		SweepInterval: sweepInterval(c.ttl),
		Settlement:    settle.Options{Workers: c.workers, Depth: c.queue, Patience: 100 * time.Millisecond},
		Now:           time.Now,
	})
	keys := idempotency.New(c.ttl, time.Now)
	requests := new(metrics.Requests)
	s := &service{
		api: api.New(api.Options{
			Processor: p,
			Signer:    signature.NewSigner([]byte(c.key)),
			Keys:      keys,
			Requests:  requests,
			Log:       log,
		}),
		processor: p,
		stopKeys:  background(func(ctx context.Context) { keys.Run(ctx, sweepInterval(c.ttl)) }),
	}
	publish(p.Stats)
	page := metrics.Handler(requests, gauges(p, keys))
	worse := regress.New(c.regress)
	errorLog := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	s.servers = append(s.servers, apiServer(l.api, s.api, worse, page, errorLog))
	if l.debug != nil {
		s.servers = append(s.servers, debugServer(l.debug, p, page, errorLog))
	}
	return s
}

func apiServer(l net.Listener, a *api.API, worse *regress.Injector, page http.Handler, errorLog *log.Logger) *boundServer {
	mux := http.NewServeMux()
	mux.Handle("/v1/", worse.Wrap(a.Handler()))
	mux.HandleFunc("/healthz", a.Health)
	mux.Handle("/metrics", page)
	mux.Handle("/debug/vars", expvar.Handler())
	return &boundServer{name: "api", listener: l, Server: http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          errorLog,
	}}
}

// addExport adds the export of account statements. It is nil unless the build
// tag export is set.
var addExport func(*http.ServeMux, *processor.Processor)

func debugServer(l net.Listener, p *processor.Processor, page http.Handler, errorLog *log.Logger) *boundServer {
	mux := debug.Mux(page)
	if addExport != nil {
		addExport(mux, p)
	}
	return &boundServer{name: "debug", listener: l, Server: http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second, // no write timeout: a profile takes as long as it was asked to
		ErrorLog:          errorLog,
	}}
}

// drain ends the service in the order in which work flows through it.
func (s *service) drain(ctx context.Context) error {
	s.api.Drain()
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("shut down %s: %w", server.name, err), server.Close())
		}
	}
	errs = append(errs, s.processor.Close(ctx))
	s.stopKeys()
	return errors.Join(errs...)
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

// sweepInterval keeps expired entries in memory for a tenth of their life at most.
func sweepInterval(ttl time.Duration) time.Duration {
	if interval := ttl / 10; interval > time.Millisecond {
		return interval
	}
	return time.Millisecond
}
