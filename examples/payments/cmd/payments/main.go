// Command payments is a payment service that keeps everything in memory: the
// example that gocost measures, limits and catches in the act.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "payments:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends and then drains. It returns an error when it could
// not start or not drain.
func run(ctx context.Context, args []string, log io.Writer) error {
	config, err := parse(args, log)
	if err != nil {
		return err
	}
	return serve(ctx, config, newLogger(log, config.level))
}
