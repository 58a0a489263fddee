package result

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// play writes a document with everything in it.
func play(tb testing.TB, s Sink) {
	tb.Helper()
	a, b := func(l string) Name { return Name{Space: "urn:a", Local: l} }, Name{Space: "urn:b", Local: "other"}
	val := func(text, typ string) Value { return Value{Valid: true, Text: text, Type: typ} }
	steps := []error{
		s.Open(a("rows"), false),
		List(s, a("row")),
		s.Open(a("row"), true),
		s.Attribute(Name{Local: "id"}, val(`a"<&`+"\n", "string")),
		s.Attribute(Name{Space: "urn:c", Local: "lang"}, val("en", "string")),
		s.Attribute(Name{Local: "gone"}, Value{}),
		s.Leaf(a("text"), val("a<b>&c\r\x00 ü漢\xff", "string")),
		s.Leaf(a("none"), Value{Type: "string"}),
		s.Leaf(a("big"), val("123456789012345678901234567890", "integer")),
		s.Leaf(a("code"), val("007", "integer")),
		s.Leaf(a("price"), val("1500.0", "double")),
		s.Leaf(a("inf"), val("INF", "double")),
		s.Leaf(a("yes"), val("true", "boolean")),
		s.Leaf(b, val("x", "")),
		s.Open(b, false),
		s.Leaf(b, val("y", "")),
		s.Leaf(a("back"), val("z", "")),
		s.Close(),
		List(s, a("tag")),
		s.Leaf(a("tag"), val("t1", "")),
		s.Leaf(a("tag"), val("t2", "")),
		List(s, a("empty")),
		s.Close(),
		s.Open(a("row"), true),
		s.Close(),
		s.Close(),
	}
	for i, err := range steps {
		if err != nil {
			tb.Fatalf("step %d: %v", i, err)
		}
	}
}

const wantXML = `<rows xmlns="urn:a"><row id="a&quot;&lt;&amp;&#xA;" xmlns:ns0="urn:c" ns0:lang="en">` +
	`<text>a&lt;b&gt;&amp;c&#xD;` + "\uFFFD ü漢\uFFFD" + `</text>` +
	`<none xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/><big>123456789012345678901234567890</big><code>007</code>` +
	`<price>1500.0</price><inf>INF</inf><yes>true</yes><other xmlns="urn:b">x</other>` +
	`<other xmlns="urn:b"><other>y</other><back xmlns="urn:a">z</back></other><tag>t1</tag><tag>t2</tag></row><row/></rows>`

const wantJSON = `{"rows":{"row":[{"@id":"a\"<&\n","@lang":"en","text":"a<b>&c\r\u0000 ü漢` + "\uFFFD" + `","none":null,` +
	`"big":123456789012345678901234567890,"code":"007","price":1500.0,"inf":"INF","yes":true,"other":"x",` +
	`"other":{"other":"y","back":"z"},"tag":["t1","t2"]},{}]}}`

func TestSinks(t *testing.T) {
	t.Parallel()
	var x, j bytes.Buffer
	xs, js := NewXML(&x, 0), NewJSON(&j, 0)
	play(t, xs)
	play(t, js)
	if err := errors.Join(xs.Flush(), js.Flush()); err != nil {
		t.Fatal(err)
	}
	if x.String() != wantXML {
		t.Errorf("XML:\n got %s\nwant %s", x.String(), wantXML)
	}
	if j.String() != wantJSON {
		t.Errorf("JSON:\n got %s\nwant %s", j.String(), wantJSON)
	}
	if !json.Valid(j.Bytes()) {
		t.Error("JSON is not valid")
	}
	if err := wellFormed(x.Bytes()); err != nil {
		t.Error(err)
	}
	if xs.Written() != int64(x.Len()) {
		t.Errorf("%d bytes counted, %d written", xs.Written(), x.Len())
	}
}

