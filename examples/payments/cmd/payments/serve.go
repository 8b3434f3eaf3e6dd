package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"

	"example.com/payments/internal/regress"
)

// serve runs the service until ctx ends, then drains: no new requests, the ones
// in flight answered, what was accepted settled.
func serve(ctx context.Context, c config, log *slog.Logger) error {
	regress.SlowStart(c.regress)
	runtime.SetBlockProfileRate(c.blockRate)
	runtime.SetMutexProfileFraction(c.mutexFraction)
	if c.key == "" {
		c.key = demoKey
		log.Warn("requests are signed with the public demo key", "set", keyVariable)
	}

	listeners, err := listen(ctx, c)
	if err != nil {
		return err
	}
	s := start(c, listeners, log)
	failed := make(chan error, len(s.servers))
	var serving sync.WaitGroup
	for _, server := range s.servers {
		serving.Add(1)
		go func(server *boundServer) {
			defer serving.Done()
			if err := server.Serve(server.listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", server.name, err)
			}
		}(server)
		log.Info("listening", "server", server.name, "address", server.listener.Addr().String())
	}

	select {
	case <-ctx.Done():
		log.Info("draining", "limit", c.drain.String())
	case err = <-failed:
	}
	// The signal has ended ctx; draining needs time of its own.
	draining, cancel := context.WithTimeout(context.Background(), c.drain)
	defer cancel()
	err = errors.Join(err, s.drain(draining))
	serving.Wait()
	log.Info("stopped", "settled", s.processor.Stats().Settled)
	return err
}
