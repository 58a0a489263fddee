package source

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// Settings are those of a pool, from the properties of a source. The names are
// the original's, which are Tomcat's.
type Settings struct {
	MaxOpen       int           // maxActive; default 10
	MaxIdle       int           // maxIdle; default MaxOpen
	MaxWait       time.Duration // maxWait, in milliseconds: for a connection; default 30 s
	MaxLife       time.Duration // maxAge, in milliseconds; default none
	MaxIdleTime   time.Duration // minEvictableIdleTimeMillis; default 5 minutes
	ValidateQuery string        // validationQuery, tried before a first use
	QueryTimeout  time.Duration // queryTimeout, in seconds; zero: the host's
	MaxRows       int           // maxRows: more are left out, as JDBC does; zero: all
	Isolation     sql.IsolationLevel
}

// The bounds of a pool.
const (
	defaultOpen     = 10
	mostOpen        = 1000
	defaultWait     = 30 * time.Second
	defaultIdleTime = 5 * time.Minute
)

// ignored are the properties that a Go pool has no use for.
var ignored = map[string]bool{
	"driverclassname": true, "url": true, "username": true, "password": true,
	"minidle": true, "initialsize": true, "testonborrow": true, "testonreturn": true, "testwhileidle": true,
	"validationinterval": true, "validationquery": true, "timebetweenevictionrunsmillis": true,
	"numtestsperevictionrun": true, "removeabandoned": true, "removeabandonedtimeout": true, "logabandoned": true,
	"fetchsize": true, "fetchdirection": true, "maxfieldsize": true, "autocommit": true, "defaultautocommit": true,
	"forcestoredproc": true, "forcejdbcbatchrequests": true, "jmxenabled": true, "fairqueue": true,
	"usequal": true, "useequals": true, "jdbcinterceptors": true, "connectionproperties": true, "datasourceprops": true,
	"accesstounderlyingconnectionallowed": true, "suspectimeout": true, "alternateusernameallowed": true, "initsql": true,
	"validatorclassname": true, "abandonwhenpercentagefull": true, "jmx_enabled": true, "commitonreturn": true,
	"rollbackonreturn": true, "ignoreexceptiononpreload": true, "enableodata": true, "dynamicuserauthclass": true,
}

// SettingsOf reads those of a source. Of an SQLite file that several sources
// share, the pool is that of the first; the rest is each source's own.
func SettingsOf(cfg *dataservice.Source) (Settings, error) { return settings(cfg.Properties) }

// settings reads the properties; what is not a number is an error.
func settings(props map[string]string) (Settings, error) {
	s := Settings{MaxOpen: defaultOpen, MaxIdle: -1, MaxWait: defaultWait, MaxIdleTime: defaultIdleTime}
	for name, v := range props {
		v = strings.TrimSpace(v)
		key := strings.ToLower(name)
		if v == "" || ignored[key] && key != "validationquery" {
			continue
		}
		if err := s.set(key, v); err != nil {
			return s, fmt.Errorf("property %s: %w", name, err)
		}
	}
	s.MaxOpen = min(max(s.MaxOpen, 1), mostOpen)
	if s.MaxIdle < 0 || s.MaxIdle > s.MaxOpen {
		s.MaxIdle = s.MaxOpen
	}
	return s, nil
}

func (s *Settings) set(key, v string) error {
	var unit time.Duration
	var to *time.Duration
	switch key {
	case "maxactive", "maxtotal":
		return number(&s.MaxOpen, v)
	case "maxidle":
		return number(&s.MaxIdle, v)
	case "maxrows":
		return number(&s.MaxRows, v)
	case "maxwait", "maxwaitmillis":
		to, unit = &s.MaxWait, time.Millisecond
	case "maxage":
		to, unit = &s.MaxLife, time.Millisecond
	case "minevictableidletimemillis":
		to, unit = &s.MaxIdleTime, time.Millisecond
	case "querytimeout":
		to, unit = &s.QueryTimeout, time.Second
	case "validationquery":
		s.ValidateQuery = v
		return nil
	case "defaulttransactionisolation":
		return s.isolate(v)
	default:
		return nil
	}
	n := 0
	if err := number(&n, v); err != nil {
		return err
	}
	if n > 0 {
		*to = time.Duration(n) * unit
	}
	return nil
}

func number(to *int, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", v)
	}
	*to = n
	return nil
}

func (s *Settings) isolate(v string) error {
	switch strings.TrimPrefix(strings.ToUpper(v), "TRANSACTION_") {
	case "READ_COMMITTED":
		s.Isolation = sql.LevelReadCommitted
	case "REPEATABLE_READ":
		s.Isolation = sql.LevelRepeatableRead
	case "SERIALIZABLE":
		s.Isolation = sql.LevelSerializable
	case "READ_UNCOMMITTED":
		s.Isolation = sql.LevelReadUncommitted
	case "NONE", "UNKNOWN", "DEFAULT":
	default:
		return fmt.Errorf("%q is not an isolation level", v)
	}
	return nil
}
