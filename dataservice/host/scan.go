package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// MaxDepth is how many folders deep a descriptor may lie.
const MaxDepth = 4

// confirmation is the file that confirms that an empty folder means to undeploy
// everything.
const confirmation = ".undeploy-all"

// look is what one look at the services folder found.
type look struct {
	files map[string]fs.FileInfo // descriptors by their path, slashes, relative
	dirs  []string               // folders that were read, to be watched
	// unread says why a folder could not be read, by its path. What it held is
	// neither there nor gone.
	unread    map[string]error
	confirmed bool
}

// scan looks at the services folder.
func scan(root string) look {
	l := look{files: make(map[string]fs.FileInfo), unread: make(map[string]error)}
	l.folder(root, "", 0)
	return l
}

func (l *look) folder(root, rel string, depth int) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(rel)))
	if err != nil {
		// A subfolder that went away since its parent was read is gone; the
		// services folder itself may be a mount that comes back.
		if rel == "" || !errors.Is(err, fs.ErrNotExist) {
			l.unread[rel] = err
		}
		return
	}
	l.dirs = append(l.dirs, filepath.Join(root, filepath.FromSlash(rel)))
	for _, e := range entries {
		name := e.Name()
		if rel == "" && name == confirmation {
			l.confirmed = true
		}
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") {
			continue
		}
		at := path.Join(rel, name)
		switch {
		case e.IsDir():
			if depth < MaxDepth {
				l.folder(root, at, depth+1)
			}
		case strings.HasSuffix(name, ".dbs"):
			// Follows a link; what is gone or dangling is not there.
			if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(at))); err == nil && !info.IsDir() {
				l.files[at] = info
			}
		}
	}
}

// kept tells whether a missing file lies in a folder that could not be read.
func (l *look) kept(file string) bool {
	for dir := range l.unread {
		if dir == "" || strings.HasPrefix(file, dir+"/") {
			return true
		}
	}
	return false
}

// same tells whether two looks at a file saw the same one, unchanged.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// coarse is what the times of files may be rounded to. A file that was read
// within that of its last change may have changed again without showing.
const coarse = 2 * time.Second

// content reads a descriptor and hashes it.
func content(root, rel string, most int64) (data []byte, hash string, err error) {
	name := filepath.Join(root, filepath.FromSlash(rel))
	info, err := os.Stat(name)
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", errors.New("it is not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, "", err
	}
	if int64(len(data)) > most {
		return nil, "", fmt.Errorf("it exceeds %d bytes", most)
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]), nil
}
