package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
)

// serverTLS is how the https listener speaks.
func serverTLS(c conf.TLS, log *slog.Logger) (*tls.Config, error) {
	pair := &keyPair{cert: c.CertFile, key: c.KeyFile, log: log}
	if err := pair.load(); err != nil {
		return nil, fmt.Errorf("tls.cert_file, tls.key_file: %w", err)
	}
	least := uint16(tls.VersionTLS12)
	if c.MinVersion == "1.3" {
		least = tls.VersionTLS13
	}
	return &tls.Config{MinVersion: least, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(time.Now()), nil }}, nil
}

// lookAgain is how often a certificate's files are asked whether they changed, at
// most: at a handshake.
const lookAgain = time.Second

// keyPair is a certificate with its key, read again when one of the files changes.
// Two files that do not fit, as while they are replaced, leave the former in force.
// Safe for concurrent use.
type keyPair struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex // guards what follows
	looked  time.Time
	seen    [2]fs.FileInfo
	problem string
	current *tls.Certificate
}

func (p *keyPair) get(now time.Time) *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.looked) >= lookAgain {
		p.looked = now
		if err := p.load(); err != nil && err.Error() != p.problem {
			p.problem = err.Error()
			p.log.Error("the certificate that was read before stays in force", "err", err)
		}
	}
	return p.current
}

func (p *keyPair) load() error {
	var now [2]fs.FileInfo
	for i, file := range []string{p.cert, p.key} {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		now[i] = info
	}
	if mode := now[1].Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s can be read by others (mode %04o); make it 0600", p.key, mode)
	}
	if p.current != nil && p.problem == "" && unchanged(now[0], p.seen[0]) && unchanged(now[1], p.seen[1]) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		var inFile *fs.PathError
		if errors.As(err, &inFile) {
			return err
		}
		return fmt.Errorf("%s with %s: %w", p.cert, p.key, err)
	}
	if p.current != nil {
		p.log.Info("new certificate", "not_after", pair.Leaf.NotAfter)
	}
	p.current, p.seen, p.problem = &pair, now, ""
	return nil
}

func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
