package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"example.com/orders/internal/regress"
)

type config struct {
	listen      string
	debugListen string
	data        string
	sync        bool
	batchDelay  time.Duration
	packers     int
	queue       int
	drain       time.Duration
	level       zerolog.Level
	regress     regress.Amounts
}

func parse(args []string, output io.Writer) (config, error) {
	c := config{level: zerolog.InfoLevel}
	flags := flag.NewFlagSet("orders", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8090", "`address` of the API, /healthz and /metrics")
	flags.StringVar(&c.debugListen, "debug-listen", "", "`address` of /debug/pprof/ and /debug/vars; none when empty")
	flags.StringVar(&c.data, "data", "", "`file` of orders; a temporary one when empty")
	flags.BoolVar(&c.sync, "sync", false, "confirm an order only when it is on the disk")
	flags.DurationVar(&c.batchDelay, "batch-delay", time.Millisecond, "how long a write waits for others to share its commit")
	flags.IntVar(&c.packers, "packers", 4, "orders that are shipped at once")
	flags.IntVar(&c.queue, "queue", 4096, "orders that may wait for a packer")
	flags.DurationVar(&c.drain, "drain", 10*time.Second, "how long a stop may take")
	flags.TextVar(&c.level, "log-level", c.level, "debug, info, warn or error; debug logs every request")
	worse := flags.String("regress", regress.Initial(), "make it worse: leak, allocate, retain, slow; with =AMOUNT, separated by commas")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if c.packers < 1 || c.queue < 1 || c.drain <= 0 {
		return config{}, errors.New("--packers, --queue and --drain must be above 0")
	}
	var err error
	c.regress, err = regress.Parse(*worse)
	return c, err
}
