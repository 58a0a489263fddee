package rest

import (
	"io"

	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// NewWriter gives the writer of a format, for at most limit bytes; zero: no
// limit.
func NewWriter(w io.Writer, f Format, limit int64) exchange.Writer {
	if f == JSON {
		return result.NewJSON(w, limit)
	}
	return result.NewXML(w, limit)
}
