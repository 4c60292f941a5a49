package queue

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/zookit/zookit/client"
)

// native is the native layout; the package's documentation describes its nodes.
type native struct {
	c *core

	mu    sync.Mutex
	tails map[int32]string // by priority, the path of the segment that items are added to
	next  map[int64]int    // by minute, which of its buckets is not full
}

func newNative(c *core) *native {
	return &native{c: c, tails: map[int32]string{}, next: map[int64]int{}}
}

func (n *native) at(name string) string { return client.Join(n.c.path, name) }

func (n *native) nodes() []string {
	var out []string
	for _, name := range []string{"segments", "delayed", "leases", "holders", "ids"} {
		out = append(out, n.at(name))
	}
	return out
}

func (n *native) conflict(children []string) error {
	for _, name := range children {
		if whose := familyOf(name); whose != "" && name != "segments" {
			return n.c.conflict(name, whose)
		}
	}
	return nil
}

func (n *native) lease(name string) string { return n.at("leases/" + name) }

func (n *native) departures() string { return n.at("leases") }

func (n *native) body(data []byte) (header, [][]byte, error) {
	h, body, err := unseal(data)
	return h, [][]byte{body}, err
}

func (n *native) ring(p *plan, it *candidate) {
	bell := n.level(it.priority)
	if it.due != 0 {
		bell = n.at("delayed")
	}
	p.note(roleBell, 0).Set(bell, nil, client.AnyVersion)
}

// level is the node of a priority. Its name sorts as the priority does.
func (n *native) level(p int32) string { return n.at("segments/" + levelName(p)) }

func levelName(p int32) string {
	sign := "1"
	if p < 0 {
		sign = "0"
	}
	return sign + fmt.Sprintf("%08X", uint32(p))
}

func parseLevel(name string) (int32, bool) {
	if len(name) != 9 {
		return 0, false
	}
	v, err := strconv.ParseUint(name[1:], 16, 32)
	p := int32(v)
	return p, err == nil && levelName(p) == name
}

const segmentPrefix = "s-"

// parseSegments returns the numbers of a level's segments, in order.
func parseSegments(children []string) []int32 {
	var out []int32
	for _, name := range children {
		if before, number, ok := sequence(name); ok && before == segmentPrefix {
			out = append(out, number)
		}
	}
	slices.Sort(out)
	return out
}

func segmentName(number int32) string { return segmentPrefix + fmt.Sprintf("%010d", number) }

// itemName is the name that an entry's node is asked for with. Its first letter says whether its id has a node as well.
func itemName(e *entry) string {
	kind := "r"
	if e.named {
		kind = "n"
	}
	return kind + url.PathEscape(e.id) + "-"
}

// parseItem takes the name of an item apart. The rest of it is set by the caller.
func parseItem(name string) (*candidate, bool) {
	before, number, ok := sequence(name)
	if !ok || len(before) < 3 || before[len(before)-1] != '-' || (before[0] != 'r' && before[0] != 'n') {
		return nil, false
	}
	id, err := url.PathUnescape(before[1 : len(before)-1])
	if err != nil {
		return nil, false
	}
	return &candidate{name: name, id: id, named: before[0] == 'n', number: number}, true
}

// minute is the time that one bucket of delayed items is for, in milliseconds.
const minute = 60_000

func bucketName(m int64, part int) string { return fmt.Sprintf("%010d.%03d", m, part) }

func parseBucket(name string) (m int64, ok bool) {
	first, rest, ok := strings.Cut(name, ".")
	m, err := strconv.ParseInt(first, 10, 64)
	_, err2 := strconv.ParseUint(rest, 10, 16)
	return m, ok && err == nil && err2 == nil && m >= 0
}

// parseDelayed takes the name of a delayed item apart: due-level-item.
func parseDelayed(name string) (*candidate, bool) {
	parts := strings.SplitN(name, "-", 3)
	if len(parts) != 3 || len(parts[0]) != 13 {
		return nil, false
	}
	due, err := strconv.ParseInt(parts[0], 10, 64)
	p, ok := parseLevel(parts[1])
	it, isItem := parseItem(parts[2])
	if err != nil || due <= 0 || !ok || !isItem {
		return nil, false
	}
	it.name, it.due, it.priority = name, due, p
	return it, true
}

func (n *native) spot(ctx context.Context, e *entry) (spot, error) {
	if e.due != 0 {
		n.mu.Lock()
		defer n.mu.Unlock()
		m := e.due / minute
		return &bucketSpot{n: n, minute: m, dir: n.at("delayed/" + bucketName(m, n.next[m]))}, nil
	}
	n.mu.Lock()
	tail := n.tails[e.priority]
	n.mu.Unlock()
	if tail == "" {
		var err error
		if tail, err = n.findTail(ctx, e.priority); err != nil {
			return nil, err
		}
	}
	return &segmentSpot{n: n, priority: e.priority, dir: tail}, nil
}

