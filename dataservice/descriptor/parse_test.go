package descriptor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFull reads a descriptor that says everything, into a golden file.
func TestFull(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/full.dbs")
	if err != nil {
		t.Fatal(err)
	}
	s, err := descriptor.Parse("full.dbs", data)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(s); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/full.json", b.Bytes())
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (run with -update if that is meant):\n%s", file, d)
	}
}

// inData wraps elements into a descriptor with an SQL source "default".
func inData(elements string) string {
	return `<data name="S"><config id="default"><property name="url">jdbc:sqlite:x</property></config>` + elements + `</data>`
}

func parse(t *testing.T, text string) *dataservice.Service {
	t.Helper()
	s, err := descriptor.Parse("f.dbs", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A result without a namespace of its own is in the baseURI, else in the
// service's namespace, as in the original.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ attributes, service, result string }{
		{``, dataservice.DefaultNamespace, dataservice.DefaultNamespace},
		{`serviceNamespace="urn:s"`, "urn:s", "urn:s"},
		{`baseURI="urn:b"`, "urn:b", "urn:b"},
		{`serviceNamespace="urn:s" baseURI="urn:b"`, "urn:s", "urn:b"},
	} {
		text := strings.Replace(inData(`<query id="q"><sql>select 1</sql><result element="r"/></query>`), `name="S"`, `name="S" `+c.attributes, 1)
		s := parse(t, text)
		if s.Namespace != c.service || s.Queries[0].Result.Namespace != c.result {
			t.Errorf("%s: service in %s, result in %s; want %s, %s", c.attributes, s.Namespace, s.Queries[0].Result.Namespace, c.service, c.result)
		}
	}
}

// Parameters without an ordinal follow the highest before them.
func TestOrdinals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		written string
		want    []int
	}{
		{"- - -", []int{1, 2, 3}},
		{"3 1 2", []int{3, 1, 2}},
		{"2 - 1 -", []int{2, 3, 1, 4}},
		{"0 -1 -", []int{1, 2, 3}},
	} {
		params := ""
		for i, o := range strings.Fields(c.written) {
			if o == "-" {
				params += fmt.Sprintf(`<param name="p%d"/>`, i)
			} else {
				params += fmt.Sprintf(`<param name="p%d" ordinal="%s"/>`, i, o)
			}
		}
		var got []int
		for _, p := range parse(t, inData(`<query id="q"><sql>x`+strings.Repeat(" ?", len(strings.Fields(c.written)))+`</sql>`+params+`</query>`)).Queries[0].Params {
			got = append(got, p.Ordinal)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.written, d)
		}
	}
}

// What those who wrote descriptors for the original are used to.
func TestHabits(t *testing.T) {
	t.Parallel()
	s := parse(t, `<data name="S" transports="HTTP, https htps"><config id="default"><property name="org.wso2.ws.dataservice.driver">$SYSTEM:driver1</property>
	  <property name="org.wso2.ws.dataservice.protocol"> $SYSTEM:url1 </property><property name="org.wso2.ws.dataservice.user">a $SYSTEM:b</property></config></data>`)
	if d := cmp.Diff([]string{"http", "https", "htps"}, s.Transports); d != "" {
		t.Error(d)
	}
	if p := s.Source("default").Properties; p["url"] != "$env{BELFRY_SOURCE_url1}" || p["driverClassName"] != "$env{BELFRY_SOURCE_driver1}" || p["username"] != "a $SYSTEM:b" {
		t.Errorf("%v", p)
	}
	if len(s.Unsupported) != 1 || s.Unsupported[0].What != "transport htps" || s.Unsupported[0].Line != 1 || s.Unsupported[0].Column != 16 {
		t.Errorf("%+v", s.Unsupported)
	}
}

// A statement may hold question marks that are no placeholders.
func TestQuestionMarks(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`select '?', "?", 1 -- ?
		/* ? */ where a = ?`,
		`select a where b ?? 'x' and a = ?`,
		`select ` + "`?`" + ` where a = ?`,
		`select 'it\'s ?' where a = ? and b = ?`,
		`select $$ ? $$, ? where a = ?`,
		`select 'it''s ?' where a = ?`,
	} {
		text := inData(`<query id="q"><sql><![CDATA[` + sql + `]]></sql><param name="a"/></query>`)
		if _, err := descriptor.Parse("f.dbs", []byte(text)); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// All faults are listed, in the order of the file, up to a bound.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	text := "<data>" + strings.Repeat("\n<what/>", 30) + "</data>"
	_, err := descriptor.Parse("f.dbs", []byte(text))
	var faults *descriptor.Error
	if !errors.As(err, &faults) || len(faults.Problems) != descriptor.MaxProblems || faults.More != 31-descriptor.MaxProblems {
		t.Fatalf("unexpected error %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if lines[0] != "f.dbs:1:1: <data> needs a name" || !strings.HasPrefix(lines[1], "f.dbs:2:1: unknown element <what> in <data>") || lines[20] != "f.dbs: and 11 more" {
		t.Errorf("unexpected lines %q", lines)
	}
}

// Columns count characters, whatever their bytes and references.
func TestPositions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"characters", `<data name="Größe"><queryß/></data>`, "1:20: unknown element <queryß> in <data>; did you mean <query>?"},
		{"byte order mark", "\ufeff<data name='x'><qury/></data>", "1:16: unknown element <qury> in <data>; did you mean <query>?"},
		{"attribute on another line", "<data\n  name='x'\n  what = '1'/>", "3:3: unknown attribute \"what\" of <data>"},
		{"carriage returns", "<data name='x'>\r\n<qury/>\r\n</data>", "2:1: unknown element <qury> in <data>; did you mean <query>?"},
		{"single quotes with >", "<data name='x' description='a>b' what='c'/>", "1:34: unknown attribute \"what\" of <data>"},
		{"template after references", inData("<query id='q'><sql>x</sql><result outputType='json'>{&quot;a&#x62;&quot;:&#32;{&quot;c&quot;:5}}</result></query>"), `1:184: the value of "c" must name a column, such as "$column(type:integer)"`},
		{"template in CDATA", inData("<query id='q'><sql>x</sql><result outputType='json'> <![CDATA[{'a':\r\n {'c':5}}]]></result></query>"), `2:7: the value of "c" must name a column, such as "$column(type:integer)"`},
		{"Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><data name='Gr\xf6\xdfe'><q\xfcery/></data>", "1:63: unknown element <qüery> in <data>; did you mean <query>?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkFaults(t, c.text, c.want)
		})
	}
}

