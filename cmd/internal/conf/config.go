package conf

import "time"

// Config is the whole configuration. Make it with Load; the zero value is not
// valid, Default is. Paths are as written, relative to the working directory.
type Config struct {
	Listen       string `key:"listen" flag:"listen" help:"address of the plain HTTP listener, host:port; port 0 takes a free one; none, with tls.listen: https alone"`
	Services     string `key:"services" flag:"services" help:"folder of the data service descriptors (*.dbs)"`
	Data         string `key:"data" flag:"data" help:"folder of the embedded store and of everything else that the host writes"`
	Conf         string `key:"conf" flag:"conf" help:"folder of coordination-client-config.xml and tasks-config.xml"`
	Coordination string `key:"coordination" flag:"coordination" help:"the coordination configuration; empty: coordination-client-config.xml in the conf folder"`
	Node         string `key:"node" flag:"node" help:"name of this host in the cluster and in what it records; empty: the machine's name"`
	Socket       string `key:"socket" flag:"socket" help:"unix socket of the companion; empty: belfryd.sock in the data folder"`

	// TaskServerCount is how many servers there must be before tasks are
	// scheduled, once.
	TaskServerCount int `key:"task_server_count" flag:"task.server.count" min:"1" max:"1000" help:"servers that must be there before tasks are scheduled"`

	TLS       TLS       `key:"tls" help:"The https listener."`
	Auth      Auth      `key:"auth" help:"Who may call data services and programs' interfaces; without users_file and jwt.keys_file nobody is known."`
	ZooKeeper ZooKeeper `key:"zookeeper" help:"How a cluster's ZooKeeper is spoken to; which one is said in coordination-client-config.xml."`
	Log       Log       `key:"log" help:"What is logged, on standard error."`
	Deploy    Deploy    `key:"deploy" help:"How descriptors become services."`
	Describe  Describe  `key:"describe" help:"How data services are described to those who call them."`
	Limits    Limits    `key:"limits" help:"Bounds of the requests of each service."`
	Scheduler Scheduler `key:"scheduler" help:"How tasks fire."`
	Mail      Mail      `key:"mail" help:"How mailto: subscriptions are delivered."`
	Files     Files     `key:"files" help:"How CSV files and Excel workbooks are read."`
	Egress    Egress    `key:"egress" help:"Where the host calls on behalf of those who write tasks, subscriptions and data services."`
	Calls     Calls     `key:"tasks" help:"What tasks of other kinds than operation may do."`
	Webhook   Webhook   `key:"webhook" help:"How http: and https: subscriptions are delivered."`
	Events    Events    `key:"events" help:"How messages are sent, and sent again."`
	Inbox     Inbox     `key:"inbox" help:"What makes SQL operations effectively-once."`
	API       API       `key:"api" help:"The REST interface to tasks, below /api/v1."`
	Kafka     Kafka     `key:"kafka" help:"The Kafka topic from which task requests are taken."`
	Shutdown  Shutdown  `key:"shutdown" help:"How long a stop may take."`

	// DatasourceMap sends data sources to other databases; the first entry that
	// matches counts, those of the command line come first.
	DatasourceMap []Mapping `key:"datasource_map" flag:"map-datasource" help:"sends data sources, by JDBC URL or id, to other databases"`

	// ServiceLimits are bounds of single services; the first entry that matches counts.
	ServiceLimits []ServiceLimits `key:"service_limits" help:"bounds of some services, by name, in the place of those of limits"`

	// Tasks is tasks-config.xml; its zero value if there is none.
	Tasks TasksConfig
}

// TLS is the https listener.
type TLS struct {
	Listen     string `key:"listen" flag:"tls-listen" help:"address of the https listener, host:port; empty: there is none"`
	CertFile   string `key:"cert_file" help:"PEM file of its certificate and those that lead to an authority; read again when it changes"`
	KeyFile    string `key:"key_file" help:"PEM file of its key, readable by its owner alone; read again when it changes"`
	MinVersion string `key:"min_version" oneof:"1.2 1.3" help:"least version of TLS that is spoken"`
}

// Describe is how data services are described.
type Describe struct {
	PublicURL string `key:"public_url" help:"where clients reach the host, https://api.example.com, if a proxy stands before it; WSDL and OpenAPI lead there; empty: to where each request came"`
	Pages     bool   `key:"pages" help:"the pages below /services/ that list the services and have forms to try them"`
}

