package env

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/coordclient/zk"
)

// maxSecret bounds a password in bytes.
const maxSecret = 4096

// Access is how ZooKeeper is spoken to where it is not open to all. It names
// files that hold secrets, and holds none.
type Access struct {
	User         string `yaml:"user,omitempty" json:"user"`
	PasswordFile string `yaml:"password_file,omitempty" json:"password_file"`
	TLS          bool   `yaml:"tls,omitempty" json:"tls"`
	CAFile       string `yaml:"ca_file,omitempty" json:"ca_file"`
	CertFile     string `yaml:"cert_file,omitempty" json:"cert_file"`
	KeyFile      string `yaml:"key_file,omitempty" json:"key_file"`
	// password is of the environment alone.
	password string
}

// accessVariables begin the names of the variables that hosts take too
// (zookeeper.user and so on).
const accessVariables = "BELFRY_ZOOKEEPER_"

// access is what the environment says, for a target that says nothing itself.
func (e *Env) access() (Access, error) {
	of := func(name string) string { return e.getenv(accessVariables + name) }
	a := Access{
		User: of("USER"), PasswordFile: of("PASSWORD_FILE"), CAFile: of("CA_FILE"), CertFile: of("CERT_FILE"), KeyFile: of("KEY_FILE"),
		password: of("PASSWORD"),
	}
	if text := of("TLS"); text != "" {
		var err error
		if a.TLS, err = strconv.ParseBool(text); err != nil {
			return a, Usage("%sTLS is %q: want true or false", accessVariables, text)
		}
	}
	return a, a.check("environment")
}

// check refuses what does not fit together.
func (a Access) check(origin string) error {
	switch {
	case a.password != "" && a.PasswordFile != "":
		return Usage("%s: give a password or a file that holds it, not both", origin)
	case (a.User == "") != (a.password == "" && a.PasswordFile == ""):
		return Usage("%s: a user and the file of the password belong together", origin)
	case !a.TLS && a.CAFile+a.CertFile+a.KeyFile != "":
		return Usage("%s: certificates mean something only with TLS", origin)
	case (a.CertFile == "") != (a.KeyFile == ""):
		return Usage("%s: a certificate and its key belong together", origin)
	}
	return nil
}

// digest reads the password.
func (a Access) digest() (zk.Digest, error) {
	if a.PasswordFile == "" {
		return zk.Digest{User: a.User, Password: a.password}, nil
	}
	info, err := os.Stat(a.PasswordFile)
	if err != nil {
		return zk.Digest{}, Usage("password: %v", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return zk.Digest{}, Usage("password file %s can be read by others (mode %04o); make it 0600", a.PasswordFile, mode)
	}
	data, err := os.ReadFile(a.PasswordFile)
	text := strings.TrimRight(string(data), "\r\n")
	if err != nil || text == "" || len(text) > maxSecret {
		return zk.Digest{}, Usage("password file %s must hold 1 to %d bytes", a.PasswordFile, maxSecret)
	}
	return zk.Digest{User: a.User, Password: text}, nil
}

// secure reads the certificates. Nil: no TLS.
func (a Access) secure() (*tls.Config, error) {
	if !a.TLS {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CAFile != "" {
		text, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, Usage("authorities: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, Usage("authorities: %s holds no certificate in PEM form", a.CAFile)
		}
	}
	if a.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, Usage("certificate: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// options are for a session with the target's servers.
func (t Target) options() (zk.Options, error) {
	digest, err := t.Access.digest()
	if err != nil {
		return zk.Options{}, err
	}
	secure, err := t.Access.secure()
	if err != nil {
		return zk.Options{}, err
	}
	return zk.Options{Servers: t.Servers, Root: t.Root, Existing: true, TLS: secure, Digest: digest}, nil
}