// What is not text in UTF-8, or too much of it, is refused before it is read.
func TestRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "1:1: the file is empty"},
		{"blank", " \n\t", "1:1: the file is empty"},
		{"only a comment", "<!-- a -->", "1:11: there is no element <data>"},
		{"too large", "<data>" + strings.Repeat(" ", descriptor.MaxBytes), "1:1: the file is larger than 1048576 bytes"},
		{"UTF-16", "\xff\xfe<\x00d\x00", "1:1: the file is in UTF-16; save it as UTF-8"},
		{"not UTF-8", "<data name='x'>\n \xff</data>", "2:2: not UTF-8; save the file as UTF-8"},
		{"not XML", "hello", "1:1: text outside the root element"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkFaults(t, c.text, c.want)
		})
	}
}

// The arrow of a nested call points at the parameter, unless only the other
// side can be one, as the original reads it.
func TestNestedCallOfTemplate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ arrow, column, param string }{
		{"$code->id", "code", "id"},
		{"$id->code", "code", "id"},
		{"$other->unknown", "other", "unknown"},
	} {
		s := parse(t, inData(`<query id="in"><sql>x = ?</sql><param name="id"/></query>
			<query id="q"><sql>x</sql><result outputType="json">{"a":{"b":[{"@in":"`+strings.Replace(c.arrow, ">", "&gt;", 1)+`"}]}}</result></query>`))
		got := s.Query("q").Result.Fields[0].Call.Params[0]
		if got.Column != c.column || got.Name != c.param {
			t.Errorf("%s: column %q into parameter %q", c.arrow, got.Column, got.Name)
		}
	}
}

// A mapping makes any source an SQL one, and its operations are served.
func TestMapped(t *testing.T) {
	t.Parallel()
	const text = `<data name="S">
		<config id="carbon"><property name="carbon_datasource_name">X</property></config>
		<config id="none"/>
		<query id="q" useConfig="carbon"><sql>select 1</sql></query>
		<query id="r" useConfig="none"><sql>select 1</sql></query>
		<operation name="q"><call-query href="q"/></operation></data>`
	mapped := descriptor.Parser{Mapped: func(service, id, _ string) bool { return service == "S" && id != "" }}
	s, err := mapped.Parse("f.dbs", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Source("carbon"); c.Kind != dataservice.SourceSQL || !c.Mapped || len(s.Unsupported) != 0 || s.Operation("q").Unsupported != "" {
		t.Errorf("the mapping has no effect: %+v, %+v", c, s.Unsupported)
	}
	checkFaults(t, text, `3:3: data source "none" says neither driverClassName nor any other property that tells its kind`)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	full, err := os.ReadFile("testdata/full.dbs")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, c := range malformed {
		f.Add([]byte(strings.Replace(good, c.old, c.new, 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := descriptor.Parse("f.dbs", data)
		if (s == nil) == (err == nil) {
			t.Fatalf("a service %v and an error %v", s, err)
		}
		var faults *descriptor.Error
		if err != nil && (!errors.As(err, &faults) || len(faults.Problems) == 0 || len(faults.Problems) > descriptor.MaxProblems) {
			t.Fatalf("not a list of faults: %v", err)
		}
		lines := bytes.Split(data, []byte("\n"))
		if faults != nil {
			for _, p := range faults.Problems {
				if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > 2*len(lines[p.Line-1])+2 || p.Message == "" {
					t.Errorf("a place outside the file: %+v", p)
				}
			}
			return
		}
		for _, o := range s.Operations {
			if s.Query(o.Call.Query) == nil {
				t.Errorf("operation %s calls nothing", o.Name)
			}
			if s.OperationHash(o.Name) == "" {
				t.Errorf("operation %s has no hash", o.Name)
			}
		}
	})
}