func TestRecordingReplays(t *testing.T) {
	t.Parallel()
	var first Recording
	play(t, &first)
	kept, err := first.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var again Recording
	if err := again.UnmarshalBinary(kept); err != nil {
		t.Fatal(err)
	}
	var x, j bytes.Buffer
	xs, js := NewXML(&x, 0), NewJSON(&j, 0)
	if err := errors.Join(again.Replay(xs), again.Replay(js), xs.Flush(), js.Flush()); err != nil {
		t.Fatal(err)
	}
	if x.String() != wantXML || j.String() != wantJSON {
		t.Errorf("replayed:\n%s\n%s", x.String(), j.String())
	}
	for n := range kept {
		var r Recording
		if err := r.UnmarshalBinary(kept[:n]); err == nil && n > 1 && r.Replay(NewXML(io.Discard, 0)) != nil {
			t.Fatalf("the first %d bytes were taken, and cannot be replayed", n)
		}
	}
}

func TestSinkMisuse(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Sink{"xml": NewXML(io.Discard, 0), "json": NewJSON(io.Discard, 0), "recording": &Recording{}} {
		if s.Close() == nil {
			t.Errorf("%s: Close without Open", name)
		}
		if name == "recording" {
			continue
		}
		if s.Attribute(Name{Local: "a"}, Value{Valid: true}) == nil {
			t.Errorf("%s: Attribute without Open", name)
		}
		if err := errors.Join(s.Open(Name{Local: "a"}, false), s.Close()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.Open(Name{Local: "b"}, false) == nil || s.Leaf(Name{Local: "b"}, Value{}) == nil {
			t.Errorf("%s: a second root", name)
		}
	}
	x := NewXML(io.Discard, 0)
	if err := errors.Join(x.Open(Name{Local: "a"}, false), x.Leaf(Name{Local: "b"}, Value{})); err != nil {
		t.Fatal(err)
	}
	if x.Attribute(Name{Local: "c"}, Value{Valid: true}) == nil {
		t.Error("an attribute after content")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(w io.Writer) Sink{
		"xml":       func(w io.Writer) Sink { return NewXML(w, 100) },
		"json":      func(w io.Writer) Sink { return NewJSON(w, 100) },
		"recording": func(io.Writer) Sink { return &Recording{Limit: 100} },
	} {
		var b bytes.Buffer
		s := open(&b)
		err := s.Open(Name{Local: "r"}, false)
		for range 100 {
			if err == nil {
				err = s.Leaf(Name{Local: "v"}, Value{Valid: true, Text: "0123456789"})
			}
		}
		var limit *LimitError
		if !errors.As(err, &limit) || limit.Limit != 100 || b.Len() > 100 {
			t.Errorf("%s: %v after %d bytes", name, err, b.Len())
		}
	}
}

// broken fails after some bytes.
type broken struct{ left int }

var errBroken = errors.New("broken")

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return b.left, errBroken
	}
	b.left -= len(p)
	return len(p), nil
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	j := NewJSON(&broken{left: 2 * flushAt}, 0)
	err := j.Open(Name{Local: "r"}, false)
	for n := 0; err == nil && n < 10*flushAt; n += 100 {
		err = j.Leaf(Name{Local: "v"}, Value{Valid: true, Text: strings.Repeat("x", 100)})
	}
	if !errors.Is(err, errBroken) || !errors.Is(j.Flush(), errBroken) || !errors.Is(j.Close(), errBroken) {
		t.Errorf("%v, then %v", err, j.Flush())
	}
}

