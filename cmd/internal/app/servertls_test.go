package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
)

// writePair writes a certificate of its own for localhost, with a serial number.
func writePair(t *testing.T, c conf.TLS, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(c.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644),
		os.WriteFile(c.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func tlsFiles(t *testing.T) conf.TLS {
	t.Helper()
	dir := t.TempDir()
	return conf.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), MinVersion: "1.2"}
}

// A certificate that is replaced is used from then on; one that does not fit its
// key leaves the former in force.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	c := tlsFiles(t)
	writePair(t, c, 1)
	var log bytes.Buffer
	p := &keyPair{cert: c.CertFile, key: c.KeyFile, log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Now()
	check := func(step string, want int64) {
		t.Helper()
		now = now.Add(lookAgain)
		if got := p.get(now).Leaf.SerialNumber.Int64(); got != want {
			t.Errorf("%s: certificate %d, want %d\n%s", step, got, want, &log)
		}
	}
	if err := p.load(); err != nil {
		t.Fatal(err)
	}
	check("first", 1)
	writePair(t, c, 2)
	check("replaced", 2)
	other := tlsFiles(t)
	writePair(t, other, 3)
	half, err := os.ReadFile(other.CertFile)
	if err == nil {
		err = os.WriteFile(c.CertFile, half, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	check("half replaced", 2)
	check("still", 2)
	if n := strings.Count(log.String(), "stays in force"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
	writePair(t, c, 4)
	check("whole", 4)
}

func TestServerTLS(t *testing.T) {
	t.Parallel()
	c := tlsFiles(t)
	if _, err := serverTLS(c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("without files: %v", err)
	}
	writePair(t, c, 1)
	for least, want := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		c.MinVersion = least
		server, err := serverTLS(c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: want == tls.VersionTLS12, tls.VersionTLS13: true} {
			if err := shake(t, server, version); (err == nil) != ok {
				t.Errorf("at least %s, a client of %s: %v", least, tls.VersionName(version), err)
			}
		}
	}
	if err := os.Chmod(c.KeyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := serverTLS(c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "make it 0600") {
		t.Errorf("a key that others can read: %v", err)
	}
}

// shake makes a handshake with a client that speaks one version.
func shake(t *testing.T, server *tls.Config, version uint16) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan error, 1)
	go func() { // ends with the handshake, or when a is closed
		defer b.Close()
		done <- tls.Server(b, server).HandshakeContext(t.Context())
	}()
	client := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}) //nolint:gosec // what is tested is the server
	err := client.HandshakeContext(t.Context())
	if err != nil {
		a.Close()
	}
	return errors.Join(err, <-done)
}