// Auth is how the host finds out who calls.
type Auth struct {
	UsersFile     string        `key:"users_file" help:"file of users and tokens, readable by its owner alone; read again when it changes; see belfryd users"`
	Realm         string        `key:"realm" help:"what a client is told that it logs in to"`
	AllowPlain    bool          `key:"allow_plain" help:"take credentials over plain HTTP from other machines too, as behind a proxy that speaks https"`
	Cache         time.Duration `key:"cache" min:"0s" max:"1h" help:"how long a verified password is remembered; 0s: not at all"`
	Hashes        int           `key:"hashes" min:"1" max:"64" help:"password hashes that are computed at the same time; each takes what it was made with, 19 MiB by default"`
	Failures      int           `key:"failures" min:"1" max:"1000000" help:"wrong credentials for a name from one address, beyond which 429 is answered; an address has ten times as many"`
	FailureWindow time.Duration `key:"failure_window" min:"1s" max:"24h" help:"time after which wrong credentials are forgotten"`
	JWT           JWT           `key:"jwt" help:"JSON Web Tokens that others have signed."`
}

// JWT says which JSON Web Tokens are taken.
type JWT struct {
	KeysFile    string   `key:"keys_file" help:"JWKS or PEM file of the keys that verify them; empty: none are taken; read again when it changes"`
	Algorithms  []string `key:"algorithms" help:"algorithms that they may be signed with: RS256, PS256, ES256, EdDSA, HS256 and their longer kin"`
	Issuer      string   `key:"issuer" help:"what their iss must be"`
	Audience    string   `key:"audience" help:"what their aud must hold"`
	NameClaim   string   `key:"name_claim" help:"claim that holds the caller's name; dots lead into objects"`
	RolesClaim  string   `key:"roles_claim" help:"claim that holds the roles"`
	ScopesClaim string   `key:"scopes_claim" help:"claim that holds the scopes"`
}

// ZooKeeper is how a cluster's ZooKeeper is spoken to. Which one, and for how long
// a session lives, is said in the original's coordination-client-config.xml.
type ZooKeeper struct {
	Root         string `key:"root" help:"znode under which everything of this cluster is"`
	User         string `key:"user" help:"name to authenticate with (digest); what is created is then closed to others; empty: open to all"`
	Password     Secret `key:"password" help:"its password; password_file is better"`
	PasswordFile string `key:"password_file" help:"file that holds the password, readable by its owner alone"`
	TLS          bool   `key:"tls" help:"speak TLS to the servers' secure port"`
	CAFile       string `key:"ca_file" help:"PEM file of the authorities that sign the servers' certificates; empty: the system's"`
	CertFile     string `key:"cert_file" help:"PEM file of this host's certificate, for servers that ask for one"`
	KeyFile      string `key:"key_file" help:"PEM file of its key, readable by its owner alone"`

	Wait time.Duration `key:"wait" min:"0s" max:"24h" help:"how long a host that starts waits for servers that do not answer, before it gives up; 0s: it tries once"`
}

// Log is what is logged, on standard error.
type Log struct {
	Level  string `key:"level" flag:"log-level" oneof:"debug info warn error" help:"least level that is logged"`
	Format string `key:"format" flag:"log-format" oneof:"text json" help:"form of the log lines"`
}

// Deploy is how descriptors become services.
type Deploy struct {
	Interval    time.Duration `key:"interval" min:"10ms" max:"1m" help:"time between two looks at the services folder"`
	Settle      time.Duration `key:"settle" min:"0s" max:"1m" help:"how long a file must rest before it is read"`
	Drain       time.Duration `key:"drain" min:"0s" max:"1h" help:"how long a replaced service may finish its requests"`
	MaxServices int           `key:"max_services" min:"1" max:"100000" help:"services that may be deployed"`
	Secrets     string        `key:"secrets" help:"folder of the secrets that data sources refer to by $file{name} or a secretAlias, each readable by its owner alone; empty: none"`
}

// Limits bound the requests of each service. ServiceLimits may change each of them
// for some services.
type Limits struct {
	Rows          int           `key:"rows" min:"1" max:"1000000000" help:"rows of one request, nested queries included"`
	QueryDepth    int           `key:"query_depth" min:"1" max:"100" help:"nesting of queries in results"`
	ArrayValues   int           `key:"array_values" min:"1" max:"100000" help:"values of one array parameter"`
	Held          Size          `key:"held" min:"1KiB" max:"1TiB" help:"size of a result that is kept until its transaction has ended"`
	Observations  int           `key:"observations" min:"1" max:"1000000" help:"times that one request may be shown to event triggers"`
	Body          Size          `key:"body" min:"1KiB" max:"1GiB" help:"size of a request's body"`
	Answer        Size          `key:"answer" min:"1KiB" max:"1TiB" help:"size of an answer"`
	RequestTime   time.Duration `key:"request_time" min:"10ms" max:"24h" help:"time of one request, its answer included"`
	StatementTime time.Duration `key:"statement_time" min:"10ms" max:"24h" help:"time of a statement whose descriptor sets no queryTimeout"`
	Concurrency   int           `key:"concurrency" min:"1" max:"1000000" help:"requests of one service at the same time, beyond which 429 is answered"`
	Rate          int           `key:"rate" min:"0" max:"1000000" help:"requests of one service in a second, beyond which 429 is answered; 0: any number"`
}

