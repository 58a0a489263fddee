package zktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs the certificates of one test.
type Authority struct {
	// Pool trusts it.
	Pool *x509.CertPool
	// File has its certificate, as PEM.
	File string

	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

// NewAuthority makes an authority.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{Pool: x509.NewCertPool(), dir: tb.TempDir()}
	template := a.template("authority")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage |= x509.KeyUsageCertSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		tb.Fatal(err)
	}
	a.key = key
	a.Pool.AddCert(a.cert)
	a.File = a.write(tb, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
	return a
}

func (a *Authority) template(name string) *x509.Certificate {
	a.n++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.n), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
}

// Issue makes a certificate with the common name, good for servers at
// 127.0.0.1 and for clients, and also gives it as a PEM file with its key. alter
// makes it good for something else.
func (a *Authority) Issue(tb testing.TB, name string, alter ...func(*x509.Certificate)) (tls.Certificate, string) {
	tb.Helper()
	template := a.template(name)
	for _, f := range alter {
		f(template)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		tb.Fatal(err)
	}
	return cert, a.write(tb, fmt.Sprintf("%s-%d.pem", name, a.n), append(certPEM, keyPEM...))
}

func (a *Authority) write(tb testing.TB, name string, text []byte) string {
	tb.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Secure makes a server speak TLS at a port of its own, given back as
// "127.0.0.1:port", with a certificate of the authority. need says whether
// clients must have one too: "none", "want" or "need". For one server only.
func Secure(tb testing.TB, a *Authority, need string) (Option, string) {
	tb.Helper()
	_, bundle := a.Issue(tb, "server")
	ports, err := freePorts(1)
	if err != nil {
		tb.Fatal(err)
	}
	lines := []string{
		"serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
		fmt.Sprintf("secureClientPort=%d", ports[0]), "secureClientPortAddress=127.0.0.1",
		"ssl.keyStore.location=" + bundle, "ssl.keyStore.type=PEM",
		"ssl.trustStore.location=" + a.File, "ssl.trustStore.type=PEM", "ssl.clientAuth=" + need,
		"authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider",
	}
	option := func(c *config) {
		c.lines = append(c.lines, lines...)
		c.flags = append(c.flags, "-Dzookeeper.serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory")
	}
	return option, fmt.Sprintf("127.0.0.1:%d", ports[0])
}
