package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"axiom25/server/fanout"
)

// Streams are left out of the durations: they last as long as their runs, or longer.
const streamRoute, streamsRoute = "/runs/{id}/stream", "/stream"

// metrics are what /metrics shows. Labels have a closed set of values: route templates, known methods, status codes.
type metrics struct {
	page      http.Handler
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	streams   *prometheus.CounterVec
	admitted  *prometheus.CounterVec
	shed      *prometheus.CounterVec
}

func newMetrics(hub *fanout.Hub, admission *admission, version string) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "axiom25_http_requests_total", Help: "Requests that were answered.",
		}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "axiom25_http_request_seconds", Help: "Time from a request's head to the end of its answer, streams left out.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30},
		}, []string{"route"}),
		streams: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "axiom25_streams_ended_total", Help: "Streams that ended, by why: done, gone, slow, closing, failed, shed.",
		}, []string{"reason"}),
		admitted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "axiom25_streams_admitted_total", Help: "Streams that were let in, by what they show: run, runs, list.",
		}, []string{"kind"}),
		shed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "axiom25_streams_shed_total",
			Help: "Streams that were turned away, by why: viewers, rate, replay, closing, journal.",
		}, []string{"reason"}),
	}
	gauge := func(name, help string, value func(fanout.Stats) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			return float64(value(hub.Stats()))
		})
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		m.requests, m.durations, m.streams, m.admitted, m.shed,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "axiom25_viewers", Help: "Streams that are open, and requests that wait for events.",
		}, func() float64 { return float64(admission.viewers()) }),
		gauge("axiom25_viewer_lag_events", "Events that the viewer who is furthest behind has not taken yet.",
			func(s fanout.Stats) int { return int(s.Lag) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "axiom25_replayed_bytes_total", Help: "Bytes that viewers were given from the journal rather than from memory.",
		}, func() float64 { return float64(hub.Stats().Replayed) }),
		gauge("axiom25_watched_runs", "Runs that somebody watches.", func(s fanout.Stats) int { return s.Runs }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "axiom25_events_stored_total", Help: "Events that were stored since the server started.",
		}, func() float64 { return float64(hub.Stats().Published) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "axiom25_build_info", Help: "1, with the server's version.", ConstLabels: prometheus.Labels{"version": version},
		}, func() float64 { return 1 }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.page = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// observe counts one answered request.
func (m *metrics) observe(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	if route != streamRoute && route != streamsRoute {
		m.durations.WithLabelValues(route).Observe(took.Seconds())
	}
}

// showMetrics answers GET /metrics in the formats of Prometheus.
func (a *API) showMetrics(w http.ResponseWriter, r *http.Request) error {
	a.metrics.page.ServeHTTP(w, r)
	return nil
}
