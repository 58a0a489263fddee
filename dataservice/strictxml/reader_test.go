package strictxml_test

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// read reads a document to its end, and gives the names of its elements.
func read(text string) (names []string, err error) {
	r := strictxml.NewReader([]byte(text), false)
	for {
		t, err := r.Next()
		if err != nil || t == nil {
			return names, err
		}
		if start, ok := t.(xml.StartElement); ok {
			names = append(names, start.Name.Local)
		}
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<a><b/>text<!-- and a comment --><![CDATA[<c>]]></a>`,
		"\ufeff" + `<?xml version="1.0" encoding="utf-8" standalone="yes"?><a><b/></a>`,
		`<?xml version="1.0" encoding="ISO-8859-1"?><a>` + "\xe9" + `<b/></a>`,
		`<a xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:p" p:x="1" x="1"><p:b xml:lang="en" xmlns="" xmlns:p="urn:p"/></a>`,
		`<a xmlns:xml="` + strictxml.Namespace + `"><b ` + strings.Repeat("a", strictxml.MaxName) + `="1"/></a>`,
	} {
		if names, err := read(text); err != nil || strings.Join(names, " ") != "a b" {
			t.Errorf("%s: %q, %v", text, names, err)
		}
	}
	deep := strings.Repeat("<a>", strictxml.MaxDepth) + strings.Repeat("</a>", strictxml.MaxDepth)
	if _, err := read(deep); err != nil {
		t.Error(err)
	}
}

// What is wrong is told with its place, and in few words whatever the document says.
func TestRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", strictxml.MaxName+1)
	for text, want := range map[string]string{
		`<!DOCTYPE a><a/>`:                  "1:13: a DTD is not allowed",
		`<a><?b?></a>`:                      "1:9: a processing instruction is not allowed",
		` <?xml version="1.0"?><a/>`:        "1:23: a processing instruction is not allowed",
		`<!-- --><?xml version="1.0"?><a/>`: "a processing instruction is not allowed",
		`<a/><a/>`:                          "it holds more than one element",
		`<a/>x`:                             "text stands outside the element",
		``:                                  "1:1: it holds no element",
		`<a`:                                "it is not well-formed",
		`<` + long + `/>`:                   "a name is longer than 1024 bytes",
		`<a ` + long + `="1"/>`:             "a name is longer than 1024 bytes",
		`<a>` + strings.Repeat("<a>", 100):  "elements are nested more than 64 deep",
		`<a x="1" x="2"/>`:                  `attribute "x" is given twice`,
		`<a xmlns:p="u" xmlns:q="u" p:x="" q:x=""/>`: `attribute "x" is given twice`,
		`<a><b xmlns:p="u"/><p:c/></a>`:              `prefix "p" is not declared`,
		`<a p:x="1"/>`:                               `prefix "p" is not declared`,
		`<` + strings.Repeat("p", 99) + `:a/>`:       `prefix "` + strings.Repeat("p", 64) + `…" is not declared`,
		`<a xmlns:p=""/>`:                            `prefix "p" is declared to be nothing`,
		`<a xmlns:xml="urn:x"/>`:                     "the prefix xml and its namespace belong together",
		`<a xmlns:x="` + strictxml.Namespace + `"/>`: "the prefix xml and its namespace belong together",
		`<a xmlns:xmlns="urn:x"/>`:                   "the prefix xmlns and its namespace cannot be declared",
		`<a xmlns="http://www.w3.org/2000/xmlns/"/>`: "the prefix xmlns and its namespace cannot be declared",
	} {
		_, err := read(text)
		var fault *strictxml.Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
	if _, err := read(`<?xml version="1.0" encoding="UTF-7"?><a/>`); !errors.Is(err, strictxml.ErrCharset) {
		t.Errorf("another encoding: %v", err)
	}
}
