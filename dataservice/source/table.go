package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/source/sheet"
)

// Doer calls an address; *http.Client is one. Where it may call is its business.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Files says how CSV files and Excel workbooks are read. The zero value reads none.
type Files struct {
	// Folder is the only one whose files are read, below it included, and what
	// relative paths start from. Empty: no file is read, only what is remote.
	Folder string
	// Size is the most bytes of a file, and of what a workbook unpacks to. Zero:
	// DefaultFileSize.
	Size int64
	// Client reads http and https addresses. Nil: they are refused.
	Client Doer
}

// DefaultFileSize is that of Files.
const DefaultFileSize = 64 << 20

// Table is a CSV file or an Excel workbook, read anew by each query. Safe for
// concurrent use.
type Table struct {
	files     Files
	kind      dataservice.SourceKind
	at        string // as the source says
	path      string // below the folder
	remote    *url.URL
	separator rune
	data      sheet.Range // of a CSV file; a query says it of a workbook
}

// IsTable tells whether a source is a Table, and not a database.
func IsTable(cfg *dataservice.Source) bool {
	return !cfg.Mapped && (cfg.Kind == dataservice.SourceCSV || cfg.Kind == dataservice.SourceExcel)
}

// OpenTable gives the table of a source, which IsTable. It reads nothing yet. The
// error is meant for the person who deploys the service.
func (s *Set) OpenTable(cfg *dataservice.Source) (*Table, error) {
	t := &Table{files: s.opts.Files, kind: cfg.Kind, at: property(cfg, "excel_datasource"), separator: ','}
	if t.files.Size <= 0 {
		t.files.Size = DefaultFileSize
	}
	if t.kind == dataservice.SourceCSV {
		t.at = property(cfg, "csv_datasource")
		var err error
		if t.data, err = csvRange(cfg); err != nil {
			return nil, err
		}
		// The original's property is misspelt.
		for _, name := range []string{"csv_columnseperator", "csv_columnseparator"} {
			if c := cfg.Properties[name]; c != "" {
				r, n := utf8.DecodeRuneInString(strings.ReplaceAll(c, `\t`, "\t"))
				if t.separator = r; n != len(strings.ReplaceAll(c, `\t`, "\t")) {
					return nil, fmt.Errorf("property %s: %q is not one character", name, c)
				}
			}
		}
	}
	t.at = registryPath(t.at)
	if scheme, _, ok := strings.Cut(t.at, "://"); ok {
		u, err := url.Parse(t.at)
		switch {
		case err != nil || u.Host == "" || scheme != "http" && scheme != "https":
			return nil, errors.New("its address is neither a path nor an http or https one")
		case u.User != nil:
			return nil, errors.New("its address holds a user or a password, which would be shown")
		case t.files.Client == nil:
			return nil, errors.New("this host reads no remote files")
		}
		t.remote = u
		return t, nil
	}
	var err error
	t.path, err = t.files.within(t.at)
	return t, err
}

// within gives a path below the folder, or says why it is none. Links are followed
// when the file is opened, and lead nowhere else either.
func (f Files) within(path string) (string, error) {
	if f.Folder == "" {
		return "", errors.New("this host reads no files (files.folder)")
	}
	below := path
	if filepath.IsAbs(path) {
		folder, err := filepath.Abs(f.Folder)
		if err != nil {
			return "", fmt.Errorf("files.folder: %w", err)
		}
		if below, err = filepath.Rel(folder, path); err != nil {
			return "", fmt.Errorf("%s is not within files.folder", path)
		}
	}
	below = filepath.Clean(below)
	switch {
	case !filepath.IsLocal(below):
		return "", fmt.Errorf("%s is not within files.folder", path)
	case strings.EqualFold(filepath.Ext(below), ".dbs"):
		return "", fmt.Errorf("%s is a descriptor, which may hold passwords, and no data", path)
	}
	return below, nil
}

// registryPath gives the file that the original keeps a resource of its registry in,
// below its home: conf:/a is registry/config/a, and gov:/a is registry/governance/a
// (WSO2: DBUtils.getInputStreamFromPath, Micro Integrator's registry).
func registryPath(at string) string {
	for prefix, folder := range map[string]string{"conf:": "registry/config", "gov:": "registry/governance"} {
		if rest, ok := strings.CutPrefix(at, prefix); ok {
			return folder + "/" + strings.TrimLeft(rest, "/")
		}
	}
	return at
}

