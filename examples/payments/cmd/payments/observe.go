package main

import (
	"expvar"
	"sync"
	"sync/atomic"

	"example.com/payments/internal/idempotency"
	"example.com/payments/internal/metrics"
	"example.com/payments/internal/processor"
)

func gauges(p *processor.Processor, keys *idempotency.Keys) []metrics.Gauge {
	return []metrics.Gauge{
		{Name: "payments_stored", Help: "Payments in memory.", Read: func() float64 { return float64(p.Stats().Payments) }},
		{Name: "payments_waiting", Help: "Payments that wait for settlement.", Read: func() float64 { return float64(p.Stats().Waiting) }},
		{Name: "payments_settled", Help: "Payments settled since the start.", Read: func() float64 { return float64(p.Stats().Settled) }},
		{Name: "payments_idempotency_keys", Help: "Idempotency keys remembered.", Read: func() float64 { return float64(keys.Len()) }},
	}
}

// published is what /debug/vars shows under "payments": a process has one
// expvar page, whichever service started last.
var published atomic.Pointer[func() processor.Stats]

var publishOnce sync.Once

func publish(stats func() processor.Stats) {
	published.Store(&stats)
	publishOnce.Do(func() {
		expvar.Publish("payments", expvar.Func(func() any { return (*published.Load())() }))
	})
}
