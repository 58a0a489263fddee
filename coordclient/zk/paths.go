package zk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
)

// paths says where everything is below the root.
type paths struct{ root string }

func (p paths) members() string    { return p.root + "/members" }
func (p paths) beats() string      { return p.root + "/beats" }
func (p paths) candidates() string { return p.root + "/candidates" }
func (p paths) calls() string      { return p.root + "/calls" }
func (p paths) pieces() string     { return p.root + "/pieces" }
func (p paths) replies() string    { return p.root + "/replies" }
func (p paths) keys() string       { return p.root + "/keys" }

// top is every znode right below the root.
func (p paths) top() []string {
	return []string{p.members(), p.beats(), p.candidates(), p.calls(), p.pieces(), p.replies(), p.keys()}
}

func (p paths) member(id coordclient.MemberID) string { return p.members() + "/" + escape(string(id)) }

func (p paths) beat(id coordclient.MemberID) string { return p.beats() + "/" + escape(string(id)) }

func (p paths) callsOf(id coordclient.MemberID) string {
	return p.calls() + "/" + escape(string(id))
}

func (p paths) piecesOf(id coordclient.MemberID) string {
	return p.pieces() + "/" + escape(string(id))
}
func (p paths) role(role string) string { return p.candidates() + "/" + escape(role) }

// dirMark ends the name of a directory, so that it never meets the entry of
// the same key: an entry has no children and a directory no value.
const dirMark = "+"

// entry is the znode of a key.
func (p paths) entry(key string) string {
	i := strings.LastIndexByte(key, '/')
	return p.dir(key[:i]) + "/" + escape(key[i+1:])
}

// dir is the znode under which the children of a key are.
func (p paths) dir(key string) string {
	key = strings.Trim(key, "/")
	if key == "" {
		return p.keys()
	}
	var b strings.Builder
	b.WriteString(p.keys())
	for segment := range strings.SplitSeq(key, "/") {
		b.WriteByte('/')
		b.WriteString(escape(segment))
		b.WriteString(dirMark)
	}
	return b.String()
}

// escape makes one name of a znode of any text: what ZooKeeper refuses in a
// path, or means something here, is written as %xx for each byte. Java counts
// in UTF-16, so that a character beyond the first plane is refused too.
func escape(segment string) string {
	if !strings.ContainsFunc(segment, reserved) {
		return segment
	}
	var b strings.Builder
	for _, r := range segment {
		if !reserved(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func reserved(r rune) bool {
	return r == '%' || r == '+' || r == '/' || r < ' ' || r >= 0x7f && r < 0xa0 ||
		r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0
}

// unescape is the text of a name. What escape has not made is given back as it is.
func unescape(name string) string {
	if !strings.Contains(name, "%") {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '%' && i+2 < len(name) {
			if c, err := strconv.ParseUint(name[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// parent is the znode above.
func parent(path string) string { return path[:strings.LastIndexByte(path, '/')] }
