package app

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/host"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/engine"
)

// meters is what /metrics shows. plugin is set before anybody asks.
type meters struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	version  string
	services interface{ Services() []host.View }
	plugin   *plugin.Plugin
}

func newMeters(version string) *meters {
	m := &meters{
		version:  version,
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

// outdated: a service is served, but not as its file says now.
const outdated host.State = "outdated"

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
	descLeading  = prometheus.NewDesc("belfry_leading", "1: this host leads the group and places its tasks; 0: another does, or none.", nil, nil)
	descBuckets  = prometheus.NewDesc("belfry_buckets", "Buckets of the group: what its hosts own together when all is well; 0: this host is not in it.", nil, nil)
	descServices = prometheus.NewDesc("belfry_services", "Data services of this host by state.", []string{"state"}, nil)
	descBuild    = prometheus.NewDesc("belfry_build_info", "1; the version of belfryd.", []string{"version"}, nil)
	descRefused  = prometheus.NewDesc("belfry_commit_failures_total", "Commits of the claim log that the store did not take, or may not have taken.", nil, nil)
	descMessages = prometheus.NewDesc("belfry_messages_total", "Messages sent, attempts that failed, messages given up.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (m *meters) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descRuns, descClaims, descSkips, descBatches, descLost, descRunning, descOwned, descLateness, descCommit, descMessages, descStoreUp, descRefused,
		descLeading, descBuckets, descServices, descBuild,
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
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	state, _ := m.plugin.Link().State()
	gauge(descStoreUp, truth(state == coordclient.Healthy && m.plugin.Trouble() == ""))
	counter(descMessages, sent.Sent, "sent")
	counter(descMessages, sent.Failed, "failed")
	counter(descMessages, sent.Dead, "dead")
	gauge(descRunning, float64(e.Running.Load()))
	gauge(descOwned, float64(e.Owned.Load()))
	gauge(descBuckets, float64(m.plugin.Buckets()))
	status, joined := m.plugin.Status()
	gauge(descLeading, truth(joined && status.Leading))
	states := map[host.State]int{host.Active: 0, host.Inactive: 0, host.Failed: 0, outdated: 0}
	for _, s := range m.services.Services() {
		if s.State != host.Failed && s.Error != "" {
			s.State = outdated
		}
		states[s.State]++
	}
	for state, n := range states {
		gauge(descServices, float64(n), string(state))
	}
	gauge(descBuild, 1, m.version)
	histogram(ch, descLateness, &e.Lateness)
	histogram(ch, descCommit, &e.Commit)
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func histogram(ch chan<- prometheus.Metric, d *prometheus.Desc, h *engine.Histogram) {
	atMost, count, sum := h.Read()
	buckets := make(map[float64]uint64, len(atMost))
	for bound, n := range atMost {
		buckets[bound.Seconds()] = uint64(n)
	}
	ch <- prometheus.MustNewConstHistogram(d, uint64(count), sum.Seconds(), buckets)
}
