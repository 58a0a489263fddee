package coordclient

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const rootElement = "CoordinationClientConfiguration"

// parseConfig reads the whole of a file.
func parseConfig(name string, text []byte) (Config, error) {
	d, err := newConfigDecoder(name, text)
	if err != nil {
		return Config{}, err
	}
	root, err := d.root(rootElement)
	if err != nil {
		return Config{}, err
	}
	c, err := readRoot(d, root)
	if err != nil {
		return Config{}, err
	}
	return c, d.rest()
}

func readRoot(d *configDecoder, root element) (Config, error) {
	c := Config{SessionTimeout: DefaultSessionTimeout}
	enabled, err := root.attrs(d, "enabled")
	if err != nil {
		return Config{}, err
	}
	if c.Enabled, err = readEnabled(d, enabled["enabled"]); err != nil {
		return Config{}, err
	}
	err = d.children(root, func(child element) (err error) {
		switch child.name {
		case "Servers":
			c.Servers, err = readServers(d, child)
		case "SessionTimeout":
			c.SessionTimeout, err = readTimeout(d, child)
		}
		return err
	}, once("Servers"), once("SessionTimeout"))
	if err != nil {
		return Config{}, err
	}
	if c.Servers == nil {
		return Config{}, d.fault(root.at, "<Servers> is missing: name at least one server")
	}
	return c, nil
}

func readEnabled(d *configDecoder, a attr) (bool, error) {
	switch strings.ToLower(a.value) {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, d.fault(a.at, "enabled=%.80q: want true or false", a.value)
}

func readServers(d *configDecoder, e element) ([]Server, error) {
	if _, err := e.attrs(d); err != nil {
		return nil, err
	}
	var servers []Server
	err := d.children(e, func(child element) error {
		s, err := readServer(d, child)
		if err != nil {
			return err
		}
		if slices.Contains(servers, s) {
			return d.fault(child.at, "server %s is named twice", s)
		}
		if len(servers) == MaxServers {
			return d.fault(child.at, "there are more than %d servers", MaxServers)
		}
		servers = append(servers, s)
		return nil
	}, many("Server"))
	if err == nil && len(servers) == 0 {
		err = d.fault(e.at, "<Servers> is empty: name at least one server")
	}
	return servers, err
}

func readServer(d *configDecoder, e element) (Server, error) {
	attrs, err := e.attrs(d, "host", "port")
	if err != nil {
		return Server{}, err
	}
	s := Server{Port: DefaultPort}
	if s.Host, err = readHost(d, e, attrs["host"]); err != nil {
		return Server{}, err
	}
	if port := attrs["port"]; port.value != "" {
		if s.Port, err = strconv.Atoi(port.value); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, d.fault(port.at, "port=%.80q: want a number from 1 to 65535", port.value)
		}
	}
	return s, d.children(e, nil)
}

func readHost(d *configDecoder, e element, host attr) (string, error) {
	v := host.value
	if v == "" {
		at := e.at
		if host.at != 0 {
			at = host.at
		}
		return "", d.fault(at, "<Server> needs a host")
	}
	if strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") {
		v = v[1 : len(v)-1]
	}
	if addr, err := netip.ParseAddr(v); err == nil {
		if v != host.value && !addr.Is6() {
			return "", d.fault(host.at, "host=%.80q: brackets are for IPv6 addresses", host.value)
		}
		return v, nil
	}
	if strings.Contains(host.value, ":") {
		return "", d.fault(host.at, "host=%.80q: want a name or an address alone; the port has an attribute of its own", host.value)
	}
	for _, r := range host.value {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`,/\@?#[]"'<>`, r) {
			return "", d.fault(host.at, "host=%.80q: %q cannot stand in a host name", host.value, r)
		}
	}
	if len(host.value) > 253 {
		return "", d.fault(host.at, "host of %d characters: a name has at most 253", len(host.value))
	}
	return host.value, nil
}

func readTimeout(d *configDecoder, e element) (time.Duration, error) {
	if _, err := e.attrs(d); err != nil {
		return 0, err
	}
	text, at, err := d.text(e)
	if err != nil {
		return 0, err
	}
	timeout, fault := parseTimeout(text)
	if fault != "" {
		return 0, d.fault(at, "SessionTimeout %.80q: %s", text, fault)
	}
	return timeout, nil
}

// parseTimeout reads milliseconds, or a number with a unit.
func parseTimeout(text string) (d time.Duration, fault string) {
	const want = "want milliseconds, such as 5000, or a number with a unit, such as 5s"
	if text == "" {
		return 0, want + fmt.Sprintf("; leave the element out for %s", DefaultSessionTimeout)
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "ms"
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && strings.Trim(text, "0123456789ms") == "":
		return 0, fmt.Sprintf("the longest is %s", MaxSessionTimeout)
	case err != nil:
		return 0, want
	case d < time.Millisecond:
		return 0, "the shortest is 1ms"
	case d > MaxSessionTimeout:
		return 0, fmt.Sprintf("the longest is %s", MaxSessionTimeout)
	}
	return d, ""
}
