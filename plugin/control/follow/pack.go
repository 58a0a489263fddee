package follow

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/seed42aab489/belfry/plugin/task"
)

// pack holds definitions in little room, some 100 bytes each: as JSON, a line each,
// packed by DEFLATE in blocks of packBlock, so that one of them is read without the
// others. It is never changed.
type pack struct {
	blocks [][]byte
	n      int
}

// packBlock is how many definitions are packed together.
const packBlock = 32

// packer packs and unpacks. The zero value is ready. Safe for concurrent use, one at
// a time: what it works with is larger than what it packs.
type packer struct {
	mu  sync.Mutex
	in  *flate.Writer // guarded by mu, as all; nil: not made yet
	out io.ReadCloser
	buf bytes.Buffer
}

func (p *packer) pack(definitions []task.Info) (pack, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.in == nil {
		var err error
		if p.in, err = flate.NewWriter(nil, flate.BestSpeed); err != nil {
			return pack{}, err
		}
	}
	all := pack{n: len(definitions)}
	for len(definitions) > 0 {
		some := definitions[:min(len(definitions), packBlock)]
		definitions = definitions[len(some):]
		p.buf.Reset()
		p.in.Reset(&p.buf)
		lines := json.NewEncoder(p.in)
		for i := range some {
			if err := lines.Encode(&some[i]); err != nil {
				return pack{}, fmt.Errorf("pack task %s: %w", some[i].Key, err)
			}
		}
		if err := p.in.Close(); err != nil {
			return pack{}, err
		}
		all.blocks = append(all.blocks, bytes.Clone(p.buf.Bytes()))
	}
	return all, nil
}

// all unpacks all definitions.
func (p *packer) all(from pack) ([]task.Info, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	definitions := make([]task.Info, 0, from.n)
	for i := range from.blocks {
		text, err := p.text(from.blocks[i])
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			var info task.Info
			if err := json.Unmarshal(line, &info); err != nil {
				return nil, err
			}
			definitions = append(definitions, info)
		}
	}
	return definitions, nil
}

// one unpacks a definition.
func (p *packer) one(from pack, at int) (task.Info, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var info task.Info
	text, err := p.text(from.blocks[at/packBlock])
	if err != nil {
		return info, err
	}
	n := 0
	for line := range bytes.Lines(text) {
		if n == at%packBlock {
			return info, json.Unmarshal(line, &info)
		}
		n++
	}
	return info, io.ErrUnexpectedEOF
}

// text is a block as it was, until the next is asked for.
func (p *packer) text(block []byte) ([]byte, error) {
	if p.out == nil {
		p.out = flate.NewReader(nil)
	}
	if err := p.out.(flate.Resetter).Reset(bytes.NewReader(block), nil); err != nil {
		return nil, err
	}
	p.buf.Reset()
	_, err := p.buf.ReadFrom(p.out)
	return p.buf.Bytes(), err
}
