package tree

import "github.com/seed42aab489/belfry/coordclient"

// Write is one change that a staged commit makes.
type Write[P any] struct {
	Kind    coordclient.OpKind // OpCreate, OpSet or OpDelete
	Key     string
	Value   []byte
	Version int64 // the new one; of a delete the last one
	Payload P     // the new one; of a delete the last one
}

// Stage collects commits on top of a tree that they do not change yet.
type Stage[P any] struct {
	tree *Tree[P]
	// Writes of all the commits staged, in order.
	Writes []Write[P]

	over map[string]state[P]
	undo []undo[P]
}

type state[P any] struct {
	version int64
	payload P
}

type undo[P any] struct {
	key    string
	before state[P]
	had    bool
}

// Stage begins a group of commits.
func (t *Tree[P]) Stage() *Stage[P] {
	return &Stage[P]{tree: t, over: make(map[string]state[P])}
}

// Rules are what a tree cannot know of itself.
type Rules[P any] struct {
	// Member tells whether the session that commits is this member's.
	Member func(coordclient.MemberID) bool
	// Payload makes the payload of a create or a set; before is that of the
	// entry replaced.
	Payload func(op coordclient.Op, before P) P
}

// Add stages a commit that CheckOps has passed: all of it, or on a
// *CommitError nothing.
func (s *Stage[P]) Add(ops []coordclient.Op, rules Rules[P]) error {
	mark := len(s.Writes)
	s.undo = s.undo[:0]
	for i, op := range ops {
		if err := s.add(op, rules); err != nil {
			s.revert(mark)
			return &coordclient.CommitError{Index: i, Op: op, Err: err}
		}
	}
	return nil
}

func (s *Stage[P]) add(op coordclient.Op, rules Rules[P]) error {
	if op.Kind == coordclient.OpCheckMember {
		if !rules.Member(coordclient.MemberID(op.Key)) {
			return coordclient.ErrNotMember
		}
		return nil
	}
	now := s.look(op.Key)
	if err := holds(op, now.version); err != nil {
		return err
	}
	switch op.Kind {
	case coordclient.OpCreate:
		s.put(op, 0, rules.Payload(op, now.payload))
	case coordclient.OpSet:
		s.put(op, now.version+1, rules.Payload(op, now.payload))
	case coordclient.OpDelete:
		s.remember(op.Key)
		s.over[op.Key] = state[P]{version: absent}
		s.Writes = append(s.Writes, Write[P]{Kind: op.Kind, Key: op.Key, Version: now.version, Payload: now.payload})
	}
	return nil
}

// holds is the whole of the store's rules for an entry that has the version.
func holds(op coordclient.Op, version int64) error {
	switch {
	case op.Kind == coordclient.OpCreate:
		if version != absent {
			return coordclient.ErrExists
		}
	case version == absent:
		return coordclient.ErrNotFound
	case op.Kind == coordclient.OpDelete && op.Version == coordclient.AnyVersion:
	case op.Version != version:
		return coordclient.ErrConflict
	}
	return nil
}

func (s *Stage[P]) look(key string) state[P] {
	if st, ok := s.over[key]; ok {
		return st
	}
	if payload, version, ok := s.tree.Get(key); ok {
		return state[P]{version, payload}
	}
	return state[P]{version: absent}
}

func (s *Stage[P]) put(op coordclient.Op, version int64, payload P) {
	s.remember(op.Key)
	s.over[op.Key] = state[P]{version, payload}
	s.Writes = append(s.Writes, Write[P]{op.Kind, op.Key, op.Value, version, payload})
}

func (s *Stage[P]) remember(key string) {
	before, had := s.over[key]
	s.undo = append(s.undo, undo[P]{key, before, had})
}

func (s *Stage[P]) revert(mark int) {
	for i := len(s.undo) - 1; i >= 0; i-- {
		if u := s.undo[i]; u.had {
			s.over[u.key] = u.before
		} else {
			delete(s.over, u.key)
		}
	}
	clear(s.Writes[mark:])
	s.Writes = s.Writes[:mark]
}

// Apply makes the staged commits the state of the tree and wakes who watches
// what they changed. The stage is spent.
func (s *Stage[P]) Apply() {
	for _, w := range s.Writes {
		if w.Kind == coordclient.OpDelete {
			s.tree.remove(w.Key)
		} else {
			s.tree.Put(w.Key, w.Version, w.Payload)
		}
		s.tree.wake(w.Key)
	}
}