// csvRange reads the properties of a CSV source (WSO2: DBConstants.CSV).
func csvRange(cfg *dataservice.Source) (sheet.Range, error) {
	spec := &dataservice.Sheet{MaxRows: -1}
	for name, to := range map[string]*int{"csv_startingrow": &spec.Start, "csv_headerrow": &spec.Header, "csv_maxrowcount": &spec.MaxRows} {
		v := property(cfg, name)
		if v == "" {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return sheet.Range{}, fmt.Errorf("property %s: %q is not a whole number", name, v)
		}
		*to = n
	}
	spec.HasHeader = strings.EqualFold(property(cfg, "csv_hasheader"), "true")
	return rangeOf(spec), nil
}

func rangeOf(s *dataservice.Sheet) sheet.Range {
	return sheet.Range{HasHeader: s.HasHeader, Header: s.Header, Start: s.Start, Max: s.MaxRows, Limited: s.MaxRows >= 0}
}

// String tells where the table is, without the query of an address, which may be a
// secret.
func (t *Table) String() string {
	if t.remote != nil {
		return t.remote.Scheme + "://" + t.remote.Host + t.remote.Path
	}
	return t.at
}

// Rows reads the rows that a query asks for; of a CSV file spec may be nil. Errors
// of what cannot be reached or read are *dataservice.Fault.
func (t *Table) Rows(ctx context.Context, spec *dataservice.Sheet) (*sheet.Rows, error) {
	in, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	from, data, err := t.reader(in, spec)
	if err != nil {
		return nil, unreadable(err)
	}
	rows, err := sheet.Select(from, data)
	if err != nil {
		return nil, errors.Join(unreadable(err), from.Close())
	}
	return rows, nil
}

func (t *Table) reader(in io.ReadCloser, spec *dataservice.Sheet) (sheet.Reader, sheet.Range, error) {
	if t.kind == dataservice.SourceCSV {
		from, err := sheet.CSV(in, t.separator)
		return from, t.data, err
	}
	data, err := io.ReadAll(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, sheet.Range{}, err
	}
	if spec == nil {
		spec = &dataservice.Sheet{MaxRows: -1}
	}
	from, err := sheet.Workbook(data, spec.Name, t.files.Size)
	return from, rangeOf(spec), err
}

// open gives the bytes, at most Files.Size of them.
func (t *Table) open(ctx context.Context) (io.ReadCloser, error) {
	if t.remote != nil {
		return t.fetch(ctx)
	}
	file, err := os.OpenInRoot(t.files.Folder, t.path) // neither .. nor a link leads out of it
	if err != nil {
		return nil, unreachable(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return nil, unreachable(errors.Join(err, file.Close()))
	}
	return t.bounded(file), nil
}

func (t *Table) fetch(ctx context.Context) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.remote.String(), http.NoBody)
	if err != nil {
		return nil, unreachable(err)
	}
	answer, err := t.files.Client.Do(r)
	if err != nil {
		var inURL *url.Error
		if errors.As(err, &inURL) {
			err = inURL.Err // without the address, whose query may be a secret
		}
		return nil, unreachable(fmt.Errorf("%s: %w", t, err))
	}
	if answer.StatusCode != http.StatusOK {
		return nil, unreachable(errors.Join(fmt.Errorf("%s answers %s", t, answer.Status), answer.Body.Close()))
	}
	return t.bounded(answer.Body), nil
}

func (t *Table) bounded(in io.ReadCloser) io.ReadCloser {
	return &boundedFile{ReadCloser: in, left: t.files.Size, size: t.files.Size}
}

// boundedFile fails beyond a size, where io.LimitReader would seem to end.
type boundedFile struct {
	io.ReadCloser
	left, size int64
}

func (b *boundedFile) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultLimit,
			Message: fmt.Sprintf("the file of the data source is larger than %d bytes (files.size)", b.size),
		}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// unreachable is the fault of a file that is not to be had, unreadable that of one
// whose content is not what it should be. What the system said is for the log.
func unreachable(err error) error {
	return &dataservice.Fault{
		Code: dataservice.ConnectionUnavailable, Kind: dataservice.FaultUnreachable, Message: "the file of the data source cannot be reached", Err: err,
	}
}

func unreadable(err error) error {
	var f *dataservice.Fault
	if errors.As(err, &f) {
		return f
	}
	return &dataservice.Fault{Code: dataservice.DatabaseError, Kind: dataservice.FaultInternal, Message: "the file of the data source cannot be read", Err: err}
}
