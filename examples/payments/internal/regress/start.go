package regress

import "sync"

var startOnce sync.Once

// A slow start belongs into the initialisation of a package, where
// GODEBUG=inittrace=1 shows it under this package's name.
func init() {
	if amounts, err := Parse(Initial()); err == nil { // main reports the error
		SlowStart(amounts)
	}
}

// SlowStart spends the time of the switch start, unless that has been done.
func SlowStart(amounts Amounts) {
	if amounts.Start > 0 {
		startOnce.Do(func() { burn(amounts.Start) })
	}
}
