package importer

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

var (
	assignment = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$`)
	webCall    = regexp.MustCompile(`(?:^|[;&|/\s])(?:curl|wget)\s[^;&|]*?["']?(https?://[^\s"']+)`)
)

// crontab reads a user's crontab: five fields or a word such as @daily, and a
// command.
func crontab(name string, text []byte, t target) ([]imported, error) {
	var all []imported
	taken := make(map[string]int)
	lines := bufio.NewScanner(bytes.NewReader(text))
	zone := t.tz
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if m := assignment.FindStringSubmatch(line); m != nil {
			if m[1] == "CRON_TZ" || m[1] == "TZ" {
				zone = strings.Trim(m[2], `"'`)
			}
			continue
		}
		i, err := cronLine(line, zone, t)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if i.Name == "" {
			i.Name = named(fmt.Sprintf("%s-line-%d", filepath.Base(name), n))
		}
		if taken[i.Name]++; taken[i.Name] > 1 {
			i.Name = fmt.Sprintf("%s-%d", i.Name, taken[i.Name])
		}
		all = append(all, i)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNothing
	}
	return all, nil
}

func cronLine(line, zone string, t target) (imported, error) {
	fields := 5
	if strings.HasPrefix(line, "@") {
		fields = 1
	}
	words := strings.Fields(line)
	if len(words) <= fields {
		return imported{}, fmt.Errorf("%q: want a schedule and a command", line)
	}
	schedule := strings.Join(words[:fields], " ")
	command := strings.Join(words[fields:], " ")
	i := imported{Info: task.Info{
		Key: task.Key{Name: named(command)}.Normal(), Trigger: task.TriggerInfo{Cron: schedule, TZ: zone}, Description: command,
	}}
	if schedule == "@reboot" {
		return imported{}, fmt.Errorf("@reboot is no time: take the line out")
	}
	if _, err := trigger.ParseCron(schedule); err != nil {
		return imported{}, err
	}
	if zone == "" {
		i.note("a crontab fires by the clock of its machine: say which zone with --tz; UTC is taken")
	}
	if m := webCall.FindStringSubmatch(command); m != nil {
		i.Do = &task.Action{HTTP: &task.HTTPCall{URL: m[1]}}
		i.note("of `%s` only the address is kept: look at method, headers and body", command)
	} else {
		i.note("the command `%s` does not run here", command)
	}
	i.Misfire = task.MisfireSkip // as cron does
	t.of(&i)
	return i, nil
}
