package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"example.com/payments/internal/regress"
)

const (
	keyVariable = "PAYMENTS_KEY"
	// demoKey signs load/pay.targets. It is public, so it protects nothing.
	demoKey = "demo-key-not-for-production"
)

type config struct {
	listen        string
	debugListen   string
	key           string // from the environment: arguments are visible to every user of a machine
	ttl           time.Duration
	workers       int
	queue         int
	drain         time.Duration
	level         slog.Level
	blockRate     int
	mutexFraction int
	regress       regress.Amounts
}

func parse(args []string, output io.Writer) (config, error) {
	c := config{key: os.Getenv(keyVariable)}
	flags := flag.NewFlagSet("payments", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8080", "`address` of the API, /healthz, /metrics and /debug/vars")
	flags.StringVar(&c.debugListen, "debug-listen", "", "`address` of /debug/pprof/, /debug/vars and /metrics; none when empty")
	flags.DurationVar(&c.ttl, "ttl", 15*time.Minute, "how long payments, accounts and idempotency keys are kept")
	flags.IntVar(&c.workers, "workers", 4, "settlement workers")
	flags.IntVar(&c.queue, "queue", 1024, "payments that may wait for settlement")
	flags.DurationVar(&c.drain, "drain", 10*time.Second, "how long a stop may take")
	flags.TextVar(&c.level, "log-level", slog.LevelInfo, "debug, info, warn or error; debug logs every request")
	flags.IntVar(&c.blockRate, "block-profile-rate", 0, "nanoseconds of waiting per sample of the block profile; 0 is off")
	flags.IntVar(&c.mutexFraction, "mutex-profile-fraction", 0, "sample one of so many lock contentions; 0 is off")
	worse := flags.String("regress", regress.Initial(), "make it worse: leak, allocate, retain, lock, burn, slow, start; with =AMOUNT, separated by commas")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if c.regress, err = regress.Parse(*worse); err != nil {
		return config{}, err
	}
	return c, c.check()
}

func (c *config) check() error {
	if c.workers < 1 || c.queue < 1 {
		return errors.New("--workers and --queue must be at least 1")
	}
	if c.ttl <= 0 || c.drain <= 0 {
		return errors.New("--ttl and --drain must be above 0")
	}
	return nil
}

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
