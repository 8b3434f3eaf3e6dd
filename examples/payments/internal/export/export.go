// Package export writes account statements in the formats that customers ask
// for. It is the feature that makes a binary grow: a few lines of its own that
// pull in templates, XML, images and archives from the standard library.
package export

import (
	"archive/zip"
	"encoding/csv"
	"encoding/gob"
	"encoding/xml"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strconv"

	"example.com/payments/internal/payment"
	"example.com/payments/internal/processor"
)

type writer struct {
	contentType string
	write       func(io.Writer, processor.Account) error
}

// Handler serves GET ?account=NAME&format=html|xml|zip|png|gob.
func Handler(account func(name string) processor.Account) http.Handler {
	page := template.Must(template.New("statement").Parse(statement))
	writers := map[string]writer{
		"html": {"text/html; charset=utf-8", func(w io.Writer, a processor.Account) error { return page.Execute(w, a) }},
		"xml":  {"application/xml", writeXML},
		"zip":  {"application/zip", writeZip},
		"png":  {"image/png", writePNG},
		"gob":  {"application/octet-stream", func(w io.Writer, a processor.Account) error { return gob.NewEncoder(w).Encode(a) }},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		format, ok := writers[query.Get("format")]
		if !ok {
			http.Error(w, "format must be html, xml, zip, png or gob", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", format.contentType)
		if err := format.write(w, account(query.Get("account"))); err != nil {
			panic(http.ErrAbortHandler) // the status is sent: only a cut connection says that this is not whole
		}
	})
}

const statement = `<!doctype html><title>{{.Name}}</title><h1>{{.Name}}</h1>
<table>{{range .Recent}}<tr><td>{{.ID}}<td>{{.Reference}}<td>{{.Amount.Minor}} {{.Amount.Currency}}<td>{{.Status}}{{end}}</table>
`

type xmlStatement struct {
	XMLName  xml.Name     `xml:"statement"`
	Account  string       `xml:"account,attr"`
	Payments []xmlPayment `xml:"payment"`
}

type xmlPayment struct {
	ID       payment.ID     `xml:"id,attr"`
	Status   payment.Status `xml:"status,attr"`
	Minor    int64          `xml:"minor"`
	Currency string         `xml:"currency"`
}

func writeXML(w io.Writer, account processor.Account) error {
	document := xmlStatement{Account: account.Name}
	for _, p := range account.Recent {
		document.Payments = append(document.Payments, xmlPayment{p.ID, p.Status, p.Amount.Minor, p.Amount.Currency})
	}
	return xml.NewEncoder(w).Encode(document)
}

func writeZip(w io.Writer, account processor.Account) error {
	archive := zip.NewWriter(w)
	file, err := archive.Create("statement.csv")
	if err != nil {
		return fmt.Errorf("statement.csv: %w", err)
	}
	table := csv.NewWriter(file)
	for _, p := range account.Recent {
		_ = table.Write([]string{string(p.ID), p.Reference, strconv.FormatInt(p.Amount.Minor, 10), p.Amount.Currency}) // Error tells
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return fmt.Errorf("statement.csv: %w", err)
	}
	return archive.Close()
}

// writePNG draws one bar for each payment, as tall as its amount.
func writePNG(w io.Writer, account processor.Account) error {
	const barWidth, height = 12, 64
	largest := int64(1)
	for _, p := range account.Recent {
		largest = max(largest, p.Amount.Minor)
	}
	chart := image.NewRGBA(image.Rect(0, 0, barWidth*len(account.Recent)+1, height))
	for i, p := range account.Recent {
		for y := int(height - p.Amount.Minor*height/largest); y < height; y++ {
			for x := 1; x < barWidth; x++ {
				chart.SetRGBA(i*barWidth+x, y, color.RGBA{B: 160, A: 255})
			}
		}
	}
	return png.Encode(w, chart)
}
