package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// key verifies tokens.
type key struct {
	id        string // kid; of a PEM key empty
	algorithm string // the only one that it is for; empty: any of its kind
	public    crypto.PublicKey
}

// minSecret is the least length of a shared secret, in bytes.
const minSecret = 32

// fits tells whether a key is for an algorithm.
func (k key) fits(algorithm string) bool {
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[p.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	case []byte:
		return strings.HasPrefix(algorithm, "HS")
	}
	return false
}

// parseKeys reads a JWKS, or public keys and certificates in PEM.
func parseKeys(data []byte) ([]key, error) {
	var keys []key
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		keys, err = parseJWKS(data)
	} else {
		keys, err = parsePEM(data)
	}
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, errors.New("it holds no key that verifies signatures")
	case len(keys) > maxKeys:
		return nil, fmt.Errorf("it holds more than %d keys", maxKeys)
	}
	return keys, nil
}

func parsePEM(data []byte) ([]key, error) {
	var keys []key
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return keys, nil
		}
		var public any
		var err error
		switch block.Type {
		case "PUBLIC KEY":
			public, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			public, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var c *x509.Certificate
			if c, err = x509.ParseCertificate(block.Bytes); err == nil {
				public = c.PublicKey
			}
		default:
			err = fmt.Errorf("a block %q is no public key", block.Type)
		}
		if err == nil {
			err = strong(public)
		}
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(keys)+1, err)
		}
		keys = append(keys, key{public: public})
	}
}

// jwk is a key of RFC 7517.
type jwk struct {
	Kty, Kid, Use, Alg, Crv string
	N, E, X, Y, K           string
	KeyOps                  []string `json:"key_ops"`
}

func parseJWKS(data []byte) ([]key, error) {
	var set struct{ Keys []jwk }
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("it is not a JWKS: %w", err)
	}
	var keys []key
	for i, j := range set.Keys {
		if j.Use != "" && j.Use != "sig" {
			continue
		}
		public, err := j.public()
		if err == nil {
			err = strong(public)
		}
		if err != nil {
			return nil, fmt.Errorf("key %d (kid %q): %w", i+1, j.Kid, err)
		}
		keys = append(keys, key{id: j.Kid, algorithm: j.Alg, public: public})
	}
	return keys, nil
}

func (j *jwk) public() (crypto.PublicKey, error) {
	var fault error
	number := func(name, text string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if fault == nil && (err != nil || len(b) == 0) {
			fault = fmt.Errorf("its %s is not base64url", name)
		}
		return b
	}
	switch j.Kty {
	case "RSA":
		n, e := new(big.Int).SetBytes(number("n", j.N)), new(big.Int).SetBytes(number("e", j.E))
		if fault == nil && (!e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1) {
			fault = errors.New("its e is not between 3 and 2^31-1")
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, fault
	case "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[j.Crv]
		if curve == nil {
			return nil, fmt.Errorf("curve %q is not P-256, P-384 or P-521", j.Crv)
		}
		size := (curve.Params().BitSize + 7) / 8
		x, y := number("x", j.X), number("y", j.Y)
		if fault != nil || len(x) > size || len(y) > size {
			return nil, errors.Join(fault, errors.New("its x and y are not a point"))
		}
		point := make([]byte, 1+2*size)
		point[0] = 4 // uncompressed
		copy(point[1+size-len(x):], x)
		copy(point[1+2*size-len(y):], y)
		return ecdsa.ParseUncompressedPublicKey(curve, point)
	case "OKP":
		x := number("x", j.X)
		if fault == nil && (j.Crv != "Ed25519" || len(x) != ed25519.PublicKeySize) {
			fault = errors.New("it is not an Ed25519 key")
		}
		return ed25519.PublicKey(x), fault
	case "oct":
		return number("k", j.K), fault
	}
	return nil, fmt.Errorf("keys of the kind %q are not taken", j.Kty)
}

// strong refuses keys that are too weak to mean anything.
func strong(public crypto.PublicKey) error {
	switch p := public.(type) {
	case *rsa.PublicKey:
		if p.N.BitLen() < 2048 || p.N.BitLen() > 16384 {
			return fmt.Errorf("an RSA key has 2048 to 16384 bits, this one %d", p.N.BitLen())
		}
	case []byte:
		if len(p) < minSecret {
			return fmt.Errorf("a shared secret has at least %d bytes, this one %d", minSecret, len(p))
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return fmt.Errorf("keys of the kind %T are not taken", public)
	}
	return nil
}
