package local_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/local"
)

// The test binary runs itself as a process that can be killed; this variable
// says as what.
const childEnv = "BELFRY_LOCAL_TEST_CHILD"

var children = map[string]func(ctx context.Context, l *local.Local) error{
	"commit": childCommit,
	"hold":   childHold,
	"fill":   childFill,
}

// runChild is "name path": opens the store, says so, and runs the child.
func runChild(spec string) int {
	name, path, _ := strings.Cut(spec, " ")
	ctx := context.Background()
	l, err := local.Open(ctx, local.Options{Path: path, Node: "child"})
	if err == nil {
		fmt.Println("open")
		err = children[name](ctx, l)
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

// child starts a child and waits until it has opened the store.
func child(t *testing.T, name, path string, more ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), childEnv+"="+name+" "+path), more...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe() // a child that waits does so until this closes
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child said %q", lines.Text())
	}
	return cmd, lines
}

func childHold(context.Context, *local.Local) error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// childCommit commits numbered pairs of entries from several goroutines for
// ever, and prints the number of each that was acknowledged.
func childCommit(ctx context.Context, l *local.Local) error {
	const committers = 8
	failed := make(chan error)
	acks := make(chan string, 1024)
	for c := range committers {
		go func() { // ends with the process
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), c, n)
				value := []byte(id + " " + strings.Repeat("x", (n*97)%3000))
				if err := l.Commit(ctx, coordclient.Create("/a/"+id, value), coordclient.Create("/b/"+id, value)); err != nil {
					failed <- err
					return
				}
				if n%3 == 0 {
					if err := l.Commit(ctx, coordclient.Delete("/a/"+id, 0), coordclient.Delete("/b/"+id, 0)); err != nil {
						failed <- err
						return
					}
					acks <- "gone " + id
					continue
				}
				acks <- "there " + id
			}
		}()
	}
	for {
		select {
		case err := <-failed:
			return err
		case ack := <-acks:
			// One write for each, so that a line is whole or not there.
			if _, err := os.Stdout.WriteString(ack + "\n"); err != nil {
				return err
			}
		}
	}
}

// TestKill kills a process that commits, at random moments, and looks whether
// everything that it acknowledged is there, and nothing by half.
func TestKill(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	path := filepath.Join(t.TempDir(), "store.db")
	acked := map[string]string{}
	rounds := 8
	if testing.Short() {
		rounds = 4
	}
	for range rounds {
		cmd, lines := child(t, "commit", path)
		after := 1 + rnd.IntN(400)
		for i := 0; lines.Scan(); i++ {
			state, id, ok := strings.Cut(lines.Text(), " ")
			if state == "error" {
				t.Fatal(lines.Text())
			}
			if ok && strings.Count(id, "-") == 2 {
				acked[id] = state
			}
			if i == after {
				if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
		checkKilled(t, path, acked)
	}
	t.Logf("%d acknowledged commits held", len(acked))
}

func checkKilled(t *testing.T, path string, acked map[string]string) {
	t.Helper()
	l, err := local.Open(t.Context(), local.Options{Path: path, Node: "judge"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	there := map[string]bool{}
	for _, dir := range []string{"/a/", "/b/"} {
		names, err := l.List(t.Context(), strings.TrimSuffix(dir, "/"))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range names {
			if there[id] = !there[id]; !there[id] {
				continue // seen in both
			}
			if dir == "/b/" {
				t.Errorf("%s is there by half", id)
			}
		}
	}
	for id, state := range acked {
		a, _, aerr := l.Get(t.Context(), "/a/"+id)
		b, _, berr := l.Get(t.Context(), "/b/"+id)
		switch state {
		case "there":
			if aerr != nil || berr != nil || !strings.HasPrefix(string(a.Value), id+" ") || string(a.Value) != string(b.Value) {
				t.Fatalf("acknowledged commit %s is lost: %v, %v", id, aerr, berr)
			}
		case "gone":
			if !errors.Is(aerr, coordclient.ErrNotFound) || !errors.Is(berr, coordclient.ErrNotFound) {
				t.Fatalf("acknowledged delete of %s is lost: %v, %v", id, aerr, berr)
			}
		}
	}
}

func TestSecondProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	cmd, _ := child(t, "hold", path)
	_, err := local.Open(t.Context(), local.Options{Path: path, Node: "second"})
	var busy *local.InUseError
	if !errors.As(err, &busy) || busy.PID != cmd.Process.Pid || busy.Node != "child" {
		t.Fatalf("a second process: %v; want an *InUseError with process %d", err, cmd.Process.Pid)
	}
	for _, want := range []string{path, "process " + strconv.Itoa(cmd.Process.Pid), "node child", "stop that host first"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	open(t, path) // the lock died with its holder
}

func TestSecondInProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	l := open(t, path)
	var busy *local.InUseError
	if _, err := local.Open(t.Context(), local.Options{Path: path, Node: "second"}); !errors.As(err, &busy) || busy.PID != os.Getpid() {
		t.Errorf("a second Open: %v, want an *InUseError with this process", err)
	}
	if err := l.Commit(t.Context(), coordclient.Create("/x", nil)); err != nil {
		t.Errorf("the first, after the second was refused: %v", err)
	}
}

// childFill commits until it is refused, and says how.
func childFill(ctx context.Context, l *local.Local) error {
	limit, err := strconv.ParseUint(os.Getenv("LIMIT"), 10, 64)
	if err != nil {
		return err
	}
	if err := l.Commit(ctx, coordclient.Create("/before", nil)); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	value := make([]byte, 100<<10)
	for n := range 1000 {
		err := l.Commit(ctx, coordclient.Create(fmt.Sprintf("/fill/%d", n), value))
		if err == nil {
			fmt.Println("there", n)
			continue
		}
		state, _ := l.State()
		fmt.Println("refused", n, errors.Is(err, coordclient.ErrUnknownOutcome), state)
		again := l.Commit(ctx, coordclient.Create("/after", nil))
		fmt.Println("again", errors.Is(again, coordclient.ErrUnavailable))
		return nil
	}
	return errors.New("it was never refused")
}

// TestWriteError has the system refuse writes to the file at some size, which
// to SQLite is an I/O error: what was being written is in doubt, and nothing
// more may be.
func TestWriteError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	_, lines := child(t, "fill", path, "LIMIT=1000000")
	acked := 0
	var last []string
	for lines.Scan() {
		switch word := strings.Fields(lines.Text()); word[0] {
		case "there":
			acked++
		default:
			last = append(last, lines.Text())
		}
	}
	want := []string{fmt.Sprintf("refused %d true lost", acked), "again true"}
	if strings.Join(last, "; ") != strings.Join(want, "; ") {
		t.Fatalf("after %d commits: %q, want %q", acked, last, want)
	}
	l := open(t, path)
	names, err := l.List(t.Context(), "/fill")
	if err != nil || len(names) < acked || len(names) > acked+1 {
		t.Errorf("%d of %d acknowledged commits are there, %v", len(names), acked, err)
	}
	if _, _, err := l.Get(t.Context(), "/after"); !errors.Is(err, coordclient.ErrNotFound) {
		t.Errorf("a commit of a lost session: %v, want ErrNotFound", err)
	}
}
