package bucket

// wakes is a binary heap of entries by when they next need attention. Each
// entry knows its place, so that it can be moved.
type wakes []*entry

func (h *wakes) less(i, j int) bool { return (*h)[i].wake < (*h)[j].wake }

func (h *wakes) swap(i, j int) {
	all := *h
	all[i], all[j] = all[j], all[i]
	all[i].place, all[j].place = i+1, j+1
}

// set puts e at wake; never takes it out.
func (h *wakes) set(e *entry, wake int64) {
	e.wake = wake
	switch {
	case wake == never:
		h.remove(e)
	case e.place == 0:
		*h = append(*h, e)
		e.place = len(*h)
		h.up(e.place - 1)
	default:
		h.fix(e.place - 1)
	}
}

func (h *wakes) remove(e *entry) {
	if e.place == 0 {
		return
	}
	i, last := e.place-1, len(*h)-1
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	e.place = 0
	if i < last {
		h.fix(i)
	}
}

func (h *wakes) fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h *wakes) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *wakes) down(i int) bool {
	start := i
	for {
		child := 2*i + 1
		if child >= len(*h) {
			break
		}
		if right := child + 1; right < len(*h) && h.less(right, child) {
			child = right
		}
		if !h.less(child, i) {
			break
		}
		h.swap(i, child)
		i = child
	}
	return i > start
}
