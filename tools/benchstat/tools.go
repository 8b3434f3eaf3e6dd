//go:build tools

// Package tools pins the benchstat that the tests compare `gocost bench` with.
package tools

import _ "golang.org/x/perf/cmd/benchstat"
