package conf

import (
	"slices"
	"time"
)

// API is the REST interface to tasks.
type API struct {
	Requests  int           `key:"requests" min:"1" max:"100000" help:"requests to the task API at the same time, beyond which 429 is answered"`
	Body      Size          `key:"body" min:"1KiB" max:"1GiB" help:"size of a request's body"`
	Time      time.Duration `key:"time" min:"100ms" max:"1h" help:"time of one request"`
	Bulk      int           `key:"bulk" min:"1" max:"1000000" help:"orders of one bulk"`
	BulkBody  Size          `key:"bulk_body" min:"1KiB" max:"1GiB" help:"size of a bulk's body"`
	BulkTime  time.Duration `key:"bulk_time" min:"1s" max:"24h" help:"time of one bulk"`
	Retention time.Duration `key:"retention" min:"1m" max:"8760h" help:"how long idempotency keys are remembered"`
}

// Kafka is the topic from which task requests are taken.
type Kafka struct {
	Brokers      []string `key:"brokers" help:"host:port of the brokers to begin with; empty: nothing is taken from Kafka"`
	Topic        string   `key:"topic" help:"topic of the task requests"`
	Group        string   `key:"group" help:"consumer group that the hosts are together"`
	DeadLetter   string   `key:"dead_letter" help:"topic for requests that were refused; empty: they are reported and dropped"`
	TLS          bool     `key:"tls" help:"speak TLS to the brokers"`
	CAFile       string   `key:"ca_file" help:"PEM file of the authorities that sign the brokers' certificates; empty: the system's"`
	CertFile     string   `key:"cert_file" help:"PEM file of this host's certificate, for brokers that ask for one"`
	KeyFile      string   `key:"key_file" help:"PEM file of its key, readable by its owner alone"`
	Mechanism    string   `key:"mechanism" oneof:"plain scram-sha-256 scram-sha-512" help:"how user and password are sent (SASL)"`
	User         string   `key:"user" help:"name to authenticate with; empty: none"`
	Password     Secret   `key:"password" help:"its password; password_file is better"`
	PasswordFile string   `key:"password_file" help:"file that holds the password, readable by its owner alone"`
}

func defaultAPI() API {
	return API{Requests: 64, Body: MiB, Time: 30 * time.Second, Bulk: 10_000, BulkBody: 32 * MiB, BulkTime: 10 * time.Minute, Retention: 24 * time.Hour}
}

func defaultKafka() Kafka {
	return Kafka{Topic: "belfry-tasks", Group: "belfry", DeadLetter: "belfry-tasks-refused", Mechanism: "scram-sha-512"}
}

func (l *loader) checkKafka() {
	k := l.config.Kafka
	if len(k.Brokers) == 0 {
		return
	}
	if k.Topic == "" || k.Group == "" {
		l.addf(l.at("kafka.brokers"), "kafka.brokers is given, but kafka.topic or kafka.group is empty")
	}
	if k.Topic == k.DeadLetter {
		l.addf(l.at("kafka.dead_letter"), "kafka.dead_letter: %q is the topic itself", k.DeadLetter)
	}
	if slices.Contains(k.Brokers, "") {
		l.addf(l.at("kafka.brokers"), "kafka.brokers: one is empty")
	}
	for key, file := range map[string]string{"ca_file": k.CAFile, "cert_file": k.CertFile, "key_file": k.KeyFile} {
		if file != "" && !k.TLS {
			l.addf(l.at("kafka."+key), "kafka.%s means something only with kafka.tls: true", key)
		}
	}
	if (k.CertFile == "") != (k.KeyFile == "") {
		l.addf(l.at("kafka.cert_file"), "kafka.cert_file and kafka.key_file belong together")
	}
	if k.Password != "" && k.User == "" {
		l.addf(l.at("kafka.password"), "kafka.password is given without kafka.user")
	}
}
