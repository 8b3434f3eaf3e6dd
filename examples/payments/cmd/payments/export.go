//go:build export

package main

import (
	"net/http"

	"example.com/payments/internal/export"
	"example.com/payments/internal/processor"
)

func init() {
	addExport = func(mux *http.ServeMux, p *processor.Processor) {
		mux.Handle("/export", export.Handler(p.Account))
	}
}
