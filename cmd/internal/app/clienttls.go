package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// clientTLS is how this host speaks TLS to a server, as the section of the
// configuration says. An empty ca means the system's authorities, an empty cert
// none of its own.
func clientTLS(section, ca, cert, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("%s.ca_file: %w", section, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s.ca_file: %s holds no certificate in PEM form", section, ca)
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%s.cert_file: %w", section, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
