//go:build integration

package host

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser gives a tab, and what the browser complains about in it: a breach of the
// page's policy, an error in its script.
func browser(t *testing.T) (context.Context, func() []string) {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	switch {
	case path != "":
	case strings.EqualFold(os.Getenv("CI"), "true") || os.Getenv("BELFRY_REQUIRE_SERVERS") != "":
		t.Fatal("Chromium is not installed, and CI or BELFRY_REQUIRE_SERVERS says that it must be (Debian: chromium)")
	default:
		t.Skip("SKIPPED, and what it shows is not shown: Chromium is not installed (Debian: chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(5*time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root otherwise
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	var mu sync.Mutex
	var complaints []string
	tab, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			complaints = append(complaints, fmt.Sprint(e.Entry.Level, " ", e.Entry.Text, " ", e.Entry.URL))
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		}
	}))
	t.Cleanup(closeTab)
	return tab, func() []string {
		mu.Lock()
		defer mu.Unlock()
		list := complaints
		complaints = nil
		return list
	}
}

// evaluate runs a script in the tab.
func evaluate[T any](tab context.Context, t *testing.T, script string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// do makes a user's steps, within a time that no wait should need.
func do(tab context.Context, t *testing.T, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	limited, cancel := context.WithTimeout(tab, 5*time.Minute)
	defer cancel()
	if err := chromedp.Do(limited, steps...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// TestPageInBrowser: the list of services leads to each, and its forms call what
// they say, in a real browser that enforces the page's policy.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	f := samples(t, "RDBMSSample", "ResourcesSample", "CSVSampleService")
	server := httptest.NewServer(f.Handler())
	defer server.Close()
	tab, complaints := browser(t)
	if err := chromedp.Do(tab, chromedp.Navigate(server.URL+Prefix)); err != nil { // a time limit would end the browser
		t.Fatal(err)
	}
	if got := evaluate[int](tab, t, `document.querySelectorAll("article").length`); got != 3 {
		t.Errorf("%d services are listed", got)
	}
	do(tab, t, "follow a link", chromedp.Click(chromedp.CSS(`a[href="/services/RDBMSSample?tryit#operation-2"]`)), chromedp.WaitVisible(chromedp.CSS("#operation-2 form")))
	if got := evaluate[string](tab, t, `document.querySelector("section:target h3").textContent`); got != "POST employeesByNumber" {
		t.Errorf("the link leads to %q", got)
	}
	answer := func(id string) string {
		return evaluate[string](tab, t, `document.querySelector("#`+id+` output").textContent`)
	}
	try := func(id string, values map[string]string, adjust ...chromedp.Action[chromedp.Void]) string {
		t.Helper()
		for name, v := range values {
			field := chromedp.CSS("#" + id + ` [data-param="` + name + `"]`)
			_ = evaluate[string](tab, t, fmt.Sprintf(`document.querySelector(%q).value = ""`, string(field)))
			do(tab, t, "fill in "+name, chromedp.SendKeys(field, v))
		}
		do(tab, t, "send "+id, append(adjust, chromedp.Click(chromedp.CSS("#"+id+" button")),
			chromedp.WaitVisible(chromedp.CSS("#"+id+" pre")))...)
		return answer(id)
	}
	asJSON := chromedp.SetValue(chromedp.CSS("#operation-2 select"), "application/json")
	for what, c := range map[string]struct{ got, want string }{
		"XML":       {try("operation-2", map[string]string{"employeeNumber": "1002"}), "<last-name>Murphy</last-name>"},
		"JSON":      {try("operation-2", map[string]string{"employeeNumber": "1002"}, asJSON), `"last-name": "Murphy",` + "\n"},
		"a fault":   {try("operation-2", map[string]string{"employeeNumber": "x"}), "INCOMPATIBLE_PARAMETERS_ERROR"},
		"no answer": {after202(tab, t), "202 Accepted"},
	} {
		if !strings.Contains(c.got, c.want) {
			t.Errorf("%s: %q, want %q", what, c.got, c.want)
		}
	}
	do(tab, t, "open the resources", chromedp.Navigate(server.URL+Prefix+"ResourcesSample?tryit"))
	if got := try("resource-1", map[string]string{"productCode": "S10_1678"}); !strings.Contains(got, "200 OK") || !strings.Contains(got, "1969 Harley Davidson") {
		t.Errorf("a resource with a variable: %q", got)
	}
	if got := try("resource-1", map[string]string{"productCode": "a/../b?c"}); !strings.Contains(got, "200 OK") || !strings.Contains(got, "Products") {
		t.Errorf("a variable with signs: %q", got)
	}
	accessible(tab, t)
	var own []string
	for _, c := range complaints() {
		if !strings.Contains(c, "status of 400") { // the fault above
			own = append(own, c)
		}
	}
	if len(own) > 0 {
		t.Errorf("the browser complains: %q", own)
	}
	if evaluate[bool](tab, t, `(() => { const s = document.createElement("script"); s.textContent = "window.breach = true"; document.body.append(s); return window.breach === true })()`) {
		t.Error("the policy lets an inline script run")
	}
}

// after202 sends what answers nothing.
func after202(tab context.Context, t *testing.T) string {
	t.Helper()
	do(tab, t, "set a salary",
		chromedp.SendKeys(chromedp.CSS(`#operation-6 [data-param="salary"]`), "5"),
		chromedp.SendKeys(chromedp.CSS(`#operation-6 [data-param="employeeNumbers"]`), "1002\n1056"),
		chromedp.Click(chromedp.CSS("#operation-6 button")),
		chromedp.WaitVisible(chromedp.CSS("#operation-6 button:enabled")))
	for range 100 { // the button is enabled before and after
		if got := evaluate[string](tab, t, `document.querySelector("#operation-6 output").textContent`); !strings.Contains(got, "…") && strings.TrimSpace(got) != "" {
			return got
		}
	}
	return ""
}

// accessible checks what can be checked by a program: every field has a label,
// all text can be read in light and dark, and the page has a language, a title
// and headings in order.
func accessible(tab context.Context, t *testing.T) {
	t.Helper()
	if n := evaluate[int](tab, t, `[...document.querySelectorAll("input, textarea, select")].filter((e) => e.labels.length !== 1).length`); n > 0 {
		t.Errorf("%d fields have no label", n)
	}
	if n := evaluate[int](tab, t, `[...document.querySelectorAll("[aria-describedby], [aria-labelledby]")].filter((e) => !document.getElementById(e.getAttribute("aria-describedby") ?? e.getAttribute("aria-labelledby"))).length`); n > 0 {
		t.Errorf("%d descriptions lead nowhere", n)
	}
	if !evaluate[bool](tab, t, `document.documentElement.lang === "en" && document.title !== "" && document.querySelectorAll("h1").length === 1`) {
		t.Error("no language, title or heading")
	}
	grounds := map[string]float64{}
	for _, scheme := range []string{"light", "dark"} {
		_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, selector := range []string{"h1", "a", ".note", ".status", "button"} {
			colours := evaluate[[]float64](tab, t, `(() => {
				const e = document.querySelector("`+selector+`");
				let ground = e;
				while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
				const numbers = (c) => c.match(/[\d.]+/g).slice(0, 3).map(Number);
				return [...numbers(getComputedStyle(e).color), ...numbers(getComputedStyle(ground).backgroundColor)];
			})()`)
			text, ground := luminance(colours[:3]), luminance(colours[3:])
			if ratio := (max(text, ground) + 0.05) / (min(text, ground) + 0.05); ratio < 4.5 { // WCAG 2.2, 1.4.3
				t.Errorf("%s in %s has a contrast of %.1f", selector, scheme, ratio)
			}
			if selector == "h1" {
				grounds[scheme] = ground
			}
		}
	}
	if grounds["light"] < 0.5 || grounds["dark"] > 0.1 {
		t.Errorf("light and dark are %v", grounds)
	}
}

// luminance is that of a colour of 0 to 255 (WCAG 2.2).
func luminance(rgb []float64) float64 {
	part := func(v float64) float64 {
		if v /= 255; v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(rgb[0]) + 0.7152*part(rgb[1]) + 0.0722*part(rgb[2])
}
