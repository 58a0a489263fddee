package rest

import (
	"io"

	"github.com/seed42aab489/belfry/dataservice/result"
)

// Writer is a sink that writes to somewhere; Flush is called once, after the
// last event.
type Writer interface {
	result.Sink
	Flush() error
}

// NewWriter gives the writer of a format, for at most limit bytes; zero: no
// limit.
func NewWriter(w io.Writer, f Format, limit int64) Writer {
	if f == JSON {
		return result.NewJSON(w, limit)
	}
	return result.NewXML(w, limit)
}
