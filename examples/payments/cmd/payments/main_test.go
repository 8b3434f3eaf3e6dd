package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a service that runs in this process, as main starts it.
type running struct {
	api, debug string // origins
	stop       context.CancelFunc
	done       chan error
	log        *lines
}

// lines collects a log and tells when a line of it has come.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "\n")
}

func startService(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	r := &running{stop: stop, done: make(chan error, 1), log: new(lines)}
	addresses := make(chan [2]string, 2)
	go func() {
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			r.log.add(scanner.Text())
			var line struct{ Msg, Server, Address string }
			if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Msg == "listening" {
				addresses <- [2]string{line.Server, "http://" + line.Address}
			}
		}
	}()
	go func() {
		r.done <- run(ctx, append([]string{"--listen=127.0.0.1:0", "--debug-listen=127.0.0.1:0"}, args...), writer)
		_ = writer.Close()
	}()
	t.Cleanup(func() { stop() })
	for i := 0; i < 2; i++ {
		select {
		case address := <-addresses:
			if address[0] == "api" {
				r.api = address[1]
			} else {
				r.debug = address[1]
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("not listening: %s", r.log)
		}
	}
	return r
}

func send(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, request)
}

func TestPagesOfTheService(t *testing.T) {
	service := startService(t)
	tests := []struct{ url, want string }{
		{service.api + "/healthz", "ok"},
		{service.api + "/metrics", "go_goroutines "},
		{service.api + "/metrics", "payments_settled 0"},
		{service.api + "/debug/vars", `"payments": {"payments":0`},
		{service.debug + "/metrics", "go_memstats_alloc_bytes_total "},
		{service.debug + "/debug/vars", `"memstats"`},
		{service.debug + "/debug/pprof/", "goroutine"},
		{service.debug + "/debug/pprof/goroutine?debug=2", "goroutine "},
	}
	for _, test := range tests {
		if status, body := get(t, test.url); status != http.StatusOK || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d without %q: %.200s", test.url, status, test.want, body)
		}
	}
	if status, _ := get(t, service.api+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles are on the public port: %d", status)
	}
}

func TestAStopDrainsAndEndsClean(t *testing.T) {
	service := startService(t)
	service.stop()
	select {
	case err := <-service.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the service does not stop")
	}
	if connection, err := net.Dial("tcp", strings.TrimPrefix(service.api, "http://")); err == nil {
		_ = connection.Close()
		t.Error("the port is still open")
	}
}

func TestAStartThatFailsSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"--listen=" + taken.Addr().String()}, "--listen"},
		{[]string{"--listen=127.0.0.1:0", "--debug-listen=" + taken.Addr().String()}, "--debug-listen"},
		{[]string{"--regress=leek"}, "there are leak"},
		{[]string{"--workers=0"}, "--workers"},
		{[]string{"--ttl=0s"}, "--ttl"},
		{[]string{"serve"}, "unexpected argument"},
	}
	for _, test := range tests {
		err := run(context.Background(), test.args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v", test.args, err)
		}
	}
}
