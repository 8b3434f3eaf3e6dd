package metrics

import (
	"bytes"
	"net/http"
	"strconv"
)

// contentType is that of the Prometheus text format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// Gauge is a value of the service's own that is read when the page is.
type Gauge struct {
	Name string
	Help string
	Read func() float64
}

// Handler serves the page: requests, gauges, the Go runtime.
func Handler(requests *Requests, gauges []Gauge) http.Handler {
	runtime := newRuntime()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var page page
		requests.write(&page)
		for _, gauge := range gauges {
			page.gauge(gauge.Name, gauge.Help, gauge.Read())
		}
		runtime.write(&page)
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(page.text.Bytes()) // a scraper that went away needs no answer
	})
}

// page is text in the making. Label values here hold nothing that needs an
// escape.
type page struct {
	text bytes.Buffer
}

func (p *page) family(name, kind, help string) {
	p.text.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// sample writes one line; labels are names and values in turn.
func (p *page) sample(name string, value float64, labels ...string) {
	p.text.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		open := ","
		if i == 0 {
			open = "{"
		}
		p.text.WriteString(open + labels[i] + `="` + labels[i+1] + `"`)
	}
	if len(labels) > 0 {
		p.text.WriteByte('}')
	}
	p.text.WriteByte(' ')
	p.text.Write(strconv.AppendFloat(nil, value, 'g', -1, 64))
	p.text.WriteByte('\n')
}

func (p *page) gauge(name, help string, value float64) {
	p.family(name, "gauge", help)
	p.sample(name, value)
}

func (p *page) counter(name, help string, value float64) {
	p.family(name, "counter", help)
	p.sample(name, value)
}
