//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// terminal is a real one, in tmux, with a program in it.
type terminal struct {
	t      *testing.T
	socket string
}

// openTerminal runs a command in a terminal of so many cells, in a folder.
func openTerminal(t *testing.T, folder string, width, height string, command string) *terminal {
	t.Helper()
	installed(t, "tmux")
	// A socket's path must be short.
	dir, err := os.MkdirTemp("", "tmux-") //nolint:usetesting // a test's folder has too long a name
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, socket: filepath.Join(dir, "s")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal shows:\n%s", term.frame())
		}
		_ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() // it ends with its program
		os.RemoveAll(dir)
	})
	line := "export XDG_STATE_HOME=" + filepath.Join(dir, "state") + " PATH=" + bin + ":$PATH; " + command + "; echo; echo EXIT $?; read _"
	term.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "-c", folder, line)
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// frame is what the terminal shows.
func (term *terminal) frame() string {
	out, err := exec.Command("tmux", "-S", term.socket, "capture-pane", "-p").Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// shows waits until the terminal shows all texts.
func (term *terminal) shows(texts ...string) {
	term.t.Helper()
	eventually(term.t, patience, "the screen shows "+strings.Join(texts, ", "), func() bool { return term.says(texts) })
}

// answers is shows of what is asked of a cluster. One that is too busy to answer in
// time is asked again, by the key that the screen names for that.
func (term *terminal) answers(texts ...string) {
	term.t.Helper()
	eventually(term.t, patience, "the screen answers "+strings.Join(texts, ", "), func() bool {
		if strings.Contains(term.frame(), "There is no answer") {
			term.press("asks again")
		}
		return term.says(texts)
	})
}

// says tells whether the terminal shows all texts.
func (term *terminal) says(texts []string) bool {
	frame := term.frame()
	for _, text := range texts {
		if !strings.Contains(frame, text) {
			return false
		}
	}
	return true
}

// press presses the key that the screen itself names for something: the word that
// it shows before what it is for. A key that is bracketed is off.
func (term *terminal) press(what string) {
	term.t.Helper()
	key := ""
	eventually(term.t, patience, "the screen names a key for "+what, func() bool {
		key = term.find(`(\S+) ` + regexp.QuoteMeta(what) + `(?:\W|$)`)
		return key != ""
	})
	term.keys(key)
}

// keys sends keys, named as the screens name them.
func (term *terminal) keys(keys ...string) {
	term.t.Helper()
	for _, key := range keys {
		switch key {
		case "enter", "tab", "space":
			key = strings.ToUpper(key[:1]) + key[1:]
		case "esc":
			key = "Escape"
		case "backspace":
			key = "BSpace"
		}
		key = strings.Replace(key, "ctrl-", "C-", 1)
		term.tmux("send-keys", key)
	}
}

// write types a text.
func (term *terminal) write(text string) {
	term.t.Helper()
	term.tmux("send-keys", "-l", text)
}

// ran waits until the screen of a task shows so many runs, or more.
func (term *terminal) ran(n int) {
	term.t.Helper()
	eventually(term.t, patience, "it has run", func() bool {
		runs, err := strconv.Atoi(term.find(`Runs (\d+)`))
		return err == nil && runs >= n
	})
}

// ends waits until the program has ended with a code.
func (term *terminal) ends(code string) {
	term.t.Helper()
	term.shows("EXIT " + code)
}

// find gives what a pattern's group matches in the frame.
func (term *terminal) find(pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(term.frame())
	if m == nil {
		return ""
	}
	return m[1]
}
