package regress

import "os"

// ballast makes the binary larger by exactly ballastBytes of initialised data.
// One byte that is not zero keeps the linker from leaving it to .bss.
var ballast = [ballastBytes + 1]byte{ballastBytes: 1}

// The linker keeps only what is used, so something uses it.
func init() { ballastAt(len(os.Args)) }

//go:noinline
func ballastAt(i int) byte { return ballast[i%len(ballast)] }
