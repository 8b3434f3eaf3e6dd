package export

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"example.com/orders/internal/order"
	"example.com/orders/internal/store"
)

var id = uuid.MustParse("0194b5d0-0000-7000-8000-000000000001")

func get(t *testing.T, query string) (int, string) {
	t.Helper()
	handler := Handler(func(asked uuid.UUID) (order.Order, error) {
		if asked != id {
			return order.Order{}, store.ErrNotFound
		}
		return order.Order{ID: id, Customer: "ada", NetCents: 4999, Placed: time.Unix(0, 0).UTC()}, nil
	})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/export?"+query, nil))
	return recorder.Code, recorder.Body.String()
}

func TestAnOrderIsExportedInEachForm(t *testing.T) {
	for _, format := range []string{"", "text"} {
		code, body := get(t, "id="+id.String()+"&format="+format)
		if code != 200 || !strings.Contains(body, "ada") || !strings.Contains(body, "4999") {
			t.Errorf("%q: %d %s", format, code, body)
		}
	}
	_, body := get(t, "id="+id.String()+"&format=binary")
	var message structpb.Struct
	if err := proto.Unmarshal([]byte(body), &message); err != nil || message.Fields["customer"].GetStringValue() != "ada" {
		t.Errorf("%v, %v", &message, err)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	if code, _ := get(t, "id=nonsense"); code != 400 {
		t.Errorf("status %d", code)
	}
	if code, _ := get(t, "id="+uuid.Nil.String()); code != 404 {
		t.Errorf("status %d", code)
	}
}
