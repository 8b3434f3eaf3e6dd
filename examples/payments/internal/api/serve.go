package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"time"

	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/signature"
)

// maxBody is the largest request body in bytes.
const maxBody = 64 << 10

// endpoint answers one verified request: a status and a value to encode, or an
// error that problemOf knows how to tell.
type endpoint func(r *http.Request, body []byte) (status int, value any, err error)

// methods routes by method, which http.ServeMux does only from Go 1.22 on.
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler, ok := m[r.Method]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	allowed := make([]string, 0, len(m))
	for method := range m {
		allowed = append(allowed, method)
	}
	sort.Strings(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	reply(w, encode(problemOf(errBadMethod)))
}

// serve turns an endpoint into a handler: counted, logged, guarded against
// panics, verified, and answered once per idempotency key.
func (a *API) serve(name string, e endpoint) http.Handler {
	route := a.requests.Route(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		response := a.answer(w, r, e)
		reply(w, response)
		took := time.Since(start)
		route.Observe(response.Status, took)
		a.logRequest(r, name, response.Status, took)
	})
}

func (a *API) answer(w http.ResponseWriter, r *http.Request, e endpoint) (response idempotency.Response) {
	defer func() {
		if cause := recover(); cause != nil {
			a.log.ErrorContext(r.Context(), "panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			response = encode(problemOf(errInternal))
		}
	}()
	body, err := readBody(w, r)
	if err != nil {
		return a.fail(r, err)
	}
	key := r.Header.Get(idempotency.Header)
	if len(key) > idempotency.MaxKey {
		return a.fail(r, errLongKey)
	}
	uri := r.URL.RequestURI()
	message := signature.Message{Method: r.Method, URI: uri, IdempotencyKey: key, Body: body}
	if err := a.signer.Verify(r.Header.Get(signature.Header), message); err != nil {
		return a.fail(r, err)
	}
	handle := func() idempotency.Response { return a.call(r, e, body) }
	if key == "" || r.Method != http.MethodPost {
		return handle()
	}
	w.Header().Set(idempotency.Header, key)
	content := append([]byte(uri+"\n"), body...)
	response, replayed, err := a.keys.Do(r.Context(), key, content, handle)
	if err != nil {
		return a.fail(r, err)
	}
	if replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	return response
}

func (a *API) call(r *http.Request, e endpoint, body []byte) idempotency.Response {
	status, value, err := e(r, body)
	if err != nil {
		return a.fail(r, err)
	}
	return encode(status, value)
}

func (a *API) fail(r *http.Request, err error) idempotency.Response {
	status, problem := problemOf(err)
	if status >= http.StatusInternalServerError {
		a.log.WarnContext(r.Context(), "request failed", "path", r.URL.Path, "status", status, "error", err.Error())
	}
	return encode(status, problem)
}

func (a *API) logRequest(r *http.Request, name string, status int, took time.Duration) {
	if !a.log.Enabled(r.Context(), slog.LevelDebug) {
		return // no attributes are made for a line that is not written
	}
	a.log.LogAttrs(r.Context(), slog.LevelDebug, "request",
		slog.String("route", name), slog.Int("status", status), slog.Duration("took", took))
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxBody {
		body.Grow(int(r.ContentLength) + bytes.MinRead) // one allocation, not five
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errLargeBody
	case err != nil:
		return nil, fmt.Errorf("%w: %v", errBrokenBody, err)
	}
	return body.Bytes(), nil
}

func encode(status int, value any) idempotency.Response {
	body, err := json.Marshal(value)
	if err != nil { // only a value of our own making can do that
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"internal"}}`)
	}
	return idempotency.Response{Status: status, Body: append(body, '\n')}
}

func reply(w http.ResponseWriter, response idempotency.Response) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(response.Body)))
	if response.Status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "1")
	}
	w.WriteHeader(response.Status)
	_, _ = w.Write(response.Body) // a caller that went away needs no answer
}
