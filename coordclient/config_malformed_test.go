package coordclient_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
)

// malformed are files that must be refused, each with the place and the words.
var malformed = []struct{ name, text, want string }{
	{"an empty file", ``, `f.xml:1:1: the file is empty: remove it, or write <CoordinationClientConfiguration enabled="false">`},
	{"only white space", "\n  \n", `f.xml:1:1: the file is empty: remove it, or write <CoordinationClientConfiguration enabled="false">`},
	{"only a declaration", `<?xml version="1.0"?>`, `f.xml:1:22: the file must begin with <CoordinationClientConfiguration>`},
	{"only a comment", `<!-- nothing -->`, `f.xml:1:17: the file must begin with <CoordinationClientConfiguration>`},
	{"no XML", `enabled: true`, `f.xml:1:1: the file must begin with <CoordinationClientConfiguration>`},
	{"JSON", `{"enabled": true}`, `f.xml:1:1: the file must begin with <CoordinationClientConfiguration>`},
	{"another root", `<coordination/>`, `f.xml:1:1: the root element is <coordination>, want <CoordinationClientConfiguration>`},
	{"a root in other letters", `<coordinationClientConfiguration>` + servers + `</coordinationClientConfiguration>`, `f.xml:1:1: the root element is <coordinationClientConfiguration>, want <CoordinationClientConfiguration>`},
	{"a root with a prefix", `<c:CoordinationClientConfiguration xmlns:c="urn:c">` + servers + `</c:CoordinationClientConfiguration>`, `f.xml:1:1: the root element is <c:CoordinationClientConfiguration>, want <CoordinationClientConfiguration>`},
	{"text before the root", "x\n" + head + servers + tail, `f.xml:1:1: the file must begin with <CoordinationClientConfiguration>`},
	{"text after the root", head + servers + tail + "\n x", `f.xml:2:2: nothing may follow </CoordinationClientConfiguration>`},
	{"two roots", head + servers + tail + "\n" + head + servers + tail, `f.xml:2:1: nothing may follow </CoordinationClientConfiguration>`},
	{"a document type", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n" + head + servers + tail, `f.xml:1:1: a document type declaration is not allowed`},
	{"a document type after a comment", "<!-- c -->\n  <!DOCTYPE x>" + head + servers + tail, `f.xml:2:3: a document type declaration is not allowed`},
	{"a document type inside", head + "\n<!DOCTYPE x>" + servers + tail, `f.xml:2:1: a document type declaration is not allowed`},
	{"an entity of its own", head + `<Servers><Server host="&e;"/></Servers>` + tail, `f.xml:1:60: invalid character entity &e;`},
	{"an entity in text", head + servers + `<SessionTimeout>&t;</SessionTimeout>` + tail, `f.xml:1:90: invalid character entity &t;`},
	{"UTF-16", "\xff\xfe<\x00", `f.xml:1:1: it is UTF-16: save it as UTF-8`},
	{"Latin-1 bytes", head + "\n<!-- \xe4 -->" + servers + tail, `f.xml:2:6: it is not valid UTF-8: save it as UTF-8`},
	{"Latin-1 by declaration", `<?xml version="1.0" encoding="ISO-8859-1"?>` + head + servers + tail, `f.xml:1:44: encoding ISO-8859-1 is not supported: save it as UTF-8`},
	{"XML 1.1", `<?xml version="1.1"?>` + head + servers + tail, `f.xml:1:22: unsupported version "1.1"; only version 1.0 is supported`},
	{"a zero byte", head + "\x00" + servers + tail, `f.xml:1:35: illegal character code U+0000`},
	{"not closed", head + servers, `f.xml:1:71: the file ends before its last element is closed`},
	{"cut in a tag", head + "\n<Servers><Server ho", `f.xml:2:20: the file ends before its last element is closed`},
	{"cut in a value", head + "\n<Servers><Server host=\"a", `f.xml:2:25: the file ends before its last element is closed`},
	{"cut in a comment", head + servers + "<!-- ", `f.xml:1:76: the file ends before its last element is closed`},
	{"closed by another", head + "<Servers><Server host=\"a\"/></Server>" + tail, `f.xml:1:70: element <Servers> closed by </Server>`},
	{"closed twice", head + servers + tail + tail, `f.xml:1:139: unexpected end element </CoordinationClientConfiguration>`},
	{"no quotes", head + `<Servers><Server host=a/></Servers>` + tail, `f.xml:1:57: unquoted or missing attribute value in element`},
	{"no value", `<CoordinationClientConfiguration enabled>` + servers + tail, `f.xml:1:42: attribute name without = in element`},
	{"two dashes in a comment", head + `<!-- a -- b -->` + servers + tail, `f.xml:1:44: invalid sequence "--" not allowed in comments`},
	{"a bare ampersand", head + `<Servers><Server host="a&b"/></Servers>` + tail, `f.xml:1:60: invalid character entity &b (no semicolon)`},
	{"a less-than in a value", head + `<Servers><Server host="a<b"/></Servers>` + tail, `f.xml:1:59: unescaped < inside quoted string`},
	{"enabled is a word", `<CoordinationClientConfiguration enabled="yes">` + servers + tail, `f.xml:1:34: enabled="yes": want true or false`},
	{"enabled is a number", `<CoordinationClientConfiguration  enabled = "1">` + servers + tail, `f.xml:1:35: enabled="1": want true or false`},
	{"enabled twice", `<CoordinationClientConfiguration enabled="true" enabled="false">` + servers + tail, `f.xml:1:49: attribute enabled of <CoordinationClientConfiguration> is there twice`},
	{"enabled misspelt", "<CoordinationClientConfiguration\n  enable=\"true\">" + servers + tail, `f.xml:2:3: unknown attribute enable of <CoordinationClientConfiguration>: want enabled`},
	{"enabled in other letters", `<CoordinationClientConfiguration Enabled="true">` + servers + tail, `f.xml:1:34: unknown attribute Enabled of <CoordinationClientConfiguration>: want enabled`},
	{"an attribute with a prefix", `<CoordinationClientConfiguration xmlns:x="urn:x" x:enabled="true">` + servers + tail, `f.xml:1:52: unknown attribute enabled of <CoordinationClientConfiguration>: want enabled`},
	{"an attribute whose name stands in a value before", `<CoordinationClientConfiguration enabled="other =" other="">` + servers + tail, `f.xml:1:52: unknown attribute other of <CoordinationClientConfiguration>: want enabled`},
	{"no servers", head + tail, `f.xml:1:1: <Servers> is missing: name at least one server`},
	{"no servers though disabled", "\n" + `<CoordinationClientConfiguration enabled="false"/>`, `f.xml:2:1: <Servers> is missing: name at least one server`},
	{"only a timeout", head + `<SessionTimeout>5000</SessionTimeout>` + tail, `f.xml:1:1: <Servers> is missing: name at least one server`},
	{"empty servers", head + "\n  <Servers/>" + tail, `f.xml:2:3: <Servers> is empty: name at least one server`},
	{"servers with only a comment", head + `<Servers><!-- <Server host="a"/> --></Servers>` + tail, `f.xml:1:34: <Servers> is empty: name at least one server`},
	{"servers twice", head + servers + "\n\t" + servers + tail, `f.xml:2:2: a second <Servers>`},
	{"servers misspelt", head + `<Server>` + servers + `</Server>` + tail, `f.xml:1:34: unknown element <Server> in <CoordinationClientConfiguration>: want <Servers> or <SessionTimeout>`},
	{"servers with an attribute", head + `<Servers host="a"><Server host="a"/></Servers>` + tail, `f.xml:1:43: unknown attribute host of <Servers>: it has none`},
	{"servers with text", head + "<Servers>\n a:2181 <Server host=\"a\"/></Servers>" + tail, `f.xml:2:2: text in <Servers>, where none belongs`},
	{"text in the root", head + "\n " + servers + " 5000" + tail, `f.xml:2:40: text in <CoordinationClientConfiguration>, where none belongs`},
	{"a server with a prefix", head + `<Servers xmlns:x="urn:x"><x:Server host="a"/></Servers>` + tail, `f.xml:1:59: unknown element <x:Server> in <Servers>: want <Server>`},
	{"a server of another name", head + `<Servers><Node host="a"/></Servers>` + tail, `f.xml:1:43: unknown element <Node> in <Servers>: want <Server>`},
	{"an unknown element", head + servers + "\n  <ChRoot>/belfry</ChRoot>" + tail, `f.xml:2:3: unknown element <ChRoot> in <CoordinationClientConfiguration>: want <Servers> or <SessionTimeout>`},
	{"an unknown element first", head + "\n<Retry/>" + servers + tail, `f.xml:2:1: unknown element <Retry> in <CoordinationClientConfiguration>: want <Servers> or <SessionTimeout>`},
	{"an element in a server", head + `<Servers><Server host="a"><Port>1</Port></Server></Servers>` + tail, `f.xml:1:60: unknown element <Port> in <Server>: it has no elements`},
	{"text in a server", head + `<Servers><Server host="a">2181</Server></Servers>` + tail, `f.xml:1:60: text in <Server>, where none belongs`},
	{"CDATA in a server", head + `<Servers><Server host="a"><![CDATA[x]]></Server></Servers>` + tail, `f.xml:1:60: text in <Server>, where none belongs`},
	{"no host", head + "<Servers>\n<Server/></Servers>" + tail, `f.xml:2:1: <Server> needs a host`},
	{"no host but a port", head + `<Servers><Server port="2181"/></Servers>` + tail, `f.xml:1:43: <Server> needs a host`},
	{"an empty host", head + `<Servers><Server port="2181" host=""/></Servers>` + tail, `f.xml:1:63: <Server> needs a host`},
	{"a blank host", head + "<Servers><Server\n\thost=\"  \"/></Servers>" + tail, `f.xml:2:2: <Server> needs a host`},
	{"a port in the host", head + `<Servers><Server host="a:2181"/></Servers>` + tail, `f.xml:1:51: host="a:2181": want a name or an address alone; the port has an attribute of its own`},
	{"a bracket not closed", head + `<Servers><Server host="[::1"/></Servers>` + tail, `f.xml:1:51: host="[::1": want a name or an address alone; the port has an attribute of its own`},
	{"an address and a port in the host", head + `<Servers><Server host="[::1]:2181"/></Servers>` + tail, `f.xml:1:51: host="[::1]:2181": want a name or an address alone; the port has an attribute of its own`},
	{"brackets around IPv4", head + `<Servers><Server host="[10.0.0.1]"/></Servers>` + tail, `f.xml:1:51: host="[10.0.0.1]": brackets are for IPv6 addresses`},
	{"a list in the host", head + `<Servers><Server host="a,b"/></Servers>` + tail, `f.xml:1:51: host="a,b": ',' cannot stand in a host name`},
	{"a path in the host", head + `<Servers><Server host="a/belfry"/></Servers>` + tail, `f.xml:1:51: host="a/belfry": '/' cannot stand in a host name`},
	{"a space in the host", head + `<Servers><Server host="a b"/></Servers>` + tail, `f.xml:1:51: host="a b": ' ' cannot stand in a host name`},
	{"a host that is too long", head + `<Servers><Server host="` + strings.Repeat("a", 254) + `"/></Servers>` + tail, `f.xml:1:51: host of 254 characters: a name has at most 253`},
	{"a host with non-letters after others", head + `<Servers><!-- äöü --><Server host="ä,"/></Servers>` + tail, `f.xml:1:63: host="ä,": ',' cannot stand in a host name`},
	{"the host twice", head + `<Servers><Server host="a" host="b"/></Servers>` + tail, `f.xml:1:60: attribute host of <Server> is there twice`},
	{"an unknown attribute of a server", head + `<Servers><Server host="a" weight="2"/></Servers>` + tail, `f.xml:1:60: unknown attribute weight of <Server>: want host or port`},
	{"a port that is a word", head + `<Servers><Server host="a" port="zk"/></Servers>` + tail, `f.xml:1:60: port="zk": want a number from 1 to 65535`},
	{"port 0", head + `<Servers><Server host="a" port="0"/></Servers>` + tail, `f.xml:1:60: port="0": want a number from 1 to 65535`},
	{"a negative port", head + `<Servers><Server host="a" port="-1"/></Servers>` + tail, `f.xml:1:60: port="-1": want a number from 1 to 65535`},
	{"a port that is too large", head + `<Servers><Server host="a" port="65536"/></Servers>` + tail, `f.xml:1:60: port="65536": want a number from 1 to 65535`},
	{"a port with a fraction", head + `<Servers><Server host="a" port="2181.5"/></Servers>` + tail, `f.xml:1:60: port="2181.5": want a number from 1 to 65535`},
	{"a port beyond integers", head + `<Servers><Server host="a" port="99999999999999999999"/></Servers>` + tail, `f.xml:1:60: port="99999999999999999999": want a number from 1 to 65535`},
	{"a server twice", head + "<Servers><Server host=\"a\"/>\n<Server host=\"a\" port=\"2181\"/></Servers>" + tail, `f.xml:2:1: server a:2181 is named twice`},
	{"too many servers", head + `<Servers>` + manyServers(65) + `</Servers>` + tail, `f.xml:1:1313: there are more than 64 servers`},
	{"an empty timeout", head + servers + `<SessionTimeout/>` + tail, `f.xml:1:88: SessionTimeout "": want milliseconds, such as 5000, or a number with a unit, such as 5s; leave the element out for 10s`},
	{"a blank timeout", head + servers + "\n<SessionTimeout>  </SessionTimeout>" + tail, `f.xml:2:17: SessionTimeout "": want milliseconds, such as 5000, or a number with a unit, such as 5s; leave the element out for 10s`},
	{"a timeout that is a word", head + servers + "\n<SessionTimeout>\n  long</SessionTimeout>" + tail, `f.xml:3:3: SessionTimeout "long": want milliseconds, such as 5000, or a number with a unit, such as 5s`},
	{"a timeout of zero", head + servers + `<SessionTimeout>0</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "0": the shortest is 1ms`},
	{"a negative timeout", head + servers + `<SessionTimeout>-5000</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "-5000": want milliseconds, such as 5000, or a number with a unit, such as 5s`},
	{"a timeout with a fraction and no unit", head + servers + `<SessionTimeout>5.5</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "5.5": want milliseconds, such as 5000, or a number with a unit, such as 5s`},
	{"a timeout in a unknown unit", head + servers + `<SessionTimeout>5 sec</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "5 sec": want milliseconds, such as 5000, or a number with a unit, such as 5s`},
	{"a timeout below a millisecond", head + servers + `<SessionTimeout>10us</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "10us": the shortest is 1ms`},
	{"a timeout above a day", head + servers + `<SessionTimeout>25h</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "25h": the longest is 24h0m0s`},
	{"a timeout beyond integers", head + servers + `<SessionTimeout>99999999999999999999</SessionTimeout>` + tail, `f.xml:1:87: SessionTimeout "99999999999999999999": the longest is 24h0m0s`},
	{"a timeout twice", head + servers + `<SessionTimeout>1</SessionTimeout><SessionTimeout>1</SessionTimeout>` + tail, `f.xml:1:105: a second <SessionTimeout>`},
	{"a timeout with an attribute", head + servers + `<SessionTimeout unit="s">5</SessionTimeout>` + tail, `f.xml:1:87: unknown attribute unit of <SessionTimeout>: it has none`},
	{"a timeout with an element", head + servers + `<SessionTimeout><ms>5</ms></SessionTimeout>` + tail, `f.xml:1:87: unknown element <ms> in <SessionTimeout>: it has no elements`},
	{"a timeout within servers", head + `<Servers><Server host="a"/><SessionTimeout>5</SessionTimeout></Servers>` + tail, `f.xml:1:61: unknown element <SessionTimeout> in <Servers>: want <Server>`},
	{"a file that is too large", head + servers + tail + strings.Repeat(" ", coordclient.MaxConfig), `f.xml: it is larger than 262144 bytes`},
}

func TestParseConfigRefuses(t *testing.T) {
	t.Parallel()
	if len(malformed) < 60 {
		t.Errorf("%d malformed files, want 60 or more", len(malformed))
	}
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := coordclient.ParseConfig("f.xml", strings.NewReader(c.text))
			if err == nil {
				t.Fatalf("accepted as %+v", got)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func manyServers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<Server host="a%d"/>`, i)
	}
	return b.String()
}
