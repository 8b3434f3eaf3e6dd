package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"example.com/orders/internal/order"
)

var update = flag.Bool("update", false, "write load/order.msgpack anew")

const load = "../../load/"

type running struct {
	origins map[string]string
	stop    context.CancelFunc
	done    chan error
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	r := &running{origins: make(map[string]string), stop: stop, done: make(chan error, 1)}
	reader, writer := io.Pipe()
	addresses := make(chan [2]string, 2)
	go func() {
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			var line struct{ Message, Server, Address string }
			if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Message == "listening" {
				addresses <- [2]string{line.Server, "http://" + line.Address}
			}
		}
	}()
	go func() {
		r.done <- run(ctx, append([]string{"--listen=127.0.0.1:0", "--debug-listen=127.0.0.1:0"}, args...), writer)
		_ = writer.Close()
	}()
	for range 2 {
		select {
		case address := <-addresses:
			r.origins[address[0]] = address[1]
		case err := <-r.done:
			t.Fatal(err)
		case <-time.After(10 * time.Second):
			t.Fatal("not listening")
		}
	}
	return r
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the service does not stop")
	}
}

func send(t *testing.T, method, url, contentType string, body []byte) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestPagesOfTheService(t *testing.T) {
	service := start(t)
	tests := []struct{ server, path, want string }{
		{"api", "/healthz", "ok"},
		{"api", "/metrics", "go_goroutines "},
		{"api", "/metrics", "orders_stored 0"},
		{"debug", "/debug/pprof/", "goroutine"},
		{"debug", "/debug/vars", "memstats"},
	}
	for _, test := range tests {
		if status, body := send(t, "GET", service.origins[test.server]+test.path, "", nil); status != 200 || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d without %q: %.200s", test.path, status, test.want, body)
		}
	}
	if status, _ := send(t, "GET", service.origins["api"]+"/debug/pprof/", "", nil); status != 404 {
		t.Errorf("profiles are on the public port: %d", status)
	}
	service.end(t)
}

func TestOrdersAreShippedAndKeptOverARestart(t *testing.T) {
	data := "--data=" + filepath.Join(t.TempDir(), "orders.db")
	service := start(t, data)
	body, err := os.ReadFile(load + "order.json")
	if err != nil {
		t.Fatal(err)
	}
	status, text := send(t, "POST", service.origins["api"]+"/orders", "application/json", body)
	var placed order.Order
	if err := json.Unmarshal([]byte(text), &placed); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	service.end(t)

	service = start(t, data)
	if _, text := send(t, "GET", service.origins["api"]+"/orders/"+placed.ID.String(), "", nil); !strings.Contains(text, `"shipped"`) {
		t.Errorf("after a restart: %s", text)
	}
	service.end(t)
}

func TestATemporaryFileIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	service := start(t)
	service.end(t)
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestTheLoadIsAccepted sends every target of load/orders.targets.
func TestTheLoadIsAccepted(t *testing.T) {
	service := start(t)
	text, err := os.ReadFile(load + "orders.targets")
	if err != nil {
		t.Fatal(err)
	}
	targets := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	if len(targets) != 10 {
		t.Errorf("%d targets", len(targets))
	}
	for _, target := range targets {
		lines := strings.Split(target, "\n")
		method, url, _ := strings.Cut(lines[0], " ")
		url = strings.Replace(url, "http://127.0.0.1:{port}", service.origins["api"], 1)
		contentType, body := "", []byte(nil)
		for _, line := range lines[1:] {
			if file, ok := strings.CutPrefix(line, "@"); ok {
				if body, err = os.ReadFile("../../" + file); err != nil {
					t.Fatal(err)
				}
			} else if value, ok := strings.CutPrefix(line, "Content-Type: "); ok {
				contentType = value
			}
		}
		if status, text := send(t, method, url, contentType, body); status/100 != 2 {
			t.Errorf("%s: %d %s", lines[0], status, text)
		}
	}
	service.end(t)
}

func TestThePackedBodyIsTheJSONBody(t *testing.T) {
	text, err := os.ReadFile(load + "order.json")
	if err != nil {
		t.Fatal(err)
	}
	var request order.Request
	if err := json.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	want, err := msgpack.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(load+"order.msgpack", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(load + "order.msgpack"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("order.msgpack is not order.json: run go test ./cmd/orders -run Packed -update (%v)", err)
	}
}

func TestAStartThatFailsSaysWhy(t *testing.T) {
	for want, args := range map[string][]string{
		"there are leak":      {"--regress=leek"},
		"--packers":           {"--packers=0"},
		"unexpected argument": {"serve"},
		"listen for the api":  {"--listen=127.0.0.1:99999"},
		"no such file":        {"--data=/absent/orders.db"},
	} {
		if err := run(context.Background(), args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