// segmentSpot is the last segment of a level: the one that items are added to.
type segmentSpot struct {
	n        *native
	priority int32
	dir      string
}

func (s *segmentSpot) key() string { return s.dir }

// begin: a segment that is full has been changed, and nothing is added to it any more.
func (s *segmentSpot) begin(p *plan) { p.note(rolePlace, 0).Check(s.dir, 0) }

func (s *segmentSpot) end(p *plan) {
	p.note(roleBell, 0).Set(s.n.level(s.priority), nil, client.AnyVersion)
}

func (s *segmentSpot) prefix(e *entry) string { return client.Join(s.dir, itemName(e)) }

func (s *segmentSpot) seal(e *entry) []byte { return e.header.seal(e.data) }

// made begins the next segment when this one is full.
func (s *segmentSpot) made(ctx context.Context, path string) {
	_, number, ok := sequence(path)
	if ok && int(number) >= s.n.c.cfg.segment-1 {
		_ = s.n.roll(ctx, s.priority, s.dir) // whoever puts next does it otherwise
	}
}

func (s *segmentSpot) refused(ctx context.Context, why error) error {
	s.n.forget(s.priority, s.dir)
	if errors.Is(why, client.ErrNoNode) {
		s.n.c.reset()
	}
	return s.n.c.ready(ctx)
}

func (n *native) forget(p int32, dir string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tails[p] == dir {
		delete(n.tails, p)
	}
}

// roll closes a segment and begins the next, in one transaction: what is in a later segment was put later.
func (n *native) roll(ctx context.Context, p int32, dir string) error {
	n.forget(p, dir)
	_, number, _ := sequence(dir)
	next := client.Join(n.level(p), segmentName(number+1))
	_, err := n.c.cl.Txn().Set(dir, []byte("full"), 0).Create(next, nil).Commit(ctx)
	if err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.tails[p] = next
	}
	return err
}

// findTail finds the last segment of a level, and makes level and segment if there are none.
func (n *native) findTail(ctx context.Context, p int32) (string, error) {
	level := n.level(p)
	var pace pace
	for {
		children, _, err := n.c.cl.Children(ctx, level)
		found := parseSegments(children)
		switch {
		case errors.Is(err, client.ErrNoNode):
			_, err = n.c.cl.Txn().Create(level, nil).Create(client.Join(level, segmentName(0)), nil).Set(n.at("segments"), nil, client.AnyVersion).Commit(ctx)
		case err == nil && len(found) == 0:
			_, err = n.c.cl.Txn().Create(client.Join(level, segmentName(0)), nil).Commit(ctx)
		case err == nil:
			tail := client.Join(level, segmentName(found[len(found)-1]))
			n.mu.Lock()
			defer n.mu.Unlock()
			n.tails[p] = tail
			return tail, nil
		}
		switch { // and then look again, also after an answer that was lost
		case errors.Is(err, client.ErrNoNode):
			n.c.reset()
			if err := n.c.ready(ctx); err != nil {
				return "", err
			}
		case err != nil && !errors.Is(err, client.ErrNodeExists) && (client.Outcome(err) != client.Unknown || ctx.Err() != nil || errors.Is(err, client.ErrClosed)):
			return "", err
		}
		if err := pace.wait(ctx); err != nil {
			return "", err
		}
	}
}

// bucketSpot is a bucket of delayed items.
type bucketSpot struct {
	n      *native
	minute int64
	dir    string
}

func (s *bucketSpot) key() string { return s.dir }

func (s *bucketSpot) begin(*plan) {}

func (s *bucketSpot) end(p *plan) {
	p.note(roleBell, 0).Set(s.n.at("delayed"), nil, client.AnyVersion)
}

func (s *bucketSpot) prefix(e *entry) string {
	return client.Join(s.dir, fmt.Sprintf("%013d-%s-%s", e.due, levelName(e.priority), itemName(e)))
}

func (s *bucketSpot) seal(e *entry) []byte { return e.header.seal(e.data) }

func (s *bucketSpot) made(_ context.Context, path string) {
	_, number, ok := sequence(path)
	if !ok || int(number) < s.n.c.cfg.segment-1 {
		return
	}
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	if s.n.at("delayed/"+bucketName(s.minute, s.n.next[s.minute])) == s.dir && s.n.next[s.minute] < 999 {
		s.n.next[s.minute]++
	}
	for m := range s.n.next { // that are long past
		if m < s.minute-24*60 && len(s.n.next) > 1024 {
			delete(s.n.next, m)
		}
	}
}

// refused makes the bucket.
func (s *bucketSpot) refused(ctx context.Context, _ error) error {
	if err := s.n.c.ready(ctx); err != nil {
		return err
	}
	_, err := s.n.c.cl.Idempotent().Create(ctx, s.dir, nil)
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	if errors.Is(err, client.ErrNoNode) {
		s.n.c.reset()
		return s.n.c.ready(ctx)
	}
	return err
}
