// Package api is the HTTP face of the service, in JSON or MessagePack as the
// caller's Content-Type and Accept say.
//
//	GET  /products
//	POST /orders
//	GET  /orders/{id}
//	POST /orders/{id}/cancel
//	GET  /customers/{customer}/orders
package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"example.com/orders/internal/order"
	"example.com/orders/internal/store"
)

// latestOrders is how many orders of a customer are shown.
const latestOrders = 10

// Orders is what the API needs of a store.
type Orders interface {
	Add(order.Order) error
	Get(uuid.UUID) (order.Order, error)
	Change(uuid.UUID, func(*order.Order) error) (order.Order, error)
	Latest(customer string, limit int) ([]order.Order, error)
}

// Options are what an API is made of.
type Options struct {
	Orders   Orders
	Offer    func(uuid.UUID) bool // hands a new order to the packers
	Log      zerolog.Logger
	Registry prometheus.Registerer
	Now      func() time.Time
}

type api struct {
	Options
}

// Handler routes requests.
func Handler(options Options) http.Handler {
	a := &api{options}
	r := chi.NewRouter()
	r.Use(observe(newMetrics(options.Registry), options.Log), middleware.Recoverer)
	r.Get("/products", a.answer(a.products))
	r.Post("/orders", a.answer(a.place))
	r.Get("/orders/{id}", a.answer(a.get))
	r.Post("/orders/{id}/cancel", a.answer(a.cancel))
	r.Get("/customers/{customer}/orders", a.answer(a.latest))
	return r
}

func (a *api) products(http.ResponseWriter, *http.Request) (int, any, error) {
	return http.StatusOK, order.Catalogue(), nil
}

func (a *api) place(w http.ResponseWriter, r *http.Request) (int, any, error) {
	var request order.Request
	if err := decode(w, r, &request); err != nil {
		return 0, nil, err
	}
	placed, err := order.New(request, a.Now())
	if err != nil {
		return 0, nil, err
	}
	if err := a.Orders.Add(placed); err != nil {
		return 0, nil, err
	}
	if !a.Offer(placed.ID) {
		a.Log.Warn().Stringer("order", placed.ID).Msg("the packers' queue is full")
	}
	w.Header().Set("Location", "/orders/"+placed.ID.String())
	return http.StatusCreated, placed, nil
}

func (a *api) get(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	id, err := uuid.Parse(chi.URLParam(r, "id"))
	if err != nil {
		return 0, nil, store.ErrNotFound
	}
	found, err := a.Orders.Get(id)
	return http.StatusOK, found, err
}

func (a *api) cancel(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	id, err := uuid.Parse(chi.URLParam(r, "id"))
	if err != nil {
		return 0, nil, store.ErrNotFound
	}
	cancelled, err := a.Orders.Change(id, func(o *order.Order) error { return o.Move(order.Cancelled) })
	return http.StatusOK, cancelled, err
}

func (a *api) latest(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	latest, err := a.Orders.Latest(chi.URLParam(r, "customer"), latestOrders)
	return http.StatusOK, latest, err
}

// statusOf says how an error is told; 500 when it is our own fault.
func statusOf(err error) int {
	switch {
	case errors.Is(err, order.ErrInvalid):
		return http.StatusUnprocessableEntity
	case errors.Is(err, errMalformed):
		return http.StatusBadRequest
	case errors.Is(err, errLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, order.ErrNotPlaced):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
