package importer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/plugin/task"
)

func sample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "configs", "import", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func infos(all []imported) (infos []task.Info, notes []string) {
	for _, i := range all {
		infos = append(infos, i.Info)
		notes = append(notes, i.notes...)
	}
	return infos, notes
}

func TestWSO2(t *testing.T) {
	t.Parallel()
	all, err := wso2("x", sample(t, "nightly-task.xml"), target{tz: "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	got, notes := infos(all)
	want := []task.Info{{
		Key: task.Key{Name: "nightly-stock"}.Normal(), Service: "Stock", Operation: "getLowStock",
		Trigger: task.TriggerInfo{Cron: "0 30 2 * * ?", TZ: "Europe/Berlin", Start: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)},
		Misfire: task.MisfireSkip, Overlap: task.OverlapQueue,
		Location: &task.Location{Resolver: "org.wso2.carbon.ntask.core.impl.RoundRobinTaskLocationResolver"},
	}}
	if d := cmp.Diff(want, got); d != "" || len(notes) > 0 {
		t.Errorf("%s%v", d, notes)
	}
	for text, says := range map[string]string{
		`<taskInfo><name>a</name><taskClass>x.Mine</taskClass><triggerInfo><intervalMillis>1000</intervalMillis><repeatCount>9</repeatCount></triggerInfo></taskInfo>`:                                                      "class Mine is Java code",
		`<r><taskInfo><name>a</name><properties><entry><key>SERVICE_TARGET_EPR</key><value>http://h/s</value></entry><entry><key>SERVICE_PAYLOAD_HANDLER_CLASS</key><value>x.P</value></entry></properties></taskInfo></r>`: "payload comes from the Java class x.P",
		`<taskInfo><name>a</name><triggerInfo><misfirePolicy>NOW_WITH_REMAINING_COUNT</misfirePolicy></triggerInfo></taskInfo>`:                                                                                             "NOW_WITH_REMAINING_COUNT",
		`<taskInfo><name>a</name><properties><entry><key>colour</key><value>red</value></entry></properties></taskInfo>`:                                                                                                    "not kept: colour",
		`<taskInfo><name>a</name><surprise/></taskInfo>`:                                                              "element surprise is not known",
		`<taskInfo><name>a</name><triggerInfo><cron>0 0 12 * * ?</cron></triggerInfo></taskInfo>`:                     "element cron is not known",
		`<taskInfo><name>a</name><triggerInfo><cronExpression>0 0 12 * * ?</cronExpression></triggerInfo></taskInfo>`: "say which zone",
	} {
		all, err := wso2("x", []byte(text), target{})
		if err != nil || !slices.ContainsFunc(all[0].notes, func(n string) bool { return strings.Contains(n, says) }) {
			t.Errorf("%s: %v, %v; want %s", text, all, err, says)
		}
	}
	for _, text := range []string{"", "<a/>", "<taskInfo>", "<taskInfo><triggerInfo><startTime>soon</startTime></triggerInfo></taskInfo>"} {
		if _, err := wso2("x", []byte(text), target{}); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestCrontab(t *testing.T) {
	t.Parallel()
	all, err := crontab("/etc/crontab", sample(t, "crontab"), target{service: "Stock", operation: "getLowStock"})
	if err != nil {
		t.Fatal(err)
	}
	got, notes := infos(all)
	want := []task.Info{
		{
			Key: task.Key{Name: "usr-local-bin-check-stock-all"}.Normal(), Service: "Stock", Operation: "getLowStock", Misfire: task.MisfireSkip,
			Trigger: task.TriggerInfo{Cron: "30 2 * * *", TZ: "Europe/Berlin"}, Description: "/usr/local/bin/check-stock --all",
		},
		{
			Key: task.Key{Name: "curl-fsS-https-example.org-hooks-stock"}.Normal(), Misfire: task.MisfireSkip,
			Do:      &task.Action{HTTP: &task.HTTPCall{URL: "https://example.org/hooks/stock"}},
			Trigger: task.TriggerInfo{Cron: "*/15 * * * *", TZ: "Europe/Berlin"}, Description: "curl -fsS https://example.org/hooks/stock",
		},
		{
			Key: task.Key{Name: "usr-local-bin-report"}.Normal(), Service: "Stock", Operation: "getLowStock", Misfire: task.MisfireSkip,
			Trigger: task.TriggerInfo{Cron: "@daily", TZ: "Europe/Berlin"}, Description: "/usr/local/bin/report",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(notes) != 3 {
		t.Errorf("notes %q", notes)
	}
	for _, text := range []string{"", "* * *", "@reboot x", "61 * * * * x"} {
		if _, err := crontab("x", []byte(text), target{}); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestCronJobs(t *testing.T) {
	t.Parallel()
	all, err := cronJobs("x", sample(t, "cronjob.yaml"), target{})
	if err != nil {
		t.Fatal(err)
	}
	got, notes := infos(all)
	want := []task.Info{{
		Key: task.Key{Name: "nightly-stock"}.Normal(), Trigger: task.TriggerInfo{Cron: "30 2 * * *", TZ: "Europe/Berlin"},
		Overlap: task.OverlapSkip, Paused: true, PauseReason: "suspended", Timeout: task.Duration(5 * time.Minute),
		Retry: task.Retry{Max: 2, Backoff: task.Duration(10 * time.Second)}, Description: "example.org/stock:1.4 --all",
	}}
	if d := cmp.Diff(want, got); d != "" || len(notes) != 3 {
		t.Errorf("%s%q", d, notes)
	}
	list, err := cronJobs("x", []byte("kind: List\nitems:\n- {kind: CronJob, metadata: {name: a}, spec: {schedule: '@hourly', concurrencyPolicy: Replace, startingDeadlineSeconds: 5}}\n- {kind: Job}\n"), target{})
	if err != nil || len(list) != 1 || list[0].Retry.Max != 6 || list[0].Overlap != task.OverlapQueue {
		t.Errorf("%+v, %v", list, err)
	}
	for _, text := range []string{"", "kind: Job", "\t", "{kind: CronJob, spec: {schedule: never}}"} {
		if _, err := cronJobs("x", []byte(text), target{}); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
