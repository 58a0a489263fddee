package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// call is a call as it is kept on disk: what was asked, and what came of it.
type call struct {
	ID      string    `json:"id"`       // the correlation id
	ReplyTo []string  `json:"reply_to"` // addresses, any will do
	Token   string    `json:"token"`
	ReplyBy time.Time `json:"reply_by"`
	// From and Until are the maintenance window; zero: any time.
	From   time.Time       `json:"from,omitzero"`
	Until  time.Time       `json:"until,omitzero"`
	Method string          `json:"method"`
	Args   json.RawMessage `json:"args"`
	// Answer is what is replied; nil: it has not ended. Replied: somebody took it.
	Answer  *answer `json:"answer,omitempty"`
	Replied bool    `json:"replied,omitempty"`
}

// answer is the body of a reply.
type answer struct {
	Value     any    `json:"value,omitempty"`
	Exception string `json:"exception,omitempty"`
}

// method does something once for a call. It may be called again for the same id
// if the agent died meanwhile, and must then do nothing twice.
type method func(ctx context.Context, id string, args json.RawMessage) (any, error)

// agent takes calls, executes them and replies.
type agent struct {
	dir     string
	methods map[string]method
	client  *http.Client
	log     *slog.Logger
	work    sync.WaitGroup

	mu    sync.Mutex // guards what follows
	calls map[string]*call
	going map[string]bool
}

// newAgent reads what was asked of it before.
func newAgent(dir string, methods map[string]method, log *slog.Logger) (*agent, error) {
	a := &agent{
		dir: filepath.Join(dir, "calls"), methods: methods, log: log, client: &http.Client{Timeout: 10 * time.Second},
		calls: map[string]*call{}, going: map[string]bool{},
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(a.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		c := &call{}
		if err := json.Unmarshal(text, c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		a.calls[c.ID] = c
	}
	return a, nil
}

// resume goes on with what a death has interrupted.
func (a *agent) resume(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if !c.Replied {
			a.begin(ctx, c)
		}
	}
}

// begin works on a call unless somebody does. It needs a.mu.
func (a *agent) begin(ctx context.Context, c *call) {
	if a.going[c.ID] {
		return
	}
	a.going[c.ID] = true
	a.work.Go(func() { // ends with the call, or with ctx
		a.do(ctx, c)
		a.mu.Lock()
		delete(a.going, c.ID)
		a.mu.Unlock()
	})
}

// maxBody bounds a call in bytes.
const maxBody = 64 << 10

func (a *agent) handler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /call", func(w http.ResponseWriter, r *http.Request) {
		c, err := a.read(r, http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := a.accept(ctx, c); err != nil {
			a.log.Error("call not kept", "id", c.ID, "err", err)
			http.Error(w, "not kept", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

func (a *agent) read(r *http.Request, body io.Reader) (*call, error) {
	c := &call{ID: r.Header.Get("Belfry-Correlation-Id"), Token: r.Header.Get("Belfry-Reply-Token")}
	if err := json.NewDecoder(body).Decode(c); err != nil {
		return nil, err
	}
	// Who is asked and where to reply is said by headers alone.
	c.ID, c.Token, c.Answer, c.Replied = r.Header.Get("Belfry-Correlation-Id"), r.Header.Get("Belfry-Reply-Token"), nil, false
	c.ReplyTo = strings.Split(r.Header.Get("Belfry-Reply-To"), ", ")
	if c.ID == "" || c.Token == "" || c.ReplyTo[0] == "" {
		return nil, errors.New("the call does not say where to reply to")
	}
	if a.methods[c.Method] == nil {
		return nil, fmt.Errorf("method %q is unknown", c.Method)
	}
	var err error
	if c.ReplyBy, err = time.Parse(time.RFC3339, r.Header.Get("Belfry-Reply-By")); err != nil {
		return nil, err
	}
	if window := r.Header.Get("Belfry-Window"); window != "" {
		from, until, _ := strings.Cut(window, "/")
		if c.From, err = time.Parse(time.RFC3339, from); err != nil {
			return nil, err
		}
		if until != ".." { // no end
			if c.Until, err = time.Parse(time.RFC3339, until); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// accept keeps a call and begins it. The same call again makes it be replied to
// again, at its new addresses.
func (a *agent) accept(ctx context.Context, c *call) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if there := a.calls[c.ID]; there != nil {
		there.ReplyTo, there.ReplyBy, there.Replied = c.ReplyTo, c.ReplyBy, false
		c = there
	}
	if err := a.keep(c); err != nil {
		return err
	}
	a.calls[c.ID] = c
	a.begin(ctx, c)
	return nil
}

// keep writes a call to disk. It needs a.mu.
func (a *agent) keep(c *call) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	name := sha256.Sum256([]byte(c.ID))
	file := filepath.Join(a.dir, hex.EncodeToString(name[:])+".json")
	f, err := os.Create(file + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// do executes a call, if that was not done, and replies until somebody takes it.
func (a *agent) do(ctx context.Context, c *call) {
	a.mu.Lock()
	done := c.Answer != nil
	a.mu.Unlock()
	if !done {
		said, ok := a.execute(ctx, c)
		if !ok {
			return
		}
		a.mu.Lock()
		c.Answer = said
		err := a.keep(c)
		a.mu.Unlock()
		if err != nil {
			a.log.Error("answer not kept", "id", c.ID, "err", err)
			return
		}
	}
	if a.reply(ctx, c) {
		a.mu.Lock()
		defer a.mu.Unlock()
		c.Replied = true
		if err := a.keep(c); err != nil {
			a.log.Error("reply not noted: it is sent again after the next start", "id", c.ID, "err", err)
		}
	}
}

// execute runs the method within the call's window. False: ctx ended first.
func (a *agent) execute(ctx context.Context, c *call) (*answer, bool) {
	if wait := time.Until(c.From); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, false
		}
	}
	if !c.Until.IsZero() && !time.Now().Before(c.Until) {
		return &answer{Exception: "the maintenance window was over at " + c.Until.Format(time.RFC3339)}, true
	}
	value, err := a.methods[c.Method](ctx, c.ID, c.Args)
	switch {
	case ctx.Err() != nil:
		return nil, false
	case err != nil:
		return &answer{Exception: err.Error()}, true
	case value == nil:
		value = ""
	}
	return &answer{Value: value}, true
}