func TestLexical(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*3600)
	at := time.Date(2003, 1, 6, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		v             any
		column, xsd   string
		want          string
		null, typeful bool
	}{
		{v: nil, null: true},
		{v: []byte("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"), column: "UNIQUEIDENTIFIER", want: "01234567-89AB-CDEF-0123-456789ABCDEF"},
		{v: 48.81, xsd: "double", want: "48.81"},
		{v: 1500.0, xsd: "double", want: "1500.0"},
		{v: 1500.0, xsd: "integer", want: "1500"},
		{v: 1500.5, xsd: "integer", want: "1500.5"},
		{v: 0.0, xsd: "double", want: "0.0"},
		{v: 1e7, xsd: "double", want: "1.0E7"},
		{v: 9999999.0, xsd: "double", want: "9999999.0"},
		{v: 1.5e-4, xsd: "double", want: "1.5E-4"},
		{v: 0.001, xsd: "", want: "0.001"},
		{v: -1.25e300, xsd: "double", want: "-1.25E300"},
		{v: float32(0.1), xsd: "float", want: "0.1"},
		{v: int64(9223372036854775807), xsd: "integer", want: "9223372036854775807"},
		{v: uint64(18446744073709551615), xsd: "integer", want: "18446744073709551615"},
		{v: int64(1), xsd: "boolean", want: "true"},
		{v: int64(2), xsd: "boolean", want: "2"},
		{v: true, xsd: "boolean", want: "true"},
		{v: false, xsd: "integer", want: "0"},
		{v: "1500.00", xsd: "decimal", want: "1500.00"},
		{v: []byte{0, 1, 255}, column: "BLOB", xsd: "base64Binary", want: "AAH/"},
		{v: []byte{0, 1, 255}, column: "BYTEA", xsd: "hexBinary", want: "0001FF"},
		{v: []byte("text"), column: "VARCHAR", xsd: "string", want: "text"},
		{v: []byte("text"), column: "BLOB", xsd: "string", want: "dGV4dA=="},
		{v: []byte("\xff"), column: "VARCHAR", xsd: "string", want: "/w=="},
		{v: []byte("2003-01-06 10:00:00"), column: "DATETIME", xsd: "dateTime", want: "2003-01-06T10:00:00.000+00:00"},
		{v: []byte("1.5"), column: "DOUBLE", xsd: "double", want: "1.5"},
		{v: []byte("1500"), column: "DOUBLE", xsd: "double", want: "1500.0"},
		{v: []byte{1}, column: "BIT", xsd: "boolean", want: "true"},
		{v: []byte{1, 0}, column: "BIT", xsd: "integer", want: "256"},
		{v: at, column: "DATE", want: "2003-01-06+00:00"},
		{v: at, column: "DATE", xsd: "date", want: "2003-01-06+00:00"},
		{v: "2003-01-06", column: "DATE", xsd: "date", want: "2003-01-06+00:00"},
		{v: "2003-01-06", column: "TEXT", xsd: "date", want: "2003-01-06"},
		{v: "06/01/2003", column: "DATE", want: "06/01/2003"},
		{v: at.Add(time.Hour), column: "DATE", want: "2003-01-06T01:00:00.000+00:00"},
		// As the original's own test of time zones wants it (DS1189LeagyTimeStampModeTestCase).
		{v: time.Date(1970, 1, 2, 5, 0, 0, 0, time.UTC), column: "TIMESTAMP", want: "1970-01-02T05:00:00.000+00:00"},
		{v: at, column: "TIMESTAMP", xsd: "dateTime", want: "2003-01-06T00:00:00.000+00:00"},
		{v: at, column: "TIMESTAMP", xsd: "date", want: "2003-01-06T00:00:00.000+00:00"},
		{v: at.Add(1500 * time.Millisecond).In(zone), column: "TIMESTAMPTZ", xsd: "dateTime", want: "2003-01-06T00:00:01.500+00:00"},
		{v: at.Add(1234567 * time.Microsecond), column: "DATETIME", want: "2003-01-06T00:00:01.234567+00:00"},
		{v: at.In(zone), column: "DATETIME", xsd: "dateTime", want: "2003-01-06T02:00:00.000+02:00"},
		{v: at.Add(time.Hour), column: "TIME", xsd: "time", want: "01:00:00.000+00:00"},
		{v: []byte("13:14:15"), column: "TIME", want: "13:14:15.000+00:00"},
		{v: "13:14:15.25", column: "TIME", want: "13:14:15.250+00:00"},
		{v: at, column: "", xsd: "date", want: "2003-01-06"},
	} {
		got := Lexical(Column{Value: c.v, Type: c.column}, c.xsd)
		if got.Text != c.want || got.Valid == c.null || got.Type != c.xsd {
			t.Errorf("%T %v of %s as %q: %+v, want %q", c.v, c.v, c.column, c.xsd, got, c.want)
		}
	}
}

