package coordserver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func members() []string {
	return []string{"zk1.example.org:2888:3888", "10.0.0.2:2888:3888", "[fd00::3]:2888:3888"}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Options)
		says   string // empty: accepted
	}{
		"alone":                {func(*Options) {}, ""},
		"every address":        {func(o *Options) { o.Listen = ":2181" }, ""},
		"IPv6":                 {func(o *Options) { o.Listen = "[::1]:2181" }, ""},
		"ensemble":             {func(o *Options) { o.ID, o.Members = 3, members() }, ""},
		"no folder":            {func(o *Options) { o.Data = "" }, "data folder"},
		"folder in two lines":  {func(o *Options) { o.Data = "a\nb" }, "line break"},
		"no port":              {func(o *Options) { o.Listen = "127.0.0.1" }, "want host:port"},
		"any port":             {func(o *Options) { o.Listen = "127.0.0.1:0" }, "want 1 to 65535"},
		"id alone":             {func(o *Options) { o.ID = 1 }, "has no id"},
		"id out of range":      {func(o *Options) { o.ID, o.Members = 4, members() }, "from 1"},
		"no id":                {func(o *Options) { o.Members = members() }, "from 1"},
		"two members":          {func(o *Options) { o.ID, o.Members = 1, members()[:2] }, "3 to 9"},
		"member without ports": {func(o *Options) { o.ID, o.Members = 1, append(members()[:2], "zk3") }, "member 3"},
		"member with one port": {func(o *Options) { o.ID, o.Members = 1, append(members()[:2], "zk3:2888") }, "member 3"},
		"member twice":         {func(o *Options) { o.ID, o.Members = 1, append(members()[:2], members()[0]) }, "taken"},
		"member's ports equal": {func(o *Options) { o.ID, o.Members = 1, append(members()[:2], "zk3:2888:2888") }, "taken"},
		"member with a line":   {func(o *Options) { o.ID, o.Members = 1, append(members()[:2], "zk\n3:2888:3888") }, "member 3"},
		"tick too short":       {func(o *Options) { o.Tick = time.Millisecond }, "tick"},
		"tick with a fraction": {func(o *Options) { o.Tick = time.Second + time.Microsecond }, "whole milliseconds"},
	} {
		o := Options{Data: "d"}
		c.change(&o)
		_, err := o.withDefaults()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	o, err := Options{Listen: "127.0.0.1:2281", Data: "/srv/zk", ID: 2, Members: members(), Tick: 500 * time.Millisecond}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.configuration()
	if err != nil {
		t.Fatal(err)
	}
	const want = `# Written by belfryd coordination-server at each start: edits are lost.
tickTime=500
initLimit=30
syncLimit=4
minSessionTimeout=4000
maxSessionTimeout=30000
dataDir=/srv/zk/data
clientPortAddress=127.0.0.1
clientPort=2281
maxClientCnxns=1000
forceSync=yes
snapSizeLimitInKb=262144
autopurge.snapRetainCount=5
autopurge.purgeInterval=1
4lw.commands.whitelist=srvr,ruok,mntr
admin.enableServer=false
server.1=zk1.example.org:2888:3888
server.2=10.0.0.2:2888:3888
server.3=[fd00::3]:2888:3888
`
	if got != want {
		t.Errorf("zoo.cfg is\n%s\nwant\n%s", got, want)
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	java, err := os.Executable() // any program will do
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Data: filepath.Join(t.TempDir(), "zk"), Java: java, ClassPath: "/opt/zookeeper/lib/*", Flags: []string{"-Da=b"}}
	for range 2 { // the second time its data is there
		c, err := Prepare(o)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(c.Args, " "); !strings.HasSuffix(text, " -Da=b -cp /opt/zookeeper/lib/* "+mainClass+" "+c.Config) {
			t.Errorf("arguments %s", text)
		}
		if _, err := os.Stat(c.Config); err != nil {
			t.Error(err)
		}
	}
	other := o
	other.ID, other.Members = 1, members()
	if _, err := Prepare(other); err == nil || !strings.Contains(err.Error(), "that of server 0, not of 1") {
		t.Errorf("another's data: %v", err)
	}
	o.Java = filepath.Join(t.TempDir(), "java")
	if _, err := Prepare(o); !errors.Is(err, ErrMissing) {
		t.Errorf("no Java: %v", err)
	}
}