// Scheduler is how tasks fire.
type Scheduler struct {
	Workers          int           `key:"workers" min:"1" max:"100000" help:"runs at the same time on this host"`
	PerService       int           `key:"per_service" min:"0" max:"100000" help:"runs of one service at the same time; 0: as many as workers"`
	PerSource        int           `key:"per_source" min:"0" max:"100000" help:"runs on one data source at the same time; 0: as many as workers"`
	MisfireThreshold time.Duration `key:"misfire_threshold" min:"1ms" max:"24h" help:"lateness beyond which a firing is missed and its task's misfire policy decides"`
	CatchUp          int           `key:"catch_up" min:"1" max:"100000" help:"missed instants of a task that fire-all fires after one outage, oldest first"`
	CatchUpWindow    time.Duration `key:"catch_up_window" min:"1s" max:"8760h" help:"how far back fire-all looks"`
	Queue            int           `key:"queue" min:"1" max:"100000" help:"firings of one task that wait for the one before, with overlap queue"`
	Buckets          int           `key:"bucket_count" min:"1" max:"1000" help:"units of ownership that tasks are spread over; fixed when the store is created"`
}

// Mail is how mailto: subscriptions are delivered.
type Mail struct {
	Transport string `key:"transport" oneof:"folder smtp" help:"folder: each mail becomes an .eml file; smtp: it is sent"`
	Folder    string `key:"folder" help:"where the .eml files go; empty: mail in the data folder"`
	From      string `key:"from" help:"sender of every mail"`
	SMTP      SMTP   `key:"smtp" help:"The server that takes the mails."`
}

// SMTP is the server that takes the mails.
type SMTP struct {
	Host         string        `key:"host" help:"name or address of the mail server"`
	Port         int           `key:"port" min:"1" max:"65535" help:"its port; usually 587 with starttls, 465 with implicit, 25 with none"`
	TLS          string        `key:"tls" oneof:"starttls implicit none" help:"how the connection is protected"`
	User         string        `key:"user" help:"name to authenticate with; empty: none"`
	Password     Secret        `key:"password" help:"its password; password_file is better"`
	PasswordFile string        `key:"password_file" help:"file that holds the password, readable by its owner alone"`
	Timeout      time.Duration `key:"timeout" min:"100ms" max:"10m" help:"time of one delivery"`
}

// Files says how CSV files and Excel workbooks are read.
type Files struct {
	Folder string `key:"folder" help:"the only folder that they are read from, what is below it included, and what relative paths start from; empty: the services folder"`
	Size   Size   `key:"size" min:"1KiB" max:"1GiB" help:"size of a file, and of what a workbook unpacks to"`
}

// Egress says which addresses may be called. Link-local and metadata addresses,
// multicast and unspecified ones never may.
type Egress struct {
	Allow  []string `key:"allow" help:"internal addresses that may be called: loopback, private, an address or a network, with :port or without"`
	Closed bool     `key:"closed" help:"refuse public addresses too, but for those that allow names"`
}

// Calls says what tasks may do that call no operation of this host.
type Calls struct {
	Secrets   string `key:"secrets" help:"folder of the secrets that headers of tasks refer to by $file{name}, each readable by its owner alone; empty: none"`
	Answer    Size   `key:"answer" min:"1KiB" max:"64MiB" help:"size of an answer that is read; a longer one fails a call that looks at it"`
	Output    Size   `key:"output_bytes" min:"0" max:"4KiB" help:"size of what is kept of the answer to a run, of runs by hand and of tasks with output: true; 0: nothing"`
	Redirects int    `key:"redirects" min:"0" max:"10" help:"redirects that a call follows, each judged like the first address"`
	Proxy     string `key:"proxy" help:"HTTP proxy that calls go through; empty: none, whatever the environment names"`
	ReplyURL  string `key:"reply_url" help:"address below which replies to calls of tasks reach the hosts (https://tasks.example.org), such as a load balancer's; empty: that of each host's listener, the https one's if its certificate is for its address or the node's name"`
	Handlers  string `key:"handlers" flag:"handlers" help:"file of event handlers and timers (YAML); empty: none"`
}

