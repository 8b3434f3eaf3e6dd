//go:build export

package main

import (
	"net/http"

	"example.com/orders/internal/export"
	"example.com/orders/internal/store"
)

func init() {
	addExport = func(mux *http.ServeMux, orders *store.Store) {
		mux.Handle("GET /export", export.Handler(orders.Get))
	}
}
