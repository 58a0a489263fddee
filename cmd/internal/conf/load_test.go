package conf

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

// write makes a file in a folder of the test.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// flags parses a command line as belfryd does.
func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	args, err := Normalize(args)
	if err != nil {
		t.Fatal(err)
	}
	set := pflag.NewFlagSet("belfryd", pflag.ContinueOnError)
	AddFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return set
}

func load(t *testing.T, args ...string) Loaded {
	t.Helper()
	l, err := Load(LoadOptions{Flags: flags(t, args...), Hostname: "host-1"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	l := load(t)
	want := Default()
	want.Node, want.Socket, want.Mail.Folder, want.Files.Folder = "host-1", "var/belfryd.sock", "var/mail", "configs/services"
	want.Coordination = "configs/coordination-client-config.xml"
	if d := cmp.Diff(want, l.Config, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	if l.File != "" || len(l.Warnings) != 0 || l.Origins["listen"].String() != "default" || l.Origins["node"].String() != "derived" {
		t.Errorf("file %q, warnings %q, origins %v", l.File, l.Warnings, l.Origins)
	}
}

// The command line wins over the environment, that over the file, that over
// the default.
func TestPrecedence(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("configs", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, DefaultFile, strings.Join([]string{
		"listen: 127.0.0.1:1", "node: file", "data: filedata", "services: s", "log:", "  level: warn",
		"scheduler:", "  workers: 7", "limits:", "  body: 2MiB", "inbox:", "  enabled: false", "mail:", "  from: 'B <b@example.org>'",
		"  smtp:", "    user: 12345", "datasource_map:", "  - match: 'a*'", "    url: sqlite:f", "",
	}, "\n"))
	t.Setenv("BELFRY_LISTEN", "127.0.0.1:2")
	t.Setenv("BELFRY_NODE", "env")
	t.Setenv("BELFRY_LIMITS_REQUEST_TIME", "5s")
	t.Setenv("BELFRY_MAIL_SMTP_PASSWORD", "hidden")
	t.Setenv("BELFRY_LOG_FORMAT", "") // as if it were not set
	l := load(t, "--listen", "127.0.0.1:3", "--map-datasource", "jdbc:h2:*=sqlite:var/x?a=b", "--map-datasource=b=postgres://u:p@h/d")
	c := l.Config
	for _, v := range []struct {
		key       string
		got, want any
		origin    string
	}{
		{"listen", c.Listen, "127.0.0.1:3", "flag --listen"},
		{"node", c.Node, "env", "environment BELFRY_NODE"},
		{"data", c.Data, "filedata", "file configs/belfryd.yaml:3:7"},
		{"socket", c.Socket, "filedata/belfryd.sock", "derived"},
		{"services", c.Services, "s", "file configs/belfryd.yaml:4:11"},
		{"log.level", c.Log.Level, "warn", "file configs/belfryd.yaml:6:10"},
		{"log.format", c.Log.Format, "text", "default"},
		{"scheduler.workers", c.Scheduler.Workers, 7, "file configs/belfryd.yaml:8:12"},
		{"limits.body", c.Limits.Body, 2 * MiB, "file configs/belfryd.yaml:10:9"},
		{"limits.request_time", c.Limits.RequestTime, 5 * time.Second, "environment BELFRY_LIMITS_REQUEST_TIME"},
		{"inbox.enabled", c.Inbox.Enabled, false, "file configs/belfryd.yaml:12:12"},
		{"mail.smtp.user", c.Mail.SMTP.User, "12345", "file configs/belfryd.yaml:16:11"},
		{"mail.smtp.password", c.Mail.SMTP.Password.Reveal(), "hidden", "environment BELFRY_MAIL_SMTP_PASSWORD"},
		{"datasource_map", fmt.Sprint(c.DatasourceMap), "[jdbc:h2:*=sqlite:var/x?a=b b=postgres://u:***@h/d a*=sqlite:f]", "flag --map-datasource"},
	} {
		if v.got != v.want || l.Origins[v.key].String() != v.origin {
			t.Errorf("%s is %v from %s; want %v from %s", v.key, v.got, l.Origins[v.key], v.want, v.origin)
		}
	}
	if l.File != DefaultFile {
		t.Errorf("read %q", l.File)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, dir, "bad.yaml", "log:\n  level: loud\n")
	writeFile(t, dir, "secret", "s3cret\n")
	if err := os.Mkdir("conf", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "conf/tasks-config.xml", "<tasks-configuration><taskServerCuont/></tasks-configuration>")
	if err := os.WriteFile("open", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "open.yaml", "mail:\n  smtp:\n    user: u\n    password_file: open\n")
	writeFile(t, dir, "both.yaml", "webhook:\n  secret: x\n  secret_file: secret\n")
	writeFile(t, dir, "gone.yaml", "webhook:\n  secret_file: gone\n")
	for _, c := range []struct {
		name string
		args []string
		env  [2]string
		want string
	}{
		{"missing file", []string{"--config", "none.yaml"}, [2]string{}, "none.yaml: no such file or directory"},
		{"folder", []string{"--config", "."}, [2]string{}, ".: is a directory"},
		{"broken file", []string{"--config", "bad.yaml"}, [2]string{}, `bad.yaml:2:10: log.level: "loud"; it may be debug, info, warn, error`},
		{"flag", []string{"--log-level=loud"}, [2]string{}, `--log-level: log.level: "loud"; it may be debug, info, warn, error`},
		{"flag of combination", []string{"--listen=x"}, [2]string{}, `--listen: listen: "x" is not host:port`},
		{"count", []string{"--task.server.count=none"}, [2]string{}, `--task.server.count: task_server_count: "none" is not a whole number`},
		{"variable", nil, [2]string{"BELFRY_SCHEDULER_WORKERS", "0"}, "BELFRY_SCHEDULER_WORKERS: scheduler.workers: 0 is not between 1 and 100000"},
		{"mapping", []string{"--map-datasource=x"}, [2]string{}, `--map-datasource: "x" is not PATTERN=URL, with a URL like sqlite:PATH, postgres://…, mysql://… or jdbc:…`},
		{"tasks", []string{"--conf=conf"}, [2]string{}, `conf/tasks-config.xml:1:22: unknown element <taskServerCuont> in <tasks-configuration>; did you mean "taskServerCount"?`},
		{"open secret", []string{"--config=open.yaml"}, [2]string{}, "open.yaml:4:20: mail.smtp.password_file open can be read by others (mode 0644); make it 0600"},
		{"two secrets", []string{"--config=both.yaml"}, [2]string{}, "both.yaml:3:16: webhook.secret and webhook.secret_file are both given"},
		{"missing secret", []string{"--config=gone.yaml"}, [2]string{}, "gone.yaml:2:16: webhook.secret_file gone: no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.env[0] != "" {
				t.Setenv(c.env[0], c.env[1])
			}
			_, err := Load(LoadOptions{Flags: flags(t, c.args...), Hostname: "h"})
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestSecretFile(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, ".", "secret", "s3cret\n")
	writeFile(t, ".", "b.yaml", "webhook:\n  secret_file: secret\n")
	l := load(t, "--config=b.yaml")
	if got := l.Config.Webhook.Secret.Reveal(); got != "s3cret" || l.Origins["webhook.secret"].Where != "secret" {
		t.Errorf("secret %q from %v", got, l.Origins["webhook.secret"])
	}
}

// No way of printing shows a secret.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Webhook.Secret = "hunter2"
	c.DatasourceMap = []Mapping{
		{"a", "postgres://u:hunter2@h/d"}, {"b", "jdbc:mysql://h/d?user=u&password=hunter2&x=y"}, {"c", "mysql://u:hun@ter2:hunter2@h/d"},
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "secret", c.Webhook.Secret, "map", c.DatasourceMap)
	shown := fmt.Sprintf("%v %+v %#v %s %q %s %s", c, c, c, c.Webhook.Secret, c.Webhook.Secret, text, log.String())
	for _, v := range c.Values(nil) {
		shown += v.Text
	}
	if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "x=y") || !strings.Contains(shown, "***") {
		t.Errorf("a secret is shown, or too little: %s", shown)
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"-task.server.count=3", "--task.server.count=3"},
		{"--task.server.count=3", "--task.server.count=3"},
		{"-Dtask.server.count=3", "--task.server.count=3"},
		{"--task.server.count 3 --node n", "--task.server.count 3 --node n"},
		{"--listen x -- -Dtask.server.count=3", "--listen x -- -Dtask.server.count=3"},
		{"-h task.server.count=3", "-h task.server.count=3"},
	} {
		got, err := Normalize(strings.Fields(c.args))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v", c.args, got, err)
		}
	}
	for arg, want := range map[string]string{
		"-Dtask.server.cuont=3":          `unknown system property "task.server.cuont"; did you mean "task.server.count"?`,
		"-Dx=1":                          `unknown system property "x"; it may be task.client.dispatch.address, task.server.count, task.server.remote.address, task.server.remote.password, task.server.remote.username`,
		"-Dtask.server.remote.address=x": "task.server.remote.address belongs to the REMOTE task server mode, which is not offered",
		"--task.server.remote.address=x": "task.server.remote.address belongs to the REMOTE task server mode, which is not offered",
	} {
		if _, err := Normalize([]string{arg}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", arg, err, want)
		}
	}
}

