// Package regress makes the service worse on purpose, by known amounts, so that
// tools which claim to find a regression can be held to it.
//
// Switches are named in Default, in the environment variable ORDERS_REGRESS or
// in the flag --regress, separated by commas, each with an amount if wanted:
//
//	leak=10         one goroutine of ten requests never ends
//	allocate=65536  bytes allocated and dropped in every request, as one object
//	retain=4096     bytes allocated and kept for ever in every request
//	slow=20ms       every request waits, using no CPU
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
const Variable = "ORDERS_REGRESS"

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
	Slow     time.Duration
}

// Parse reads a list of switches such as "leak,allocate=1024".
func Parse(spec string) (Amounts, error) {
	var amounts Amounts
	for item := range strings.SplitSeq(spec, ",") {
		name, text, given := strings.Cut(strings.TrimSpace(item), "=")
		if name == "" && spec == "" {
			break
		}
		var err error
		switch name {
		case "leak":
			amounts.Leak, err = count(10, text, given)
		case "allocate":
			amounts.Allocate, err = count(64<<10, text, given)
		case "retain":
			amounts.Retain, err = count(4<<10, text, given)
		case "slow":
			amounts.Slow, err = duration(20*time.Millisecond, text, given)
		default:
			err = errors.New("there are leak, allocate, retain and slow")
		}
		if err != nil {
			return Amounts{}, fmt.Errorf("regress %q: %w", item, err)
		}
	}
	return amounts, nil
}

func count(usual int, text string, given bool) (int, error) {
	if !given {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return 0, errors.New("the amount must be a whole number above 0")
	}
	return n, nil
}

func duration(usual time.Duration, text string, given bool) (time.Duration, error) {
	if !given {
		return usual, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("the amount must be a time such as 5ms")
	}
	return d, nil
}

// Injector injects Amounts into requests. It is safe for concurrent use.
type Injector struct {
	amounts  Amounts
	requests atomic.Uint64
	garbage  atomic.Pointer[byte] // so that an allocation is not optimised away
	mu       sync.Mutex
	kept     [][]byte
}

// New returns an Injector of the amounts.
func New(amounts Amounts) *Injector { return &Injector{amounts: amounts} }

// Wrap is middleware. Without a switch it is next itself, at no cost.
func (i *Injector) Wrap(next http.Handler) http.Handler {
	if i.amounts == (Amounts{}) {
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
	if i.amounts.Slow > 0 {
		time.Sleep(i.amounts.Slow)
	}
}

// leak waits for an answer that nobody sends.
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
	i.mu.Lock()
	i.kept = append(i.kept, page)
	i.mu.Unlock()
}
