package payment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of one request. They bound the memory that a caller can claim.
const (
	maxAccount      = 64
	maxReference    = 140
	maxToken        = 128
	maxMetadata     = 16
	maxMetadataText = 256
	maxMinor        = 100_000_000_00
)

// ErrMalformed means that a body is not one JSON object of a known form.
var ErrMalformed = errors.New("the body is not a payment request")

// Request is what a caller asks for.
type Request struct {
	Account   string            `json:"account"`
	Reference string            `json:"reference"`
	Amount    Money             `json:"amount"`
	Method    Method            `json:"method"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

// FieldError says which field of a request is wrong, and why.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// DecodeRequest reads one JSON request and checks it. Unknown fields and
// trailing data are errors: in a payment a misspelt field must not be ignored.
func DecodeRequest(body []byte) (Request, error) {
	var request Request
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return Request{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Request{}, fmt.Errorf("%w: data after the JSON object", ErrMalformed)
	}
	return request, request.validate()
}

func (r *Request) validate() error {
	if err := checkText("account", r.Account, maxAccount); err != nil {
		return err
	}
	if err := checkText("reference", r.Reference, maxReference); err != nil {
		return err
	}
	if err := checkText("method.token", r.Method.Token, maxToken); err != nil {
		return err
	}
	if r.Amount.Minor <= 0 || r.Amount.Minor > maxMinor {
		return &FieldError{"amount.minor", fmt.Sprintf("must be between 1 and %d", int64(maxMinor))}
	}
	if _, err := FeeOf(r.Amount, r.Method.Type); err != nil {
		return err
	}
	return checkMetadata(r.Metadata)
}

func checkMetadata(metadata map[string]string) error {
	if len(metadata) > maxMetadata {
		return &FieldError{"metadata", fmt.Sprintf("at most %d entries", maxMetadata)}
	}
	for key, value := range metadata {
		if len(key)+len(value) > maxMetadataText {
			return &FieldError{"metadata." + key, fmt.Sprintf("at most %d bytes", maxMetadataText)}
		}
	}
	return nil
}

func checkText(field, text string, limit int) error {
	switch {
	case text == "":
		return &FieldError{field, "is required"}
	case len(text) > limit:
		return &FieldError{field, fmt.Sprintf("at most %d bytes", limit)}
	}
	return nil
}
