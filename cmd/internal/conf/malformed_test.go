package conf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each file is refused with exactly these faults, as line:column: message.
var malformedYAML = []struct{ name, text, want string }{
	// The YAML itself.
	{"open list", "log: [", "1:1: not YAML: "},
	{"open quote", "listen: \"x\nlog:\n", "3:1: not YAML: found unexpected end of stream"},
	{"tab", "log:\n\tlevel: info\n", "2:1: not YAML: "},
	{"not settings", "hello", "1:1: the file must hold settings, one a line, as name: value"},
	{"a list", "- a\n- b\n", "1:1: the file must hold settings, one a line, as name: value"},
	{"two documents", "listen: 'a:1'\n---\nlisten: 'b:2'\n", "2:1: a second document; there must be one"},
	{"alias", "listen: &a 127.0.0.1:1\nnode: *a\n", "2:7: node: aliases (*name) are not taken; write the value"},
	{"merge", "log: &l\n  level: info\nmail:\n  <<: *l\n", "4:3: the name of a setting must be a word"},
	{"name that is a number", "1: x\n", "1:1: the name of a setting must be a word"},
	{"name that is a list", "[a]: x\n", "1:1: the name of a setting must be a word"},
	{"control character", "listen: a\x01b\n", "1:1: not YAML: "},

	// Names.
	{"unknown", "zzzzzzzzz: 1\n", `1:1: unknown setting "zzzzzzzzz"`},
	{"misspelt", "lisen: x\n", `1:1: unknown setting "lisen"; did you mean "listen"?`},
	{"upper case", "Listen: 'a:1'\n", `1:1: unknown setting "Listen"; did you mean "listen"?`},
	{"misspelt section", "mial:\n  from: a@b.c\n", `1:1: unknown setting "mial"; did you mean "mail"?`},
	{"misspelt below", "mail:\n  smtp:\n    hots: x\n", `3:5: unknown setting "mail.smtp.hots"; did you mean "mail.smtp.host"?`},
	{"in the wrong section", "log:\n  workers: 5\n", `2:3: unknown setting "log.workers"; it may be log.format, log.level`},
	{"dotted", "log.level: info\n", `1:1: unknown setting "log.level"; write log: and level below it, indented`},
	{"with a dash", "task-server-count: 2\n", `1:1: unknown setting "task-server-count"; did you mean "task_server_count"?`},
	{"twice", "node: a\nlisten: 'a:1'\nnode: b\n", "3:1: node is given twice"},
	{"section twice", "log:\n  level: info\nlog:\n  format: text\n", "3:1: log is given twice"},
	{"twice below", "log:\n  level: info\n  level: warn\n", "3:3: log.level is given twice"},

	// Types.
	{"section that is a value", "log: info\n", "1:6: log must hold settings, one a line, as name: value"},
	{"section that is a list", "log:\n  - level\n", "2:3: log must hold settings, one a line, as name: value"},
	{"value that is a section", "listen:\n  host: x\n", "2:3: listen: it must be one value, a text, not a list or a section"},
	{"value that is a list", "listen: [a, b]\n", "1:9: listen: it must be one value, a text, not a list or a section"},
	{"nothing", "listen:\n", `1:8: listen: it has no value; leave it out for the default, or write ""`},
	{"truth for a text", "node: true\n", "1:7: node: it is a YAML bool; it must be a text"},
	{"text for a truth", "inbox:\n  enabled: yes\n", "2:12: inbox.enabled: it is a YAML str; it must be true or false"},
	{"number for a truth", "inbox:\n  enabled: 1\n", "2:12: inbox.enabled: it is a YAML int; it must be true or false"},
	{"text for a number", "scheduler:\n  workers: many\n", "2:12: scheduler.workers: it is a YAML str; it must be a number"},
	{"quoted number", "scheduler:\n  workers: '5'\n", "2:12: scheduler.workers: it is a YAML str; it must be a number"},
	{"fraction", "scheduler:\n  workers: 1.5\n", "2:12: scheduler.workers: it is a YAML float; it must be a number"},
	{"hexadecimal", "scheduler:\n  workers: 0x10\n", `2:12: scheduler.workers: "0x10" is not a whole number`},
	{"time without unit", "limits:\n  request_time: 30\n", `2:17: limits.request_time: "30" is not a time; write a number with a unit, such as "500ms", "5s" or "1h30m"`},
	{"time in words", "limits:\n  request_time: 5 minutes\n", `2:17: limits.request_time: "5 minutes" is not a time; write a number with a unit, such as "500ms", "5s" or "1h30m"`},
	{"size in words", "limits:\n  body: 1 meg\n", `2:9: limits.body: "1 meg" is not a size; write bytes as a number, or "512KiB", "1MiB", "2GiB"`},
	{"size in thousands", "limits:\n  body: 1MB\n", `2:9: limits.body: "1MB" is not a size; write bytes as a number, or "512KiB", "1MiB", "2GiB"`},
	{"secret that is a truth", "webhook:\n  secret: true\n", "2:11: webhook.secret: it is a YAML bool; it must be a secret"},
	{"a tag of one's own", "node: !secret x\n", "1:7: node: it is a YAML !secret; it must be a text"},

	// Values.
	{"level", "log:\n  level: inf\n", `2:10: log.level: "inf"; did you mean "info"?`},
	{"format", "log:\n  format: logfmt\n", `2:11: log.format: "logfmt"; it may be text, json`},
	{"upper case value", "log:\n  level: INFO\n", `2:10: log.level: "INFO"; did you mean "info"?`},
	{"too small", "scheduler:\n  workers: 0\n", "2:12: scheduler.workers: 0 is not between 1 and 100000"},
	{"too many buckets", "scheduler:\n  bucket_count: 1001\n", "2:17: scheduler.bucket_count: 1001 is not between 1 and 1000"},
	{"negative", "task_server_count: -1\n", "1:20: task_server_count: -1 is not between 1 and 1000"},
	{"no time", "limits:\n  request_time: 0s\n", "2:17: limits.request_time: 0s is not between 10ms and 24h"},
	{"negative time", "shutdown:\n  soft_stop: -5s\n", "2:14: shutdown.soft_stop: -5s is not between 0s and 1h"},
	{"size too large", "limits:\n  body: 2GiB\n", "2:9: limits.body: 2GiB is not between 1KiB and 1GiB"},
	{"huge size", "limits:\n  answer: 9999999999TiB\n", `2:11: limits.answer: "9999999999TiB" is not a size; write bytes as a number, or "512KiB", "1MiB", "2GiB"`},
	{"port of the mail server", "mail:\n  smtp:\n    port: 70000\n", "3:11: mail.smtp.port: 70000 is not between 1 and 65535"},

	// Data sources.
	{"map that is a text", "datasource_map: a\n", "1:17: datasource_map must be a list of entries with match and url"},
	{"map that is a section", "datasource_map:\n  match: a\n  url: sqlite:x\n", "2:3: datasource_map must be a list of entries with match and url"},
	{"entry that is a number", "datasource_map:\n  - 5\n", "2:5: datasource_map: an entry has match and url"},
	{"entry of another name", "datasource_map:\n  - match: a\n    uri: sqlite:x\n", `3:5: unknown setting "uri" of an entry of datasource_map; did you mean "url"?`},
	{"entry without url", "datasource_map:\n  - match: a\n", `2:5: datasource_map: "" is not a URL like sqlite:PATH, postgres://…, mysql://… or jdbc:…`},
	{"entry without match", "datasource_map:\n  - url: sqlite:x\n", "2:5: datasource_map: the pattern is empty; * matches everything"},
	{"entry of a foreign kind", "datasource_map:\n  - match: a\n    url: oracle://x\n", `2:5: datasource_map: "oracle://x" is not a URL like sqlite:PATH, postgres://…, mysql://… or jdbc:…`},
	{"entry twice", "datasource_map:\n  - match: a\n    match: b\n    url: sqlite:x\n", "3:5: match of an entry of datasource_map is given twice"},
	{"entry that is a list", "datasource_map:\n  - [a, b]\n", "2:5: datasource_map: an entry has match and url"},
	{"entry in one line", "datasource_map:\n  - a=b\n", `2:5: datasource_map: "a=b" is not PATTERN=URL, with a URL like sqlite:PATH, postgres://…, mysql://… or jdbc:…`},
	{"entry's list", "datasource_map:\n  - match: [a]\n    url: sqlite:x\n", "2:12: match of an entry of datasource_map: it must be one value, a text, not a list or a section"},

	// Combinations.
	{"address", "listen: localhost\n", `1:9: listen: "localhost" is not host:port`},
	{"port", "listen: localhost:http\n", `1:9: listen: port "http" is not between 0 and 65535`},
	{"empty folder", "services: ''\n", "1:11: services: it must not be empty"},
	{"node", "node: my host\n", `1:7: node: "my host" must be letters, digits, - . _, at most 64`},
	{"socket", "socket: " + strings.Repeat("x", 108) + "\n", "1:9: socket: the path has 108 bytes, a unix socket's has at most 107; name a shorter one with --socket"},
	{"table", "inbox:\n  table: a-b\n", `2:10: inbox.table: "a-b" must be a letter and then letters, digits, _ (schema.table works)`},
	{"mail without server", "mail:\n  transport: smtp\n", "2:14: mail.transport is smtp, but mail.smtp.host is empty"},
	{"sender", "mail:\n  from: nobody\n", `2:9: mail.from: "nobody" is not a mail address`},
	{"sender with a line end", "mail:\n  from: \"a@b.c\\r\\nBcc: x@y.z\"\n", `2:9: mail.from: "a@b.c\r\nBcc: x@y.z" is not a mail address`},
	{"password without user", "mail:\n  smtp:\n    password: x\n", "3:15: mail.smtp.password is given without mail.smtp.user"},
	{"password of nobody", "zookeeper:\n  password: x\n", "2:13: zookeeper.password is given without zookeeper.user"},
	{"certificates without TLS", "zookeeper:\n  ca_file: ca.pem\n", "2:12: zookeeper.ca_file means something only with zookeeper.tls: true"},
	{"half a certificate", "zookeeper:\n  tls: true\n  cert_file: c.pem\n", "3:14: zookeeper.cert_file and zookeeper.key_file belong together"},
	{"no path", "zookeeper:\n  root: belfry\n", `2:9: zookeeper.root: "belfry" is not a path like /belfry`},
	{"stops", "shutdown:\n  soft_stop: 1m\n  hard_stop: 30s\n", "3:14: shutdown.hard_stop 30s is shorter than shutdown.soft_stop 1m"},
	{"retries", "events:\n  first_retry: 1m\n  max_retry: 1s\n", "3:14: events.max_retry 1s is shorter than events.first_retry 1m"},
	{"several", "lisen: x\nlog:\n  level: loud\nnode: true\n", "1:1: unknown setting \"lisen\"; did you mean \"listen\"?\n3:10: log.level: \"loud\"; it may be debug, info, warn, error\n4:7: node: it is a YAML bool; it must be a text"},
}

