// Full prints what benchstat computes with all of its digits: benchstat itself prints a p-value
// with three. It reads one JSON object {"base": [...], "head": [...]} a line and answers with one
// a line, both from the package that benchstat calls.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"golang.org/x/perf/benchmath"
)

type pair struct {
	Base []float64 `json:"base"`
	Head []float64 `json:"head"`
}

type answer struct {
	P    float64     `json:"p"`
	Base [3]*float64 `json:"base"`
	Head [3]*float64 `json:"head"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for in.Scan() {
		var p pair
		if err := json.Unmarshal(in.Bytes(), &p); err != nil {
			return err
		}
		base := benchmath.NewSample(p.Base, &benchmath.DefaultThresholds)
		head := benchmath.NewSample(p.Head, &benchmath.DefaultThresholds)
		a := answer{
			P:    benchmath.AssumeNothing.Compare(base, head).P,
			Base: summary(base),
			Head: summary(head),
		}
		if err := encoder.Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

// summary is the median and its 95% interval; an infinite bound is null.
func summary(s *benchmath.Sample) [3]*float64 {
	c := benchmath.AssumeNothing.Summary(s, 0.95)
	return [3]*float64{&c.Center, finite(c.Lo), finite(c.Hi)}
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) {
		return nil
	}
	return &x
}
