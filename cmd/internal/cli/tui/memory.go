package tui

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/seed42aab489/belfry/tui"
)

// memory keeps what the screens remember in a file for each context, which its owner
// alone may read. It holds nothing that task files do not hold.
type memory struct{ folder string }

const (
	// memoryFormat is the number of the files' format. Others are not read.
	memoryFormat = 1
	maxMemory    = 1 << 20 // bytes of a file
	maxFileName  = 120
)

// memorised is a file.
type memorised struct {
	Format  int    `json:"format"`
	Context string `json:"context"`
	tui.Remembered
}

// file is that of a context.
func (m memory) file(context string) string {
	name := url.PathEscape(context)
	if len(name) > maxFileName {
		sum := sha256.Sum256([]byte(context))
		name = hex.EncodeToString(sum[:])
	}
	return filepath.Join(m.folder, "screen-"+name+".json")
}

// Load is of tui.Memory. What cannot be read, or is of another format, counts as
// nothing: the next Save replaces it.
func (m memory) Load(context string) tui.Remembered {
	f, err := os.Open(m.file(context))
	if err != nil {
		return tui.Remembered{}
	}
	defer func() { _ = f.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(f, maxMemory))
	var was memorised
	if err != nil || json.Unmarshal(text, &was) != nil || was.Format != memoryFormat || was.Context != context {
		return tui.Remembered{}
	}
	return was.Remembered
}

// Save is of tui.Memory. The file is replaced as a whole.
func (m memory) Save(context string, r tui.Remembered) error {
	text, err := json.MarshalIndent(memorised{memoryFormat, context, r}, "", "  ")
	if err != nil {
		return fmt.Errorf("remember: %w", err)
	}
	if len(text) > maxMemory {
		return fmt.Errorf("remember: %d bytes are more than %d", len(text), maxMemory)
	}
	return replace(m.file(context), text)
}

// replace writes a file that its owner alone may read, in a folder that is made.
func replace(path string, text []byte) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("remember: %w", err)
	}
	f, err := os.CreateTemp(folder, ".screen-*")
	if err != nil {
		return fmt.Errorf("remember: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use
		return fmt.Errorf("remember: %w", err)
	}
	return nil
}

// crashed writes the report of a panic in the screens, and gives its path; empty: it
// cannot be written.
func crashed(folder, version, text string, now time.Time) string {
	now = now.UTC()
	path := filepath.Join(folder, "crash-"+now.Format("20060102T150405.000")+".txt")
	head := fmt.Sprintf("belfry %s, terminal screens, %s\n\n", version, now.Format(time.RFC3339))
	if folder == "" || replace(path, []byte(head+text)) != nil {
		return ""
	}
	return path
}