// The server count comes from the command line, else the environment, else
// tasks-config.xml, else belfryd.yaml.
func TestServerCount(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, dir, "b.yaml", "conf: .\ntask_server_count: 2\n")
	check := func(want int, origin string, args ...string) {
		t.Helper()
		l := load(t, append([]string{"--config=b.yaml"}, args...)...)
		if l.Config.TaskServerCount != want || l.Origins["task_server_count"].String() != origin {
			t.Errorf("count %d from %s; want %d from %s", l.Config.TaskServerCount, l.Origins["task_server_count"], want, origin)
		}
	}
	check(2, "file b.yaml:2:20")
	for _, silent := range []string{"-1", "0"} {
		writeFile(t, dir, TasksFile, "<tasks-configuration>\n<taskServerCount>"+silent+"</taskServerCount></tasks-configuration>")
		check(2, "file b.yaml:2:20")
	}
	writeFile(t, dir, TasksFile, "<tasks-configuration>\n<taskServerCount> 3</taskServerCount></tasks-configuration>")
	check(3, "tasks-config.xml tasks-config.xml:2:19")
	t.Setenv("BELFRY_TASK_SERVER_COUNT", "4")
	check(4, "environment BELFRY_TASK_SERVER_COUNT")
	check(5, "flag --task.server.count", "-Dtask.server.count=5")
}

