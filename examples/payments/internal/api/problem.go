package api

import (
	"context"
	"errors"
	"net/http"

	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/payment"
	"example.com/payments/internal/processor"
	"example.com/payments/internal/settle"
	"example.com/payments/internal/signature"
)

var (
	errNoRoute    = errors.New("no such route")
	errBadMethod  = errors.New("the route does not take this method")
	errLargeBody  = errors.New("the body is larger than 64 KiB")
	errBrokenBody = errors.New("the body could not be read")
	errLongKey    = errors.New("the idempotency key is longer than 128 bytes")
	errInternal   = errors.New("internal error")
)

// problem is the body of every answer that is not a success.
type problem struct {
	Error problemText `json:"error"`
}

type problemText struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// known says how each error is told: the first that matches.
var known = []struct {
	err    error
	status int
	code   string
}{
	{signature.ErrInvalid, http.StatusUnauthorized, "bad_signature"},
	{processor.ErrNotFound, http.StatusNotFound, "not_found"},
	{errNoRoute, http.StatusNotFound, "not_found"},
	{errBadMethod, http.StatusMethodNotAllowed, "bad_method"},
	{processor.ErrNotSettled, http.StatusConflict, "not_settled"},
	{idempotency.ErrMismatch, http.StatusUnprocessableEntity, "key_reused"},
	{errLargeBody, http.StatusRequestEntityTooLarge, "large_body"},
	{errLongKey, http.StatusBadRequest, "long_key"},
	{settle.ErrBusy, http.StatusServiceUnavailable, "busy"},
	{settle.ErrClosed, http.StatusServiceUnavailable, "draining"},
	{context.Canceled, http.StatusServiceUnavailable, "cancelled"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "cancelled"},
	{errBrokenBody, http.StatusBadRequest, "broken_body"},
}

func problemOf(err error) (int, problem) {
	var field *payment.FieldError
	if errors.As(err, &field) {
		return http.StatusBadRequest, problem{problemText{"bad_field", field.Field, field.Reason}}
	}
	if errors.Is(err, payment.ErrMalformed) {
		return http.StatusBadRequest, problem{problemText{Code: "malformed", Message: err.Error()}}
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.status, problem{problemText{Code: k.code, Message: k.err.Error()}}
		}
	}
	// What is left is our own fault, and its text is for the log alone.
	return http.StatusInternalServerError, problem{problemText{Code: "internal", Message: "internal error"}}
}
