package export

import (
	"archive/zip"
	"bytes"
	"encoding/gob"
	"encoding/xml"
	"image/png"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/payments/internal/payment"
	"example.com/payments/internal/processor"
)

func get(t *testing.T, format string) (int, []byte) {
	t.Helper()
	handler := Handler(func(name string) processor.Account {
		return processor.Account{Name: name, Recent: []payment.Payment{
			{ID: "pay_1", Reference: "<script>", Amount: payment.Money{Minor: 4999, Currency: "EUR"}, Status: payment.Settled},
			{ID: "pay_2", Reference: "b", Amount: payment.Money{Minor: 100, Currency: "EUR"}, Status: payment.Pending},
		}}
	})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/export?account=acct_1&format="+format, nil))
	return recorder.Code, recorder.Body.Bytes()
}

func TestHTMLIsEscaped(t *testing.T) {
	_, body := get(t, "html")
	if text := string(body); !strings.Contains(text, "&lt;script&gt;") || !strings.Contains(text, "4999 EUR") {
		t.Error(text)
	}
}

func TestXMLCanBeRead(t *testing.T) {
	_, body := get(t, "xml")
	var document xmlStatement
	if err := xml.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	if document.Account != "acct_1" || len(document.Payments) != 2 || document.Payments[0].Minor != 4999 {
		t.Errorf("%+v", document)
	}
}

func TestZipHoldsTheTable(t *testing.T) {
	_, body := get(t, "zip")
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 || archive.File[0].Name != "statement.csv" || archive.File[0].UncompressedSize64 == 0 {
		t.Errorf("%+v", archive.File)
	}
}

func TestPNGHasABarForEachPayment(t *testing.T) {
	_, body := get(t, "png")
	chart, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got := chart.Bounds().Dx(); got != 25 {
		t.Errorf("%d pixels wide", got)
	}
}

func TestGobCanBeRead(t *testing.T) {
	_, body := get(t, "gob")
	var account processor.Account
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&account); err != nil || account.Recent[1].ID != "pay_2" {
		t.Errorf("%+v, %v", account, err)
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	if code, _ := get(t, "pdf"); code != 400 {
		t.Errorf("status %d", code)
	}
}
