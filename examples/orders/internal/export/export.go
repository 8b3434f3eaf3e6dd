// Package export answers with an order in the JSON of Protobuf, for partners
// that read it with their schema tools. It pulls in more of a module that the
// service has already: the regression of the build tag export (see README).
package export

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"example.com/orders/internal/order"
	"example.com/orders/internal/store"
)

// Handler exports the order that ?id= names; ?format=text is Protobuf's text form.
func Handler(get func(uuid.UUID) (order.Order, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(r.FormValue("id"))
		if err != nil {
			http.Error(w, "id must be a UUID", http.StatusBadRequest)
			return
		}
		found, err := get(id)
		if errors.Is(err, store.ErrNotFound) {
			http.Error(w, "no such order", http.StatusNotFound)
			return
		}
		var body []byte
		if err == nil {
			body, err = encode(found, r.FormValue("format"))
		}
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	})
}

func encode(o order.Order, format string) ([]byte, error) {
	plain, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var message structpb.Struct
	if err := protojson.Unmarshal(plain, &message); err != nil {
		return nil, err
	}
	marshal := map[string]func(proto.Message) ([]byte, error){"": protojson.Marshal, "text": prototext.Marshal}[format]
	if marshal == nil {
		marshal = proto.Marshal
	}
	return marshal(&message)
}
