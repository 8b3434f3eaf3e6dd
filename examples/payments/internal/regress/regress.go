// Package regress makes the service worse on purpose, by known amounts, so that
// tools which claim to find a regression can be held to it.
//
// Switches are named in Default, in the environment variable PAYMENTS_REGRESS
// or in the flag --regress, separated by commas; most take an amount:
//
//	leak=10         one goroutine of ten requests never ends
//	allocate=65536  bytes allocated and dropped in every request, as one object
//	retain=4096     bytes allocated and kept for ever in every request
//	lock=1ms        every request holds one lock for this long
//	burn=500us      CPU time spent in every request
//	slow=20ms       every request waits, using no CPU
//	start=300ms     CPU time spent before main, in the initialisation of this package
//
// The amounts shown are those of a switch that is named alone. Two further
// regressions are build tags: ballast and export (see ballast.go and
// ../../cmd/payments/export.go).
package regress

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Default names the switches that are on when nothing else is said. A commit
// that writes a name here is a regression.
const Default = ""

// Variable is the environment variable that comes before Default.
const Variable = "PAYMENTS_REGRESS"

// Initial names the switches that are on without a flag.
func Initial() string {
	if spec, set := os.LookupEnv(Variable); set {
		return spec
	}
	return Default
}

// Amounts says how much of each regression to inject; none of a zero.
type Amounts struct {
	Leak     int // requests per leaked goroutine
	Allocate int // bytes per request
	Retain   int // bytes per request
	Lock     time.Duration
	Burn     time.Duration
	Slow     time.Duration
	Start    time.Duration
}

// Parse reads a list of switches such as "leak,allocate=1024".
func Parse(spec string) (Amounts, error) {
	var amounts Amounts
	if spec == "" {
		return amounts, nil
	}
	for _, item := range strings.Split(spec, ",") {
		name, text, given := strings.Cut(strings.TrimSpace(item), "=")
		if err := amounts.set(name, text, given); err != nil {
			return Amounts{}, fmt.Errorf("regress %q: %w", item, err)
		}
	}
	return amounts, nil
}

func (a *Amounts) set(name, text string, given bool) error {
	switch name {
	case "leak":
		return setCount(&a.Leak, 10, text, given)
	case "allocate":
		return setCount(&a.Allocate, 64<<10, text, given)
	case "retain":
		return setCount(&a.Retain, 4<<10, text, given)
	case "lock":
		return setTime(&a.Lock, time.Millisecond, text, given)
	case "burn":
		return setTime(&a.Burn, 500*time.Microsecond, text, given)
	case "slow":
		return setTime(&a.Slow, 20*time.Millisecond, text, given)
	case "start":
		return setTime(&a.Start, 300*time.Millisecond, text, given)
	}
	return errors.New("there are leak, allocate, retain, lock, burn, slow and start")
}

func setCount(into *int, usual int, text string, given bool) error {
	*into = usual
	if !given {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return errors.New("the amount must be a whole number above 0")
	}
	*into = n
	return nil
}

func setTime(into *time.Duration, usual time.Duration, text string, given bool) error {
	*into = usual
	if !given {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("the amount must be a time such as 5ms")
	}
	*into = d
	return nil
}

// Injector injects Amounts into requests. It is safe for concurrent use.
type Injector struct {
	amounts  Amounts
	requests atomic.Uint64
	garbage  atomic.Pointer[byte] // so that an allocation is not optimised away
	serial   sync.Mutex           // what the switch lock holds
	mu       sync.Mutex           // guards kept
	kept     [][]byte
}

// New returns an Injector of the amounts.
func New(amounts Amounts) *Injector { return &Injector{amounts: amounts} }

// Wrap injects before every request of next. Without a switch next is returned
// as it is, at no cost.
func (i *Injector) Wrap(next http.Handler) http.Handler {
	perRequest := i.amounts
	perRequest.Start = 0
	if perRequest == (Amounts{}) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.inject()
		next.ServeHTTP(w, r)
	})
}

func (i *Injector) inject() {
	n := i.requests.Add(1)
	if i.amounts.Leak > 0 && n%uint64(i.amounts.Leak) == 0 {
		go i.leak()
	}
	if i.amounts.Allocate > 0 {
		i.allocate()
	}
	if i.amounts.Retain > 0 {
		i.retain()
	}
	if i.amounts.Lock > 0 {
		i.lock()
	}
	if i.amounts.Burn > 0 {
		burn(i.amounts.Burn)
	}
	if i.amounts.Slow > 0 {
		time.Sleep(i.amounts.Slow)
	}
}

// leak waits for an answer that nobody sends. Its channel is reachable from
// nowhere else, as in most real leaks.
//
//go:noinline
func (i *Injector) leak() {
	answer := make(chan struct{})
	<-answer
}

//go:noinline
func (i *Injector) allocate() {
	i.garbage.Store(&make([]byte, i.amounts.Allocate)[0])
}

//go:noinline
func (i *Injector) retain() {
	page := make([]byte, i.amounts.Retain)
	// Memory that is only allocated is not resident: write to it.
	for at := range page {
		page[at] = 1
	}
	i.mu.Lock()
	i.kept = append(i.kept, page)
	i.mu.Unlock()
}

//go:noinline
func (i *Injector) lock() {
	i.serial.Lock()
	defer i.serial.Unlock()
	time.Sleep(i.amounts.Lock)
}

// burn keeps a core busy.
//
//go:noinline
func burn(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}
