package coordclient

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"time"
)

// Defaults and bounds of coordination-client-config.xml.
const (
	// DefaultSessionTimeout is what an absent SessionTimeout means. The original
	// passed 0 on, so that the server's least one applied.
	DefaultSessionTimeout = 10 * time.Second
	// MinSessionTimeout is the least that a member can live by.
	MinSessionTimeout = 100 * time.Millisecond
	// MaxSessionTimeout is the longest that is accepted.
	MaxSessionTimeout = 24 * time.Hour
	// DefaultPort is what an absent port means: ZooKeeper's.
	DefaultPort = 2181
	// MaxConfig is the largest file in bytes.
	MaxConfig = 256 << 10
	// MaxServers is the largest number of Server elements.
	MaxServers = 64
)

// Config is coordination-client-config.xml (WSO2: CoordinationConfiguration).
// The zero value is disabled.
type Config struct {
	// Enabled: this host is a member of a cluster. The rest is checked, but
	// counts for nothing, if it is not.
	Enabled bool
	// Servers of the ensemble, in the order of the file; at least one if the
	// file exists.
	Servers []Server
	// SessionTimeout to ask for; the servers may bound it.
	SessionTimeout time.Duration
}

// Server is one of the ensemble.
type Server struct {
	Host string // a name or an address, an IPv6 one without brackets
	Port int
}

// String gives "host:port", and "[address]:port" for IPv6.
func (s Server) String() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// ConfigError is a fault in the file. Line and Column count from 1, columns in
// characters; both are 0 where the fault is not at one place.
type ConfigError struct {
	File         string
	Line, Column int
	Message      string
}

// Error gives "file:line:column: message".
func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// LoadConfig reads the file. A missing one means disabled; one that is broken
// in any way is an error, even if it says that it is disabled.
func LoadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lerr := os.Lstat(path); lerr == nil {
			return Config{}, &ConfigError{File: path, Message: "it is a link to a file that does not exist"}
		}
		return Config{SessionTimeout: DefaultSessionTimeout}, nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("coordination configuration: %w", err)
	}
	defer f.Close()
	return ParseConfig(path, f)
}

// ParseConfig reads a file called name. Errors: a *ConfigError for the first
// fault in it, or that of the reader.
//
// It reads what the original reads, in the same meaning (WSO2:
// CoordinationConfiguration.java), but for this: elements, attributes and text
// that mean nothing are errors, not ignored, and so is a second Servers or
// SessionTimeout; enabled is true or false, and no other word is taken for
// false; white space around a value does not count; the time may have a unit.
func ParseConfig(name string, r io.Reader) (Config, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxConfig+1))
	if err != nil {
		return Config{}, fmt.Errorf("coordination configuration %s: %w", name, err)
	}
	if len(text) > MaxConfig {
		return Config{}, &ConfigError{File: name, Message: fmt.Sprintf("it is larger than %d bytes", MaxConfig)}
	}
	return parseConfig(name, text)
}
