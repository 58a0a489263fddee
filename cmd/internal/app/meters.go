package app

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/engine"
)

// meters is what /metrics shows. plugin is set before anybody asks.
type meters struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	plugin   *plugin.Plugin
}

func newMeters() *meters {
	m := &meters{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "belfry_requests_total", Help: "Requests of data services by service and HTTP status.",
		}, []string{"service", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "belfry_request_seconds", Help: "Time of requests of data services.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}, []string{"service"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m)
	return m
}

func (m *meters) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// served hears of every request.
func (m *meters) served(s exchange.Served) {
	m.requests.WithLabelValues(s.Service, strconv.Itoa(s.Status)).Inc()
	m.seconds.WithLabelValues(s.Service).Observe(s.Duration.Seconds())
}

var (
	descRuns     = prometheus.NewDesc("belfry_runs_total", "Settled runs by outcome, every attempt counted.", []string{"outcome"}, nil)
	descClaims   = prometheus.NewDesc("belfry_claims_total", "Committed claims: first attempts and further ones.", []string{"kind"}, nil)
	descSkips    = prometheus.NewDesc("belfry_skips_total", "Committed decisions not to run, each of one instant or a range.", nil, nil)
	descBatches  = prometheus.NewDesc("belfry_batches_total", "Committed batches of the claim log.", nil, nil)
	descLost     = prometheus.NewDesc("belfry_buckets_lost_total", "Buckets lost without being given up.", nil, nil)
	descRunning  = prometheus.NewDesc("belfry_runs_running", "Runs going now.", nil, nil)
	descOwned    = prometheus.NewDesc("belfry_buckets_owned", "Buckets owned now.", nil, nil)
	descLateness = prometheus.NewDesc("belfry_lateness_seconds", "From the scheduled instant to the start of the first attempt.", nil, nil)
	descCommit   = prometheus.NewDesc("belfry_commit_seconds", "Time of commits of the claim log.", nil, nil)
	descStoreUp  = prometheus.NewDesc("belfry_store_up", "1: the coordination store is reached and takes claims; 0: nothing fires here.", nil, nil)
	descRefused  = prometheus.NewDesc("belfry_commit_failures_total", "Commits of the claim log that the store did not take, or may not have taken.", nil, nil)
	descMessages = prometheus.NewDesc("belfry_messages_total", "Messages sent, attempts that failed, messages given up.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (m *meters) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descRuns, descClaims, descSkips, descBatches, descLost, descRunning, descOwned, descLateness, descCommit, descMessages, descStoreUp, descRefused,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *meters) Collect(ch chan<- prometheus.Metric) {
	e, sent := m.plugin.Metrics(), m.plugin.Deliveries()
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	counter(descRuns, e.OK.Load(), "ok")
	counter(descRuns, e.Failed.Load(), "failed")
	counter(descRuns, e.TimedOut.Load(), "timed_out")
	counter(descRuns, e.Interrupt.Load(), "interrupted")
	counter(descRuns, e.Unknown.Load(), "unknown")
	counter(descRuns, e.Cancelled.Load(), "cancelled")
	counter(descClaims, e.Claims.Load(), "first")
	counter(descClaims, e.Reclaims.Load(), "again")
	counter(descSkips, e.Skips.Load())
	counter(descBatches, e.Batches.Load())
	counter(descLost, e.Lost.Load())
	counter(descRefused, m.plugin.FailedCommits())
	up := 0.0
	if state, _ := m.plugin.Link().State(); state == coordclient.Healthy && m.plugin.Trouble() == "" {
		up = 1
	}
	ch <- prometheus.MustNewConstMetric(descStoreUp, prometheus.GaugeValue, up)
	counter(descMessages, sent.Sent, "sent")
	counter(descMessages, sent.Failed, "failed")
	counter(descMessages, sent.Dead, "dead")
	ch <- prometheus.MustNewConstMetric(descRunning, prometheus.GaugeValue, float64(e.Running.Load()))
	ch <- prometheus.MustNewConstMetric(descOwned, prometheus.GaugeValue, float64(e.Owned.Load()))
	histogram(ch, descLateness, &e.Lateness)
	histogram(ch, descCommit, &e.Commit)
}

func histogram(ch chan<- prometheus.Metric, d *prometheus.Desc, h *engine.Histogram) {
	atMost, count, sum := h.Read()
	buckets := make(map[float64]uint64, len(atMost))
	for bound, n := range atMost {
		buckets[bound.Seconds()] = uint64(n)
	}
	ch <- prometheus.MustNewConstHistogram(d, uint64(count), sum.Seconds(), buckets)
}
