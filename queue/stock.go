package queue

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
)

// candidate is an item that a look has found, and that nobody seemed to have.
type candidate struct {
	path, name string
	id         string
	named      bool
	priority   int32
	due        int64 // milliseconds of the epoch, if it is delayed
	number     int32

	read   bool // the rest is known
	stat   client.Stat
	header header
	bodies [][]byte
	broken error // it cannot be decoded
	raw    []byte
}

// check is a node's version that a claim depends on.
type check struct {
	path    string
	version int32
}

// view is what a look has found.
type view struct {
	items []*candidate // in the order in which they come out
	// checks are, in order of priority, the versions that the queue's parts had; better is for an item how
	// many of them a claim depends on: those of the levels that are better than its own.
	checks []check
	better map[int32]int
	once   bool      // a claim cannot depend on what has come since, so each needs a look of its own
	next   time.Time // when the next delayed item is due; zero if there is none
}

// knowledgeLasts is how long a consumer goes on taking what it has seen before it looks again: by so
// much it may be late for a delayed item, or for one that was given back.
const knowledgeLasts = time.Second

// stock is what the last look of a Queue has found, less what was drawn from it. It is shared by all who take
// from this Queue, so that they do not contend with each other.
type stock struct {
	mu    sync.Mutex
	v     *view
	until time.Time
	left  int // how often it may be drawn from before the next look
	trust int // how often that is after a look
	// spread is among how many of the first items one is chosen by chance: 1 unless others
	// take from the same queue at the same time.
	spread int
}

// readAhead is how many items are read at once though fewer are wanted.
const readAhead = 16

const (
	mostTrust  = 1024
	mostSpread = 64
)

// fill replaces what there is.
func (s *stock) fill(v *view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.v, s.until = v, now.Add(knowledgeLasts)
	if !v.next.IsZero() && v.next.After(now) && v.next.Before(s.until) {
		s.until = v.next
	}
	if s.trust == 0 {
		s.trust, s.spread = mostTrust, 1
	}
	s.left = s.trust
	if v.once {
		s.left = 1
	}
}

// draw takes up to n items out that a claim can have together, and returns the view that they are from. None, if it is time to look.
func (s *stock) draw(n int) ([]*candidate, *view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.v
	if v == nil || len(v.items) == 0 || !time.Now().Before(s.until) {
		s.v = nil
		return nil, nil
	}
	if s.spread == 1 && !v.items[0].read { // they are read several at once
		n = max(n, readAhead)
	}
	from := 0
	if s.spread > 1 {
		from = rand.N(min(s.spread, max(1, len(v.items)-n+1)))
		for from > 0 && v.items[from].priority != v.items[0].priority {
			from-- // never past one of a better priority
		}
	}
	upTo := from
	for upTo < len(v.items) && upTo-from < n && (from == 0 || v.items[upTo].priority == v.items[0].priority) {
		upTo++ // nor, several at once, beyond those that were left out
	}
	out := append([]*candidate(nil), v.items[from:upTo]...)
	if from == 0 {
		v.items = v.items[upTo:]
	} else {
		v.items = append(v.items[:from:from], v.items[upTo:]...)
	}
	if s.left--; s.left <= 0 {
		s.v = nil
	}
	return out, v
}

// back puts items back that were drawn from a view, if that is still the newest.
func (s *stock) back(v *view, items []*candidate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.v == v && len(items) > 0 {
		v.items = append(items, v.items...)
	}
}

// dependsOn is what a claim of items depends on.
func (v *view) dependsOn(items []*candidate) []check {
	better := 0
	for _, it := range items {
		better = max(better, v.better[it.priority])
	}
	return v.checks[:better]
}

// lost is told that somebody else had an item first: what is known is old.
func (s *stock) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.v = nil
	s.trust = max(1, min(s.trust, 16)/2)
	s.spread = min(mostSpread, max(1, s.spread)*2)
}

// won is told that nobody had.
func (s *stock) won() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trust = min(mostTrust, s.trust+4)
	s.spread = max(1, s.spread*3/4)
}

// drop forgets what is known.
func (s *stock) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.v = nil
}