func TestCheckServerCount(t *testing.T) {
	t.Parallel()
	flag := Origin{Source: FromFlag, Where: "--task.server.count"}
	tasks := Origin{Source: FromTasks, Where: "t.xml", Line: 2, Column: 3}
	if w, err := CheckServerCount(1, flag); w != "" || err != nil {
		t.Errorf("one server: %q, %v", w, err)
	}
	if w, err := CheckServerCount(2, tasks); err != nil || w != "tasks-config.xml t.xml:2:3: taskServerCount is 2, but this host is alone (coordination is not enabled); tasks are scheduled at once" {
		t.Errorf("two from the XML: %q, %v", w, err)
	}
	const want = "flag --task.server.count: the task server count is 2, but this host is alone: enable coordination in coordination-client-config.xml, or leave the count out"
	if w, err := CheckServerCount(2, flag); w != "" || err == nil || err.Error() != want {
		t.Errorf("two from a flag: %q, %v", w, err)
	}
}

func TestStrayVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("BELFRY_LOG_LEVL", "debug")
	t.Setenv("BELFRY_CORPUS", "/x") // somebody else's
	want := []string{`environment variable BELFRY_LOG_LEVL is not a setting and has no effect; did you mean "BELFRY_LOG_LEVEL"?`}
	if d := cmp.Diff(want, load(t).Warnings); d != "" {
		t.Error(d)
	}
}

// Every key is documented, and its default is valid.
func TestKeys(t *testing.T) {
	t.Parallel()
	var flagNames []string
	for _, k := range Keys() {
		if k.Help == "" || k.Kind == "" || !strings.HasPrefix(k.Env, "BELFRY_") || k.Name != strings.ToLower(k.Name) {
			t.Errorf("incomplete key %+v", k)
		}
		if _, err := k.parse(k.Default); err != nil && k.Kind != KindMappings {
			t.Errorf("the default of %s is refused: %v", k.Name, err)
		}
		if (k.Kind == KindInt || k.Kind == KindDuration || k.Kind == KindSize) && (k.Min == "" || k.Max == "") {
			t.Errorf("%s has no bounds", k.Name)
		}
		if k.Flag != "" {
			flagNames = append(flagNames, k.Flag)
		}
	}
	want := strings.Fields("listen tls-listen services data conf coordination node socket task.server.count log-level log-format map-datasource handlers")
	slices.Sort(want)
	slices.Sort(flagNames)
	if d := cmp.Diff(want, flagNames); d != "" {
		t.Error(d)
	}
}
