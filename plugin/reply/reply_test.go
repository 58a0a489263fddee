package reply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

type invoked func(call task.Call) task.Result

func (f invoked) Invoke(_ context.Context, call task.Call) task.Result { return f(call) }

func TestToken(t *testing.T) {
	t.Parallel()
	secret := []byte("a secret of the cluster")
	token := Token(secret, "0-u:5")
	if len(token) != 43 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("token %q", token)
	}
	if !Proves(secret, "0-u:5", token) {
		t.Error("it does not prove what it was made for")
	}
	for name, wrong := range map[string]bool{
		"another firing": Proves(secret, "0-u:6", token),
		"another secret": Proves([]byte("of another"), "0-u:5", token),
		"empty":          Proves(secret, "0-u:5", ""),
		"cut":            Proves(secret, "0-u:5", token[:42]),
		"longer":         Proves(secret, "0-u:5", token+"A"),
	} {
		if wrong {
			t.Errorf("%s: it proves", name)
		}
	}
}

func TestAsker(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 1, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		delivery task.Delivery
		result   task.Result
		want     task.Result
	}{
		{"accepted", "", task.Result{Outcome: task.OK}, task.Result{Outcome: task.Waiting, Deadline: now.Add(time.Hour)}},
		{"not sent", "", task.Result{Outcome: task.Failed, NotSent: true}, task.Result{Outcome: task.Failed, NotSent: true}},
		{"turned down", "", task.Result{Outcome: task.Failed, Answered: true}, task.Result{Outcome: task.Failed, Answered: true}},
		{"no answer", "", task.Result{Outcome: task.TimedOut}, task.Result{Outcome: task.TimedOut, Open: true}},
		{
			"no answer, at most once", task.AtMostOnce,
			task.Result{Outcome: task.TimedOut, Error: "e"},
			task.Result{Outcome: task.Waiting, Error: "e", Deadline: now.Add(time.Hour)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var seen task.Call
			a := &Asker{
				Invoker:   invoked(func(call task.Call) task.Result { seen = call; return c.result }),
				Secrets:   NewSecrets(func(context.Context) ([]byte, error) { return []byte("s"), nil }),
				Addresses: func(context.Context) []string { return []string{"http://a/async/", "http://b/async/"} },
				Now:       func() time.Time { return now },
			}
			call := task.Call{FireID: "0-u:5", Info: task.Info{
				Delivery: c.delivery, Reply: &task.ReplyWait{Deadline: task.Duration(time.Hour)},
			}}
			if got := a.Invoke(t.Context(), call); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			headers := map[string]string{}
			for _, h := range seen.ReplyTo.Headers(seen.FireID) {
				headers[h.Name] = h.Value
			}
			if headers[task.HeaderReplyTo] != "http://a/async/0-u:5, http://b/async/0-u:5" ||
				!Proves([]byte("s"), "0-u:5", headers[task.HeaderReplyToken]) ||
				headers[task.HeaderCorrelation] != "0-u:5" || headers[task.HeaderReplyBy] != "2027-01-05T13:00:00Z" {
				t.Errorf("%v", headers)
			}
		})
	}
}

func TestAskerWithoutSecret(t *testing.T) {
	t.Parallel()
	down := true
	var addresses []string
	a := &Asker{
		Invoker: invoked(func(task.Call) task.Result { return task.Result{Outcome: task.OK} }),
		Secrets: NewSecrets(func(context.Context) ([]byte, error) {
			if down {
				return nil, errors.New("store is away")
			}
			return []byte("s"), nil
		}),
		Addresses: func(context.Context) []string { return addresses }, Now: time.Now,
	}
	call := task.Call{Info: task.Info{Reply: &task.ReplyWait{}}}
	if r := a.Invoke(t.Context(), call); !r.NotSent || r.Outcome != task.Failed {
		t.Errorf("%+v", r)
	}
	down = false
	if r := a.Invoke(t.Context(), call); !r.NotSent || r.Outcome != task.Failed || !strings.Contains(r.Error, "tasks.reply_url") {
		t.Errorf("nobody to reply to: %+v", r)
	}
	addresses = []string{"http://a/async/"}
	if r := a.Invoke(t.Context(), call); r.Outcome != task.Waiting {
		t.Errorf("%+v", r)
	}
	if r := a.Invoke(t.Context(), task.Call{}); r.Outcome != task.OK {
		t.Errorf("a call without a reply: %+v", r)
	}
}
