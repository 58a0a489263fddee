package conf

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if got := load(t).Config.Egress.Allow; len(got) != 0 {
		t.Errorf("by default %v", got)
	}
	writeFile(t, dir, "ok.yaml", "egress:\n  allow:\n    - loopback\n    - 10.0.0.0/8:443\n")
	l := load(t, "--config", "ok.yaml")
	if got := strings.Join(l.Config.Egress.Allow, " "); got != "loopback 10.0.0.0/8:443" || l.Origins["egress.allow"].String() != "file ok.yaml:3:5" {
		t.Errorf("%s from %s", got, l.Origins["egress.allow"])
	}
	t.Setenv("BELFRY_EGRESS_ALLOW", "private, [::1]:80,")
	if got := strings.Join(load(t, "--config", "ok.yaml").Config.Egress.Allow, " "); got != "private [::1]:80" {
		t.Errorf("from the environment: %s", got)
	}
}

func TestWordsRefused(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for text, want := range map[string]string{
		"egress:\n  allow: loopback\n":             "bad.yaml:2:10: egress.allow must be a list",
		"egress:\n  allow:\n    - {a: b}\n":        "bad.yaml:3:7: egress.allow: an entry:",
		"egress:\n  allow:\n    - example.org\n":   `bad.yaml:3:5: egress.allow: "example.org" is not`,
		"egress:\n  allow:\n    - 169.254.0.0/16":  "is never called",
		"egress:\n  alow:\n    - 169.254.0.0/16\n": `did you mean "egress.allow"?`,
	} {
		writeFile(t, dir, "bad.yaml", text)
		if err := Check("bad.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestListenersAndAuthRefused(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for text, want := range map[string]string{
		"listen: none\n": `listen: "none" is not host:port`,
		"describe:\n  public_url: api.example.com\n":                 `describe.public_url: "api.example.com" is not like https://api.example.com`,
		"describe:\n  public_url: https://u:p@x\n":                   `is not like https://api.example.com`,
		"tls:\n  listen: localhost\n":                                `tls.listen: "localhost" is not host:port`,
		"tls:\n  listen: localhost:1\n  cert_file: c\n":              "needs tls.cert_file and tls.key_file",
		"tls:\n  min_version: '1.1'\n":                               "1.1",
		"auth:\n  jwt:\n    keys_file: k\n    issuer: i\n":           "needs auth.jwt.audience",
		"auth:\n  jwt:\n    keys_file: k\n    algorithms: []\n":      "algorithms: it must not be empty",
		"listen: none\ntls:\n  listen: ':1'\n  cert_file: c\n  k: v": "tls.k",
	} {
		writeFile(t, dir, "bad.yaml", text)
		if err := Check("bad.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	writeFile(t, dir, "ok.yaml", "listen: none\ntls:\n  listen: ':1'\n  cert_file: c\n  key_file: k\n  min_version: 1.3\n")
	if err := Check("ok.yaml"); err != nil {
		t.Error(err)
	}
}
