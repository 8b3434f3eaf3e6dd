// Command fold reads an execution trace with golang.org/x/exp/trace and prints, a line a goroutine,
// its id and the nanoseconds that it was runnable, running, in a system call and waiting. With
// -count it only reads the events and prints how many there were.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"golang.org/x/exp/trace"
)

type goroutine struct {
	state trace.GoState
	since trace.Time
	sums  [8]int64
}

func main() {
	log.SetFlags(0)
	count := flag.Bool("count", false, "only read and count the events")
	flag.Parse()
	f, err := os.Open(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		log.Fatal(err)
	}
	all := map[trace.GoID]*goroutine{}
	var last trace.Time
	events := 0
	for {
		ev, err := r.ReadEvent()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		events++
		if *count || ev.Kind() == trace.EventSync || ev.Kind() == trace.EventStackSample {
			continue
		}
		last = max(last, ev.Time())
		if ev.Kind() == trace.EventStateTransition {
			follow(all, ev)
		}
	}
	if *count {
		fmt.Println(events)
		return
	}
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for id, g := range all {
		g.leave(last)
		fmt.Fprintln(w, id, g.sums[trace.GoRunnable], g.sums[trace.GoRunning],
			g.sums[trace.GoSyscall], g.sums[trace.GoWaiting])
	}
}

func follow(all map[trace.GoID]*goroutine, ev trace.Event) {
	st := ev.StateTransition()
	if st.Resource.Kind != trace.ResourceGoroutine {
		return
	}
	from, to := st.Goroutine()
	g := all[st.Resource.Goroutine()]
	if g == nil {
		g = &goroutine{}
		all[st.Resource.Goroutine()] = g
	}
	if from == to {
		return
	}
	g.leave(ev.Time())
	g.state, g.since = to, ev.Time()
}

func (g *goroutine) leave(t trace.Time) {
	if g.state != trace.GoUndetermined && g.state != trace.GoNotExist {
		g.sums[g.state] += int64(t - g.since)
	}
}
