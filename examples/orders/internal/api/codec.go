package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/vmihailenco/msgpack/v5"
)

const (
	jsonType    = "application/json"
	msgpackType = "application/msgpack"
	maxBody     = 64 << 10
)

var (
	errMalformed = errors.New("the body is malformed")
	errLarge     = errors.New("the body is larger than 64 KiB")
	errMediaType = errors.New("the body must be " + jsonType + " or " + msgpackType)
)

// endpoint answers one request: a status and a value, or an error for statusOf.
type endpoint func(http.ResponseWriter, *http.Request) (status int, value any, err error)

func (a *api) answer(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, value, err := e(w, r)
		if err != nil {
			status = statusOf(err)
			text := err.Error()
			if status == http.StatusInternalServerError {
				a.Log.Error().Err(err).Str("path", r.URL.Path).Msg("request failed")
				text = "internal error"
			}
			value = map[string]string{"error": text}
		}
		a.encode(w, r, status, value)
	}
}

func (a *api) encode(w http.ResponseWriter, r *http.Request, status int, value any) {
	contentType, marshal := jsonType, json.Marshal
	if strings.Contains(r.Header.Get("Accept"), msgpackType) {
		contentType, marshal = msgpackType, msgpack.Marshal
	}
	body, err := marshal(value)
	if err != nil { // only a value of our own making can do that
		a.Log.Error().Err(err).Msg("answer not encoded")
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that went away needs no answer
}

func decode(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return errLarge
	} else if err != nil {
		return fmt.Errorf("%w: %v", errMalformed, err)
	}
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // none is not one of ours
	switch mediaType {
	case jsonType:
		err = json.Unmarshal(body, into)
	case msgpackType:
		err = msgpack.Unmarshal(body, into)
	default:
		return errMediaType
	}
	if err != nil {
		return fmt.Errorf("%w: %v", errMalformed, err)
	}
	return nil
}
