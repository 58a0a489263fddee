package embed

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// hangups keeps a host from ending where nobody asked it to. SIGHUP stops it in
// order if it was started at a terminal, which is then gone; without one it is what
// others reload by, and here there is nothing to reload. A reader of the log that
// goes away (SIGPIPE) is no reason to stop. Where SIGHUP was ignored from the start,
// as by nohup, it stays so. The function that is given ends it.
func hangups(stop chan<- os.Signal, log *slog.Logger) (end func()) {
	signal.Ignore(syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) {
		return func() {}
	}
	atTerminal := term.IsTerminal(int(os.Stdin.Fd())) || term.IsTerminal(int(os.Stderr.Fd()))
	hung, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hung, syscall.SIGHUP)
	go func() { // ends with end
		for {
			select {
			case s := <-hung:
				if atTerminal {
					select {
					case stop <- s:
					case <-done:
					}
					return
				}
				log.Info("SIGHUP changes nothing: descriptors, users and certificates are read when they change, the configuration when the host starts")
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hung)
		close(done)
	}
}