// Webhook is how http: and https: subscriptions are delivered.
type Webhook struct {
	Secret       Secret        `key:"secret" help:"key that signs each message (HMAC-SHA256); empty: unsigned; secret_file is better"`
	SecretFile   string        `key:"secret_file" help:"file that holds the key, readable by its owner alone"`
	Timeout      time.Duration `key:"timeout" min:"100ms" max:"10m" help:"time of one delivery"`
	AllowPrivate bool          `key:"allow_private" help:"allow all targets on loopback and private addresses, beside those of egress.allow"`
}

// Events is how messages are delivered and retried.
type Events struct {
	Concurrency   int           `key:"concurrency" min:"1" max:"1000" help:"messages that are sent at the same time"`
	PerTarget     int           `key:"per_target" min:"1" max:"1000" help:"messages that are sent to one host at the same time; all mail is one"`
	Attempts      int           `key:"attempts" min:"1" max:"100000" help:"deliveries that are tried before a message is given up"`
	FirstRetry    time.Duration `key:"first_retry" min:"10ms" max:"24h" help:"wait before the second attempt; it doubles from there"`
	MaxRetry      time.Duration `key:"max_retry" min:"10ms" max:"168h" help:"longest wait between two attempts"`
	MaxAge        time.Duration `key:"max_age" min:"1m" max:"8760h" help:"age at which a message is given up"`
	DeadRetention time.Duration `key:"dead_retention" min:"1m" max:"8760h" help:"how long a message that was given up is kept to be seen"`
	AlertEvery    time.Duration `key:"alert_every" min:"0s" max:"24h" help:"part of the clock in which alerts of one kind about one task are worth one message; 0s: each is"`
}

// Inbox is what makes SQL operations effectively-once.
type Inbox struct {
	Enabled   bool          `key:"enabled" help:"record the fire id of a scheduled operation in the transaction of its effect"`
	Table     string        `key:"table" help:"table of the data source that holds the fire ids"`
	Retention time.Duration `key:"retention" min:"1h" max:"8760h" help:"how long they are kept; a firing claimed before that is refused"`
}

// Shutdown bounds how long a stop takes.
type Shutdown struct {
	SoftStop time.Duration `key:"soft_stop" min:"0s" max:"1h" help:"how long runs and requests may finish before they are cancelled"`
	HardStop time.Duration `key:"hard_stop" min:"100ms" max:"2h" help:"how long the whole stop may take before the process ends"`
}

// Default is the configuration when nothing says otherwise.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8280", Services: "configs/services", Data: "var", Conf: "configs", TaskServerCount: 1,
		TLS: TLS{MinVersion: "1.2"}, Describe: Describe{Pages: true},
		Auth: Auth{
			Realm: "belfry", Cache: time.Minute, Hashes: 2, Failures: 30, FailureWindow: 5 * time.Minute,
			JWT: JWT{Algorithms: []string{"RS256"}, NameClaim: "sub", RolesClaim: "roles", ScopesClaim: "scope"},
		},
		ZooKeeper: ZooKeeper{Root: "/belfry", Wait: time.Minute},
		Log:       Log{Level: "info", Format: "text"},
		Deploy:    Deploy{Interval: time.Second, Settle: 150 * time.Millisecond, Drain: 5 * time.Minute, MaxServices: 1000},
		Limits: Limits{
			Rows: 100_000, QueryDepth: 8, ArrayValues: 1000, Held: 32 * MiB, Observations: 1000, Body: MiB, Answer: 256 * MiB,
			RequestTime: time.Minute, StatementTime: 30 * time.Second, Concurrency: 512,
		},
		Scheduler: Scheduler{
			Workers: 256, MisfireThreshold: time.Minute, CatchUp: 100, CatchUpWindow: 24 * time.Hour, Queue: 200,
			Buckets: 256,
		},
		Mail: Mail{
			Transport: "folder", From: "belfry@localhost",
			SMTP: SMTP{Port: 587, TLS: "starttls", Timeout: 30 * time.Second},
		},
		Calls:   Calls{Answer: MiB, Output: KiB, Redirects: 3},
		Files:   Files{Size: 64 * MiB},
		Webhook: Webhook{Timeout: 10 * time.Second},
		Events: Events{
			Concurrency: 8, PerTarget: 2, Attempts: 1000, FirstRetry: 2 * time.Second, MaxRetry: 10 * time.Minute,
			MaxAge: 72 * time.Hour, DeadRetention: 30 * 24 * time.Hour, AlertEvery: 5 * time.Minute,
		},
		Inbox:    Inbox{Enabled: true, Table: "belfry_inbox", Retention: 7 * 24 * time.Hour},
		API:      defaultAPI(),
		Kafka:    defaultKafka(),
		Shutdown: Shutdown{SoftStop: 20 * time.Second, HardStop: 30 * time.Second},
	}
}