func TestJSONNumber(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0", "-0", "1", "-12", "1.5", "0.5", "1e5", "1.0E10", "1E-4", "-1.25e+300", "123456789012345678901234567890"} {
		if !jsonNumber(s) || !json.Valid([]byte(s)) {
			t.Errorf("%q is a number", s)
		}
	}
	for _, s := range []string{"", "-", "+1", "007", "1.", ".5", "1e", "1e+", "0x1", "NaN", "INF", "1 ", " 1", "1_0", "--1", "١"} {
		if jsonNumber(s) || json.Valid([]byte(s)) && strings.TrimSpace(s) == s {
			t.Errorf("%q is not a number", s)
		}
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"a": true, "_x-1.y": true, "last-name": true, "Größe": true, "名": true,
		"": false, "1a": false, "a b": false, "a:b": false, "-a": false, "a<": false, "a\"": false,
	} {
		if ValidName(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func wellFormed(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// FuzzText checks that any text makes well-formed XML and JSON, and comes back as
// far as XML and UTF-8 can carry it; that numbers keep their digits.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a<b>&\"'", "\x00\x1f\x7f", "\xff\xfe", "\ufffe\u2028", "\r\n\t", "]]>", "007", "-1.5e10", "漢"} {
		f.Add(s, "string")
		f.Add(s, "integer")
	}
	f.Fuzz(func(t *testing.T, text, typ string) {
		v := Value{Valid: true, Text: text, Type: typ}
		var x, j bytes.Buffer
		for _, s := range []interface {
			Sink
			Flush() error
		}{NewXML(&x, 0), NewJSON(&j, 0)} {
			err := errors.Join(s.Open(Name{Space: text, Local: "r"}, false), s.Attribute(Name{Local: "a"}, v), s.Leaf(Name{Space: text, Local: "v"}, v), s.Close(), s.Flush())
			if err != nil {
				t.Fatal(err)
			}
		}
		var doc struct {
			A string `xml:"a,attr"`
			V string `xml:"v"`
		}
		if err := xml.Unmarshal(x.Bytes(), &doc); err != nil {
			t.Fatalf("%q: %v", x.String(), err)
		}
		if want := carried(text); doc.V != want || doc.A != want {
			t.Fatalf("%q came back as %q and %q", text, doc.V, doc.A)
		}
		var back struct {
			R struct{ V json.RawMessage } `json:"r"`
		}
		if err := json.Unmarshal(j.Bytes(), &back); err != nil {
			t.Fatalf("%q: %v", j.String(), err)
		}
		if raw := string(back.R.V); raw != text {
			var s string
			if err := json.Unmarshal(back.R.V, &s); err != nil {
				t.Fatal(err)
			}
			checkString(t, text, s)
		}
	})
}

// checkString compares as encoding/json replaces what is not UTF-8: each byte.
func checkString(t *testing.T, text, got string) {
	t.Helper()
	var b strings.Builder
	for _, r := range text {
		b.WriteRune(r)
	}
	if got != b.String() {
		t.Fatalf("%q came back as %q", text, got)
	}
}

// carried is the text with what XML 1.0 cannot carry replaced.
func carried(s string) string {
	var b strings.Builder
	for _, r := range s {
		if !validXML(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}
