package source

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// credentials are a user and its password. They never get into an error or a log.
type credentials struct{ user, password string }

// address is where a database is.
type address struct {
	dialect Dialect
	dsn     string // what the driver is given, credentials included
	path    string // SQLite: the file; empty in memory
	display string // without credentials
	notices []string
}

// ErrH2 says what to do about a source on H2.
var ErrH2 = errors.New(`H2 is a Java database: map the source to another with --map-datasource 'jdbc:h2:*=sqlite:var/samples.db', or postgres://… or mysql://…`)

// parseAddress reads an address; the credentials apply where it has none.
func parseAddress(s string, c credentials) (*address, error) {
	s = strings.TrimSpace(s)
	jdbc := strings.HasPrefix(s, "jdbc:")
	rest := strings.TrimPrefix(s, "jdbc:")
	kind, tail, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, fmt.Errorf("address %q is not understood", redactURL(s))
	}
	switch strings.ToLower(kind) {
	case "h2":
		return nil, ErrH2
	case "sqlite":
		return sqliteAddress(tail)
	case "postgresql", "postgres":
		return serverAddress(Postgres, tail, c, jdbc)
	case "mysql", "mariadb":
		return serverAddress(MySQL, strings.TrimPrefix(tail, "replication:"), c, jdbc)
	case "sqlserver", "microsoft", "jtds":
		if !jdbc {
			return sqlserverURL(tail, c)
		}
		return sqlserverJDBC(strings.TrimPrefix(tail, "sqlserver:"), c)
	}
	return nil, fmt.Errorf("databases of the kind %q are not supported: SQLite, PostgreSQL, MariaDB, MySQL and SQL Server are", kind)
}

func sqliteAddress(tail string) (*address, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(tail, "//"), "?")
	if path == "" {
		return nil, errors.New("the address of an SQLite database lacks its path")
	}
	a := &address{dialect: SQLite, path: path, display: "sqlite:" + path}
	if path == ":memory:" {
		a.path = ""
	}
	if query != "" {
		a.notices = append(a.notices, "the parameters of an SQLite address are ignored")
	}
	return a, nil
}

// serverAddress reads //[user[:password]@]host[:port]/database[?parameters].
func serverAddress(d Dialect, tail string, c credentials, jdbc bool) (*address, error) {
	if !strings.HasPrefix(tail, "//") {
		return nil, fmt.Errorf("the address of a %s database is not understood: want //host:port/database", d)
	}
	// MySQL's JDBC driver allows ; and & alike, and spaces, where a URL does not.
	u, err := url.Parse("db:" + tail)
	if err != nil {
		return nil, fmt.Errorf("the address of a %s database is not understood: want //host:port/database?name=value", d)
	}
	if u.User != nil {
		c.user = u.User.Username()
		c.password, _ = u.User.Password()
	}
	q := u.Query()
	if v := q.Get("user"); v != "" {
		c.user = v
	}
	if v := q.Get("password"); v != "" {
		c.password = v
	}
	q.Del("user")
	q.Del("password")
	database := strings.TrimPrefix(u.Path, "/")
	a := &address{dialect: d, display: fmt.Sprintf("%s://%s/%s", d, u.Host, database)}
	if d == Postgres {
		a.postgres(u.Host, database, c, q, jdbc)
	} else {
		a.mysql(u.Host, database, c, q)
	}
	return a, nil
}

// param is how a JDBC parameter becomes one of the driver's. An empty result
// drops it in silence.
type param func(value string) (name, to string)

func same(name string) param { return func(v string) (string, string) { return name, v } }

func drop(string) (string, string) { return "", "" }

func seconds(name string) param {
	return func(v string) (string, string) {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return name, v
		}
		return "", ""
	}
}

func millis(names ...string) param {
	return func(v string) (string, string) {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return strings.Join(names, ","), (time.Duration(n) * time.Millisecond).String()
		}
		return "", ""
	}
}

// translate turns JDBC's parameters into the driver's and notes the rest.
func (a *address) translate(q url.Values, known map[string]param) url.Values {
	to := url.Values{}
	names := make([]string, 0, len(q))
	for name := range q {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		p, ok := known[strings.ToLower(name)]
		if !ok {
			a.notices = append(a.notices, fmt.Sprintf("the parameter %q of the address means nothing here and is ignored", name))
			continue
		}
		if n, v := p(q.Get(name)); n != "" {
			for one := range strings.SplitSeq(n, ",") {
				to.Set(one, v)
			}
		}
	}
	return to
}

