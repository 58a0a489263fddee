package dialog

import (
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// MaxFiles bounds the tasks whose file is shown at once.
const MaxFiles = 200

// NewFile shows tasks as belfry export writes them, as they are with each picture.
func NewFile(keys []task.Key) Page {
	title := "task file of " + screen.Count(len(keys), "task")
	if len(keys) == 1 {
		title = keys[0].Name + " › task file"
	}
	written := new(screen.Memo[*follow.Picture, string])
	return filePage(title, func(s *screen.Scene) string {
		return written.Of(s.Picture, func() string { return exported(s.Picture, keys) })
	})
}

// NewTyped shows a definition that is not stored as a task file.
func NewTyped(info task.Info) Page {
	text := definition.FileHeader + document(&info)
	return filePage(info.Name+" › task file, not stored", func(*screen.Scene) string { return text })
}

// filePage is a page of YAML.
func filePage(title string, text func(*screen.Scene) string) Page {
	return Page{title: title, text: text, draw: func(s *screen.Scene) []string {
		var lines []string
		for l := range strings.Lines(text(s)) {
			lines = append(lines, fileLine(s, strings.TrimSuffix(l, "\n"))...)
		}
		return lines
	}}
}

// fileLine draws a line of YAML. One that is too long goes on below, further in.
func fileLine(s *screen.Scene, line string) []string {
	if strings.HasPrefix(line, "#") || line == "---" {
		return []string{s.Line(theme.Faint, line)}
	}
	indent := strings.Repeat(" ", min(s.Width/2, len(line)-len(strings.TrimLeft(line, " "))))
	parts := widget.Wrap(strings.TrimLeft(line, " "), max(10, s.Width-len(indent)-4))
	for i, part := range parts {
		name, value, ok := strings.Cut(part, ":")
		switch {
		case i > 0:
			parts[i] = indent + "    " + part
		case ok && (value == "" || value[0] == ' ') && !strings.ContainsAny(name, `"' `):
			parts[i] = indent + s.Draw(theme.Key, name+":") + value
		default:
			parts[i] = indent + part
		}
	}
	return parts
}

// exported writes the tasks of keys as one file.
func exported(p *follow.Picture, keys []task.Key) string {
	documents := make([]string, len(keys))
	for i, key := range keys {
		if info, ok := p.Definition(key); ok {
			documents[i] = document(&info)
		} else {
			documents[i] = fmt.Sprintf("# there is no task %s any more\n", widget.Clean(key.Name))
		}
	}
	return definition.FileHeader + strings.Join(documents, "---\n")
}

func document(info *task.Info) string {
	text, err := definition.File(info)
	if err != nil {
		return fmt.Sprintf("# task %s cannot be written: %v\n", widget.Clean(info.Name), err)
	}
	return string(text)
}
