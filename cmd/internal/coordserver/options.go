package coordserver

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// Defaults of Options.
const (
	DefaultListen = "127.0.0.1:2181"
	DefaultTick   = time.Second
	DefaultHeap   = "512m"
)

// The bounds of a tick. Below, a busy machine loses its sessions; above, nobody
// notices a dead host.
const (
	minTick = 50 * time.Millisecond
	maxTick = time.Minute
)

// maxMembers bounds an ensemble: each write waits for a majority.
const maxMembers = 9

// Options say which server to run. Data is required; the rest has defaults.
type Options struct {
	// Listen is the address for clients, "host:port"; without a host, all of this
	// machine's. Empty: DefaultListen. Port 0 is refused: clients have to know it.
	Listen string
	// Data is the folder of everything that is kept.
	Data string
	// ID is this server's place in Members, from 1. Without Members: 0.
	ID int
	// Members of the ensemble in order, each "host:quorum port:election port".
	// Empty: the server stands alone.
	Members []string
	// Tick is ZooKeeper's unit of time, in whole milliseconds: sessions last 2 to
	// 20 of them, and expire up to one late. 0: DefaultTick.
	Tick time.Duration
	// Heap is the Java machine's, such as "512m" or "2g". Empty: DefaultHeap.
	Heap string
	// Java is the program. Empty: the one on the path.
	Java string
	// ClassPath has ZooKeeper's jars. Empty: where Debian's package puts them.
	ClassPath string
	// Flags for the Java machine, after those that are given anyway.
	Flags []string
}

// withDefaults checks the options and fills what is empty.
func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Tick == 0 {
		o.Tick = DefaultTick
	}
	if o.Heap == "" {
		o.Heap = DefaultHeap
	}
	if o.Data == "" {
		return o, errors.New("no data folder is given")
	}
	if strings.ContainsAny(o.Data, "\n\r") {
		return o, errors.New("data folder: its name has a line break")
	}
	if _, err := o.client(); err != nil {
		return o, err
	}
	if o.Tick < minTick || o.Tick > maxTick || o.Tick%time.Millisecond != 0 {
		return o, fmt.Errorf("tick %s: want %s to %s in whole milliseconds", o.Tick, minTick, maxTick)
	}
	return o, o.checkMembers()
}

func (o Options) checkMembers() error {
	if len(o.Members) == 0 {
		if o.ID != 0 {
			return errors.New("a server that stands alone has no id; name the members of the ensemble too")
		}
		return nil
	}
	if len(o.Members) < 3 || len(o.Members) > maxMembers {
		return fmt.Errorf("%d members: an ensemble has 3 to %d, and an odd number is best", len(o.Members), maxMembers)
	}
	if o.ID < 1 || o.ID > len(o.Members) {
		return fmt.Errorf("id %d: want this server's place among the %d members, from 1", o.ID, len(o.Members))
	}
	seen := make(map[string]bool)
	for i, m := range o.Members {
		quorum, election, err := member(m)
		if err != nil {
			return fmt.Errorf("member %d: %w", i+1, err)
		}
		if quorum == election || seen[quorum] || seen[election] {
			return fmt.Errorf("member %d: %s has a port that is taken", i+1, m)
		}
		seen[quorum], seen[election] = true, true
	}
	return nil
}

// client gives where clients connect.
func (o Options) client() (*net.TCPAddr, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen %q: want host:port", o.Listen)
	}
	n, err := portNumber(port)
	if err != nil {
		return nil, fmt.Errorf("listen %q: %w", o.Listen, err)
	}
	if host == "" {
		return &net.TCPAddr{Port: n}, nil
	}
	addr, err := net.ResolveTCPAddr("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen %q: %w", o.Listen, err)
	}
	return addr, nil
}

// member gives the two addresses of "host:quorum port:election port".
func member(text string) (quorum, election string, err error) {
	rest, last, _ := cutLast(text)
	host, first, ok := cutLast(rest)
	plain := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if !ok || plain == "" || strings.ContainsAny(plain, " \t\r\n;|,=/") || strings.Contains(plain, ":") != (plain != host) {
		return "", "", fmt.Errorf("%q: want host:quorum port:election port, such as zk1.example.org:2888:3888", text)
	}
	for _, port := range []string{first, last} {
		if _, err := portNumber(port); err != nil {
			return "", "", fmt.Errorf("%q: %w", text, err)
		}
	}
	return net.JoinHostPort(plain, first), net.JoinHostPort(plain, last), nil
}

func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

func portNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > math.MaxUint16 {
		return 0, fmt.Errorf("port %q: want 1 to %d", text, math.MaxUint16)
	}
	return n, nil
}