// connectTimeout bounds the making of a connection unless the address says
// otherwise, in seconds.
const connectTimeout = 10

func (a *address) postgres(host, database string, c credentials, q url.Values, jdbc bool) {
	known := map[string]param{
		"sslmode": same("sslmode"), "sslrootcert": same("sslrootcert"), "sslcert": same("sslcert"), "sslkey": same("sslkey"),
		"currentschema": same("search_path"), "search_path": same("search_path"),
		"applicationname": same("application_name"), "application_name": same("application_name"),
		"connecttimeout": seconds("connect_timeout"), "connect_timeout": seconds("connect_timeout"),
		"logintimeout": seconds("connect_timeout"), "host": same("host"), "port": same("port"),
		"targetservertype": func(v string) (string, string) {
			return "target_session_attrs", map[string]string{"primary": "read-write", "master": "read-write", "secondary": "standby"}[v]
		},
		"ssl": func(v string) (string, string) {
			if v == "true" || v == "" {
				return "sslmode", "require"
			}
			return "sslmode", "disable"
		},
		"stringtype": drop, "preparethreshold": drop, "rewritebatchedinserts": drop, "rewritebatchedstatements": drop,
		"tcpkeepalive": drop, "defaultrowfetchsize": drop, "binarytransfer": drop,
	}
	to := a.translate(q, known)
	for name, v := range to {
		if v[0] == "" {
			to.Del(name)
		}
	}
	if !to.Has("connect_timeout") {
		to.Set("connect_timeout", strconv.Itoa(connectTimeout))
	}
	if host == "" && jdbc {
		host = "localhost"
	}
	u := url.URL{Scheme: "postgres", Host: host, Path: "/" + database, RawQuery: to.Encode()}
	if c.user != "" {
		u.User = url.UserPassword(c.user, c.password)
	}
	a.dsn = u.String()
}

func (a *address) mysql(host, database string, c credentials, q url.Values) {
	tls := func(v string) func(string) (string, string) {
		return func(on string) (string, string) {
			if on == "true" {
				return "tls", v
			}
			return "", ""
		}
	}
	known := map[string]param{
		"usessl": tls("preferred"), "requiressl": tls("skip-verify"), "verifyservercertificate": tls("true"),
		"sslmode": func(v string) (string, string) {
			return "tls", map[string]string{
				"disabled": "false", "preferred": "preferred", "required": "skip-verify",
				"verify_ca": "true", "verify_identity": "true", "trust": "skip-verify", "verify-full": "true",
			}[strings.ToLower(v)]
		},
		"tls": same("tls"), "connecttimeout": millis("timeout"), "sockettimeout": millis("readTimeout", "writeTimeout"),
		"socket": same("socket"), "localsocket": same("socket"),
		"useaffectedrows": func(v string) (string, string) {
			return "clientFoundRows", strconv.FormatBool(v != "true")
		},
		"allowpublickeyretrieval": drop, "autoreconnect": drop, "useunicode": drop, "characterencoding": drop,
		"usejdbccomplianttimezoneshift": drop, "uselegacydatetimecode": drop, "cacheprepstmts": drop,
		"prepstmtcachesize": drop, "prepstmtcachesqllimit": drop, "useserverprepstmts": drop,
		"rewritebatchedstatements": drop, "relaxautocommit": drop, "nullcatalogmeanscurrent": drop,
	}
	to := a.translate(q, known)
	socket := to.Get("socket")
	to.Del("socket")
	if !to.Has("timeout") {
		to.Set("timeout", fmt.Sprintf("%ds", connectTimeout))
	}
	if !to.Has("clientFoundRows") {
		to.Set("clientFoundRows", "true") // rows found, as JDBC counts them, not rows changed
	}
	if to.Get("tls") == "" {
		to.Del("tls")
	}
	to.Set("charset", "utf8mb4")
	network := "tcp"
	if socket != "" {
		network, host = "unix", socket
	} else {
		host = hostPort(host, "3306")
	}
	var b strings.Builder
	b.WriteString(c.user)
	if c.password != "" {
		b.WriteString(":" + c.password)
	}
	fmt.Fprintf(&b, "@%s(%s)/%s?%s", network, host, url.PathEscape(database), to.Encode())
	a.dsn = b.String()
}

// hostPort completes a host.
func hostPort(host, port string) string {
	// JDBC allows a list of hosts; the first one is taken.
	host, _, _ = strings.Cut(host, ",")
	if host == "" {
		host = "localhost"
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
