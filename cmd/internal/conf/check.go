package conf

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/cmd/internal/egress"
)

// check refuses values that only their combination makes wrong.
func (l *loader) check() {
	c := &l.config
	l.checkListeners()
	l.checkPublicURL()
	l.checkAuth()
	for key, value := range map[string]string{"services": c.Services, "data": c.Data, "conf": c.Conf} {
		if value == "" {
			l.addf(l.at(key), "%s: it must not be empty", key)
		}
	}
	if !nodeName.MatchString(c.Node) && (!l.alone || c.Node != "") {
		l.addf(l.at("node"), "node: %q must be letters, digits, - . _, at most 64", c.Node)
	}
	if len(c.Socket) > maxSocket {
		l.addf(l.at("socket"), "socket: the path has %d bytes, a unix socket's has at most %d; name a shorter one with --socket", len(c.Socket), maxSocket)
	}
	if !tableName.MatchString(c.Inbox.Table) {
		l.addf(l.at("inbox.table"), "inbox.table: %q must be a letter and then letters, digits, _ (schema.table works)", c.Inbox.Table)
	}
	if _, err := egress.ParseRules(c.Egress.Allow); err != nil {
		l.addf(l.at("egress.allow"), "egress.allow: %v", err)
	}
	l.checkKafka()
	if u, err := url.Parse(c.Calls.Proxy); c.Calls.Proxy != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil) {
		l.addf(l.at("tasks.proxy"), "tasks.proxy: %q is not an address like http://proxy:3128", c.Calls.Proxy)
	}
	if u, err := url.Parse(c.Calls.ReplyURL); c.Calls.ReplyURL != "" &&
		(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		l.addf(l.at("tasks.reply_url"), "tasks.reply_url: %q is not an address like https://tasks.example.org", c.Calls.ReplyURL)
	}
	if c.Mail.Transport == "smtp" && c.Mail.SMTP.Host == "" {
		l.addf(l.at("mail.transport"), "mail.transport is smtp, but mail.smtp.host is empty")
	}
	if from := c.Mail.From; !validAddress(from) {
		l.addf(l.at("mail.from"), "mail.from: %q is not a mail address", from)
	}
	if c.Mail.SMTP.Password != "" && c.Mail.SMTP.User == "" {
		l.addf(l.at("mail.smtp.password"), "mail.smtp.password is given without mail.smtp.user")
	}
	if z := c.ZooKeeper; z.Password != "" && z.User == "" {
		l.addf(l.at("zookeeper.password"), "zookeeper.password is given without zookeeper.user")
	}
	for key, file := range map[string]string{"ca_file": c.ZooKeeper.CAFile, "cert_file": c.ZooKeeper.CertFile, "key_file": c.ZooKeeper.KeyFile} {
		if file != "" && !c.ZooKeeper.TLS {
			l.addf(l.at("zookeeper."+key), "zookeeper.%s means something only with zookeeper.tls: true", key)
		}
	}
	if z := c.ZooKeeper; (z.CertFile == "") != (z.KeyFile == "") {
		l.addf(l.at("zookeeper.cert_file"), "zookeeper.cert_file and zookeeper.key_file belong together")
	}
	if z := c.ZooKeeper; !strings.HasPrefix(z.Root, "/") || z.Root != "/" && strings.HasSuffix(z.Root, "/") {
		l.addf(l.at("zookeeper.root"), "zookeeper.root: %q is not a path like /belfry", z.Root)
	}
	if c.Shutdown.HardStop < c.Shutdown.SoftStop {
		l.addf(l.at("shutdown.hard_stop"), "shutdown.hard_stop %s is shorter than shutdown.soft_stop %s", writeDuration(c.Shutdown.HardStop), writeDuration(c.Shutdown.SoftStop))
	}
	if c.Events.MaxRetry < c.Events.FirstRetry {
		l.addf(l.at("events.max_retry"), "events.max_retry %s is shorter than events.first_retry %s", writeDuration(c.Events.MaxRetry), writeDuration(c.Events.FirstRetry))
	}
}

// checkListeners refuses a host that nobody can reach, and half a TLS.
func (l *loader) checkListeners() {
	c := &l.config
	if c.TLS.Listen == "" || c.Listen != PlainOff {
		l.checkAddress("listen", c.Listen)
	}
	if c.TLS.Listen == "" {
		return
	}
	l.checkAddress("tls.listen", c.TLS.Listen)
	if c.TLS.CertFile == "" || c.TLS.KeyFile == "" {
		l.addf(l.at("tls.listen"), "tls.listen needs tls.cert_file and tls.key_file")
	}
}

// checkPublicURL refuses an address that would lead nowhere.
func (l *loader) checkPublicURL() {
	given := l.config.Describe.PublicURL
	if given == "" {
		return
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		l.addf(l.at("describe.public_url"), "describe.public_url: %q is not like https://api.example.com", given)
	}
}

// PlainOff is the value of listen that closes the plain listener.
const PlainOff = "none"

func (l *loader) checkAddress(key, address string) {
	if _, port, err := net.SplitHostPort(address); err != nil {
		l.addf(l.at(key), "%s: %q is not host:port", key, address)
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		l.addf(l.at(key), "%s: port %q is not between 0 and 65535", key, port)
	}
}

// checkAuth refuses tokens that would be taken from anybody.
func (l *loader) checkAuth() {
	j := l.config.Auth.JWT
	if j.KeysFile == "" {
		return
	}
	for key, value := range map[string]string{"issuer": j.Issuer, "audience": j.Audience, "name_claim": j.NameClaim, "roles_claim": j.RolesClaim, "scopes_claim": j.ScopesClaim} {
		if value == "" {
			l.addf(l.at("auth.jwt.keys_file"), "auth.jwt.keys_file needs auth.jwt.%s", key)
		}
	}
	if len(j.Algorithms) == 0 {
		l.addf(l.at("auth.jwt.algorithms"), "auth.jwt.algorithms: it must not be empty")
	}
}

// at gives the place of a key's value for a message.
func (l *loader) at(key string) Origin {
	o := l.origins[key]
	if o.Where == "" {
		o.Where = key
		if l.file != "" {
			o.Where = l.file
		}
	}
	return o
}

// strayVariables warns of variables that are nearly settings. Others that begin
// with BELFRY_ belong to the companion and to tests.
func (l *loader) strayVariables() {
	known := map[string]bool{}
	for _, k := range Keys() {
		known[k.Env] = true
	}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "BELFRY_") || known[name] || len(name) > 64 {
			continue
		}
		for _, k := range Keys() {
			if distance(name, k.Env) <= 2 {
				l.warnings = append(l.warnings, fmt.Sprintf("environment variable %s is not a setting and has no effect; did you mean %q?", name, k.Env))
				break
			}
		}
	}
}

// CheckServerCount judges the task server count of a host that is alone, that
// is, without coordination: more than one server will never be there. It is an
// error, unless only the original's file says it.
func CheckServerCount(count int, origin Origin) (warning string, err error) {
	switch {
	case count <= 1:
		return "", nil
	case origin.Source == FromTasks:
		return fmt.Sprintf("%s: taskServerCount is %d, but this host is alone (coordination is not enabled); tasks are scheduled at once", origin, count), nil
	}
	return "", fmt.Errorf("%s: the task server count is %d, but this host is alone: enable coordination in coordination-client-config.xml, or leave the count out", origin, count)
}
