package socket

import "encoding/binary"

// maxWatches bounds the watches of one connection. Beyond it an earlier one is
// said to have closed.
const maxWatches = 16 << 10

// watches are those of which a companion has been told the number. They are
// guarded by wire.mu, under which their end is told too, so that a reply always
// comes before the end of the watch that it mentions. Replies that have the
// same channel mention the same watch, however often a companion reads.
type watches struct {
	done    <-chan struct{} // the end of the connection
	numbers map[<-chan struct{}]uint32
	drop    map[uint32]chan struct{}
	last    uint32
}

func newWatches(done <-chan struct{}) watches {
	return watches{done: done, numbers: make(map[<-chan struct{}]uint32), drop: make(map[uint32]chan struct{})}
}

// number gives what ends a reply that mentions the watch, and begins to wait
// for it. Needs wire.mu.
func (p *peer) number(watch <-chan struct{}) []byte {
	w := &p.watches
	id, ok := w.numbers[watch]
	if !ok {
		if len(w.numbers) >= maxWatches {
			w.dropAny()
		}
		for id == 0 || w.drop[id] != nil { // 0 is no number, and they may wrap
			w.last++
			id = w.last
		}
		dropped := make(chan struct{})
		w.numbers[watch], w.drop[id] = id, dropped
		p.running.Go(func() { p.await(watch, dropped, id) })
	}
	return binary.BigEndian.AppendUint32(nil, id)
}

func (w *watches) dropAny() {
	for watch, id := range w.numbers {
		close(w.drop[id])
		delete(w.numbers, watch)
		return
	}
}

// await ends when the watch closes or is dropped, or with the connection.
func (p *peer) await(watch, dropped <-chan struct{}, id uint32) {
	select {
	case <-watch:
	case <-dropped:
	case <-p.watches.done:
		return
	}
	p.mu.Lock()
	if p.watches.numbers[watch] == id {
		delete(p.watches.numbers, watch)
	}
	p.mu.Unlock()
	// Its number is free only when its end is on the wire.
	_ = p.write(frame{kind: kindChanged, stream: id}, nil)
	p.mu.Lock()
	delete(p.watches.drop, id)
	p.mu.Unlock()
}

// cutWatch takes the number of the watch off the end of a reply.
func cutWatch(payload []byte) (rest []byte, id uint32, ok bool) {
	n := len(payload) - 4
	if n < 0 {
		return nil, 0, false
	}
	return payload[:n], binary.BigEndian.Uint32(payload[n:]), true
}