func TestMalformedYAML(t *testing.T) {
	t.Parallel()
	for _, c := range malformedYAML {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "b.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			checkFaults(t, Check(file), file, c.want)
		})
	}
}

// checkFaults compares an error with the faults wanted, one a line; one that
// ends in ": " stands for any that begins so.
func checkFaults(t *testing.T, err error, file, want string) {
	t.Helper()
	var faults *Error
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want %s", err, want)
	}
	got := strings.ReplaceAll(err.Error(), file+":", "")
	if got != want && !(strings.HasSuffix(want, ": ") && strings.HasPrefix(got, want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

const goodTasks = `<tasks-configuration xmlns:svns="http://org.wso2.securevault/configuration">
  <taskServerMode>AUTO</taskServerMode>
  <taskServerCount>3</taskServerCount>
  <defaultLocationResolver>
    <locationResolverClass>a.RuleBasedLocationResolver</locationResolverClass>
    <properties>
      <property name="rule-1">A,.*,.*</property>
    </properties>
  </defaultLocationResolver>
  <taskClientDispatchAddress>https://localhost:9448</taskClientDispatchAddress>
  <remoteServerPassword>admin</remoteServerPassword>
  <taskServerAvailabilityCheck>
    <retryCount>5</retryCount>
    <retryInterval>2500</retryInterval>
  </taskServerAvailabilityCheck>
</tasks-configuration>
`

// Each case replaces a piece of goodTasks, once.
var malformedTasks = []struct{ name, old, new, want string }{
	{"not closed", "</tasks-configuration>", "", "17:1: not well-formed XML: unexpected EOF"},
	{"empty", goodTasks, "", "1:1: there is no element in the file"},
	{"document type", "<tasks", "<!DOCTYPE x><tasks", "1:1: a document type or other <! directive is not allowed"},
	{"second root", "</tasks-configuration>\n", "</tasks-configuration><x/>", "16:23: a second root element <x>"},
	{"text outside", "</tasks-configuration>\n", "</tasks-configuration>x", "16:23: text outside the root element"},
	{"another root", goodTasks, "<task-configuration/>", "1:1: the root element is <task-configuration>; it must be <tasks-configuration>, in no namespace"},
	{"root in a namespace", goodTasks, `<tasks-configuration xmlns="urn:x"/>`, "1:1: the root element is <tasks-configuration>; it must be <tasks-configuration>, in no namespace"},
	{"attribute twice", `name="rule-1"`, `name="rule-1" name="x"`, `7:7: attribute "name" of <property> is given twice`},
	{"undeclared prefix", `<property name`, `<property x:y="" name`, `7:7: prefix "x" is not declared`},
	{"not UTF-8", "a.Rule", "\xff", "1:1: not UTF-8; save the file as UTF-8"},
	{"too deep", "<properties>", strings.Repeat("<properties>", 70), "6:749: elements are nested more than 64 deep"},
	{"unknown element", "<taskServerMode>AUTO</taskServerMode>", "<taskServerMod/>", `2:3: unknown element <taskServerMod> in <tasks-configuration>; did you mean "taskServerMode"?`},
	{"unknown attribute", "<taskServerCount>", `<taskServerCount unit="x">`, `3:3: unknown attribute "unit" of <taskServerCount>`},
	{"element twice", "<taskServerMode>AUTO</taskServerMode>", "<taskServerCount>1</taskServerCount>", "3:3: a second <taskServerCount> in <tasks-configuration>"},
	{"stray text", "<properties>", "x<properties>", "6:5: <defaultLocationResolver> holds no text"},
	{"elements in a value", "AUTO", "<a/>AUTO", "2:19: <taskServerMode> holds no elements"},
	{"remote mode", "AUTO", "REMOTE", "2:19: taskServerMode REMOTE is not offered: tasks run on the members of the cluster; write AUTO"},
	{"unknown mode", "AUTO", "CLUSTER", `2:19: taskServerMode "CLUSTER"; did you mean "CLUSTERED"?`},
	{"no mode", "AUTO", " ", "2:3: <taskServerMode> is empty"},
	{"count", ">3<", ">three<", `3:20: taskServerCount "three" is not a number between 1 and 1000; -1 leaves it to task.server.count`},
	{"negative count", ">3<", ">-2<", `3:20: taskServerCount "-2" is not a number between 1 and 1000; -1 leaves it to task.server.count`},
	{"no count", ">3<", "><", "3:3: <taskServerCount> is empty"},
	{"resolver without class", "<locationResolverClass>a.RuleBasedLocationResolver</locationResolverClass>", "", "4:3: <defaultLocationResolver> needs <locationResolverClass>"},
	{"property without name", `<property name="rule-1">`, "<property>", "7:7: <property> needs a name"},
	{"property twice", `</properties>`, `<property name="rule-1"/></properties>`, `8:5: property "rule-1" is given twice`},
	{"not a property", `</properties>`, `<prop/></properties>`, `8:5: unknown element <prop> in <properties>; it may be property`},
	{"retries", ">5<", ">-5<", `13:17: retryCount "-5" is not a whole number from 0`},
	{"retry interval", ">2500<", ">soon<", `14:20: retryInterval "soon" is not a time above zero; write milliseconds, or a number with a unit such as "5s"`},
}

func TestMalformedTasks(t *testing.T) {
	t.Parallel()
	for _, c := range malformedTasks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(goodTasks, c.old) {
				t.Fatalf("the good file holds no %q", c.old)
			}
			file := filepath.Join(t.TempDir(), TasksFile)
			if err := os.WriteFile(file, []byte(strings.Replace(goodTasks, c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			checkFaults(t, Check(file), file, c.want)
		})
	}
}
