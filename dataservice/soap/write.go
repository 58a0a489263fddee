package soap

import (
	"encoding/xml"
	"io"

	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// tail ends what version.head begins.
const tail = "</soapenv:Body></soapenv:Envelope>\n"

// head begins an envelope, to the inside of its body.
func (v *version) head() string {
	return xml.Header + `<soapenv:Envelope xmlns:soapenv="` + v.space + `"><soapenv:Body>`
}

// writer writes a result in an envelope.
type writer struct {
	*result.XML
	frame *frame
}

// newWriter makes the writer of a result, which has at most limit bytes; zero: no
// limit.
func newWriter(w io.Writer, v *version, limit int64) exchange.Writer {
	f := &frame{w: w, head: v.head()}
	return &writer{result.NewXML(f, limit), f}
}

// Flush meets exchange.Writer.
func (w *writer) Flush() error {
	if err := w.XML.Flush(); err != nil {
		return err
	}
	_, err := w.frame.Write([]byte(tail))
	return err
}

// frame writes a head before the first of what is written to it.
type frame struct {
	w    io.Writer
	head string
}

// Write implements io.Writer.
func (f *frame) Write(p []byte) (int, error) {
	if f.head != "" {
		head := f.head
		f.head = ""
		if _, err := io.WriteString(f.w, head); err != nil {
			return 0, err
		}
	}
	return f.w.Write(p)
}
