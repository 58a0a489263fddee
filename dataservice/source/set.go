package source

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed42aab489/belfry/dataservice"
)

// Options configure a Set.
type Options struct {
	// Mappings are tried in order; the first that matches applies.
	Mappings []Mapping
	// Dir is what relative paths of SQLite files start from; empty: the process's
	// working folder.
	Dir string
	// Secrets puts secrets of the host in the place of references such as $file{db}
	// and $env{NAME}, in addresses, names and passwords, each as encode writes it.
	// Nil: there are none, and what refers to one is refused. Its errors never hold a
	// secret.
	Secrets func(text string, encode func(secret string) string) (string, error)
	// Files says how CSV files and Excel workbooks are read.
	Files Files
	// Log takes notices about what an address or a property says in vain; nil
	// discards them.
	Log *slog.Logger
}

// Set holds the databases that services have open, each once. Safe for
// concurrent use.
type Set struct {
	opts Options

	mu   sync.Mutex
	open map[string]*DB // by address and settings
}

// NewSet makes an empty Set.
func NewSet(o Options) *Set {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Set{opts: o, open: map[string]*DB{}}
}

// Open gives the database of a service's source. It does not connect. The error
// of a source of a kind that is not served says so; it is meant for the person
// who deploys the service.
func (s *Set) Open(service string, cfg *dataservice.Source) (*DB, error) {
	a, err := s.locate(service, cfg)
	if err != nil {
		return nil, err
	}
	conf, err := SettingsOf(cfg)
	if err != nil {
		return nil, err
	}
	for _, n := range a.notices {
		s.opts.Log.Warn("data source", "service", service, "source", cfg.ID, "notice", n)
	}
	if a.dialect == SQLite && a.path != "" {
		if !filepath.IsAbs(a.path) {
			a.path = filepath.Join(s.opts.Dir, a.path)
		}
		if a.path, err = filepath.Abs(a.path); err != nil {
			return nil, fmt.Errorf("path of the SQLite database: %w", err)
		}
	}
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%+v", a.dialect, a.dsn, a.path, conf)
	if a.dialect == SQLite {
		// One pool per file, so that there is one writer in the process. Whoever
		// opens it first decides on the pool; in memory each is its own.
		key = "sqlite\x00" + a.path
		if a.path == "" {
			key += service + "\x00" + cfg.ID
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	db := s.open[key]
	if db == nil {
		db = newDB(a, conf)
		db.release = func() bool { return s.drop(key) }
		s.open[key] = db
	}
	db.users++
	return db, nil
}

// drop counts down the users of a database and tells whether it was the last.
func (s *Set) drop(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	db := s.open[key]
	if db == nil {
		return false
	}
	db.users--
	if db.users > 0 {
		return false
	}
	delete(s.open, key)
	return true
}

// Maps tells whether a mapping sends a source elsewhere, by its service, its id
// and its URL (empty if it has none).
func (s *Set) Maps(service, id, url string) bool {
	_, ok := find(s.opts.Mappings, url, service+"/"+id, id)
	return ok
}

// locate decides where a source is.
func (s *Set) locate(service string, cfg *dataservice.Source) (*address, error) {
	own := property(cfg, "url")
	c := credentials{user: property(cfg, "username"), password: property(cfg, "password")}
	m, ok := find(s.opts.Mappings, own, service+"/"+cfg.ID, cfg.ID, property(cfg, "carbon_datasource_name"), property(cfg, "jndi_resource_name"))
	if ok {
		if !sameKind(own, m.URL) {
			c = credentials{}
		}
		own = m.URL
	}
	asItIs := func(secret string) string { return secret }
	inAddress := inURL
	if strings.HasPrefix(own, "jdbc:sqlserver:") || strings.HasPrefix(own, "jdbc:jtds:") || strings.HasPrefix(own, "jdbc:microsoft:") {
		inAddress = inBraces
	}
	if reference.MatchString(strings.TrimSpace(own)) {
		inAddress = asItIs // it is the whole of the address
	}
	if err := errors.Join(s.reveal(&own, inAddress), s.reveal(&c.user, asItIs), s.reveal(&c.password, asItIs)); err != nil {
		return nil, err
	}
	if ok {
		return parseAddress(own, c)
	}
	switch cfg.Kind {
	case dataservice.SourceSQL, "":
	case dataservice.SourceCarbon, dataservice.SourceJNDI:
		return nil, fmt.Errorf("sources of the kind %s have no address here: name it in datasource_map, or with --map-datasource '%s=URL'",
			cfg.Kind, cmp.Or(property(cfg, "carbon_datasource_name"), property(cfg, "jndi_resource_name"), service+"/"+cfg.ID))
	default:
		return nil, fmt.Errorf("sources of the kind %s are not supported", cfg.Kind)
	}
	if own == "" {
		if property(cfg, "dataSourceClassName") != "" {
			return nil, errors.New("sources named by a dataSourceClassName are not supported: give a url, or map it with --map-datasource")
		}
		return nil, errors.New("it has no url")
	}
	return parseAddress(own, c)
}

// reference is a text that is nothing but a secret's name.
var reference = regexp.MustCompile(`^\$(?:file|env)\{[^{}]*\}$`)

// inURL writes a secret so that it is a part of an address, whatever is in it.
func inURL(secret string) string { return strings.ReplaceAll(url.QueryEscape(secret), "+", "%20") }

// reveal puts secrets in the place of what refers to them.
func (s *Set) reveal(text *string, encode func(string) string) error {
	if !strings.Contains(*text, "$file{") && !strings.Contains(*text, "$env{") {
		return nil
	}
	if s.opts.Secrets == nil {
		return errors.New("it refers to a secret, and this host has none for data sources")
	}
	revealed, err := s.opts.Secrets(*text, encode)
	if err == nil {
		*text = revealed
	}
	return err
}

// sameKind tells whether two addresses are of the same dialect, so that the
// credentials of one make sense for the other.
func sameKind(a, b string) bool {
	x, err := parseAddress(a, credentials{})
	if err != nil {
		return false
	}
	y, err := parseAddress(b, credentials{})
	return err == nil && x.dialect == y.dialect
}

// property finds one by its name in any case.
func property(cfg *dataservice.Source, name string) string {
	if v, ok := cfg.Properties[name]; ok {
		return strings.TrimSpace(v)
	}
	for _, k := range slices.Sorted(maps.Keys(cfg.Properties)) {
		if strings.EqualFold(k, name) {
			return strings.TrimSpace(cfg.Properties[k])
		}
	}
	return ""
}
