package locks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// holding is one grant of a lock, as its holder tells of it.
type holding struct {
	who    string // the contender, which may hold many times
	mode   string // write, read or permit
	weight int    // how many permits
	// The versions of the ledger that were the first and the last written while it surely held.
	first, last int
}

// journal is what all holders of one path have told.
type journal struct {
	mu      sync.Mutex
	all     []*holding
	open    map[string]*holding // by a name that no other has
	failed  error
	changed chan struct{} // closed when something is told
}

func newJournal() *journal {
	return &journal{open: map[string]*holding{}, changed: make(chan struct{})}
}

// tell changes the journal, and wakes those who wait.
func (j *journal) tell(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *journal) enter(name string, h holding) {
	j.tell(func() {
		h.last = h.first
		j.open[name] = &h
		j.all = append(j.all, &h)
	})
}

// held notes a moment at which a holding, which has not ended, went on.
func (j *journal) held(name string, version int) {
	j.tell(func() {
		if h := j.open[name]; h != nil {
			h.last = version
		}
	})
}

// leave notes the last such moment.
func (j *journal) leave(name string, version int) {
	j.held(name, version)
	j.lose(name)
}

// lose notes that a holding has ended, nobody knows when.
func (j *journal) lose(name string) { j.tell(func() { delete(j.open, name) }) }

// fail ends all waits.
func (j *journal) fail(err error) {
	j.tell(func() {
		if j.failed == nil {
			j.failed = err
		}
	})
}

// grants tells how often each has held.
func (j *journal) grants() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := map[string]int{}
	for _, h := range j.all {
		n[h.who]++
	}
	return n
}

// holdings are those told so far.
func (j *journal) holdings() []holding {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make([]holding, len(j.all))
	for i, h := range j.all {
		all[i] = *h
	}
	return all
}

// wait waits until each of some has held so many times more than before, and all together
// so many times.
func (j *journal) wait(ctx context.Context, who []string, before map[string]int, each, together int) error {
	for {
		j.mu.Lock()
		failed, changed := j.failed, j.changed
		j.mu.Unlock()
		if failed != nil {
			return failed
		}
		grants, total := j.grants(), 0
		for n := range maps.Values(grants) {
			total += n
		}
		waiting := slices.DeleteFunc(slices.Clone(who), func(one string) bool { return grants[one] >= before[one]+each })
		if len(waiting) == 0 && total >= together {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w: %v are to hold %d times more, and all of them %d times; so far: %v", ctx.Err(), waiting, each, together, grants)
		}
	}
}
