package inspect

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// subject is what is asked about: a path, as what it is to be taken, and how hosts are found out.
type subject struct {
	cl     *client.Client
	hosts  *hosts
	as     string         // a kind, if the caller says so
	layout recipes.Layout // of what is to be taken for a kind, if its nodes do not tell
}

// builders fill in a report, by kind.
var builders = map[string]func(ctx context.Context, cl *client.Client, s *sight, f finding, r *report) error{
	kindMutex: line, kindRWLock: line, kindElection: line, kindSemaphore: pool, kindLease: lease,
	kindBarrier: barrierNode, kindDouble: double, kindQueue: queueOf, kindCounter: counterOf, kindDocument: documentOf,
	kindGroup: groupOf, kindPartitions: partitions, kindDiscovery: discoveryOf, kindService: service,
	kindNode: plainNode,
}

// look reports what is at a path. The node of one who holds, waits or is there stands for the recipe that it is of.
func (q *subject) look(ctx context.Context, at string) (*report, error) {
	if err := client.CheckPath(at); err != nil {
		return nil, err
	}
	found, err := see(ctx, q.cl, []string{at}, true)
	if err != nil {
		return nil, err
	}
	s := found[0]
	if s == nil {
		r := newReport(at, kindNothing)
		r.Summary = "nobody holds, waits or is there, and a barrier here would be open"
		return r, nil
	}
	if s.denied != nil {
		return nil, s.denied
	}
	if r, err := q.around(ctx, s); r != nil || err != nil {
		return r, err
	}
	f, err := recognise(ctx, q.cl, s, true)
	if err != nil {
		return nil, err
	}
	if f.kind == kindNode && len(s.children) == 0 || f.kind == kindCounter {
		if kept, err := revisions(ctx, q.cl, at); err != nil {
			return nil, err
		} else if kept > 0 {
			f = finding{kind: kindDocument}
		}
	}
	if q.as != "" && q.as != f.kind {
		if f, err = q.taken(f); err != nil {
			return nil, err
		}
	}
	return q.report(ctx, s, f)
}

// around reports the recipe in which a node is that of one who holds, waits or is there; nil if it is none.
func (q *subject) around(ctx context.Context, s *sight) (*report, error) {
	_, _, stands := contender(s.name()) // also if it is in no session
	if len(s.children) > 0 || s.stat.EphemeralOwner == 0 && !stands {
		return nil, nil
	}
	above := path.Dir(s.path)
	if slices.Contains([]string{permitsName, lineName, partyDir, "taken"}, path.Base(above)) {
		above = path.Dir(above)
	}
	above = strings.TrimSuffix(above, lineBeside)
	r, err := q.look(ctx, above)
	if err != nil {
		return nil, err
	}
	for _, parties := range [][]party{r.Holders, r.Waiting, r.Members} {
		for _, p := range parties {
			if p.Path == s.path || slices.Contains(p.nodes, s.path) {
				return r, nil
			}
		}
	}
	return nil, nil
}

// report fills in what is to be said of a node that is known.
func (q *subject) report(ctx context.Context, s *sight, f finding) (*report, error) {
	r := newReport(s.path, f.kind)
	r.Layout, r.MayBe = f.layout, f.mayBe
	if err := builders[f.kind](ctx, q.cl, s, f, r); err != nil {
		return nil, err
	}
	if r.Summary == "" {
		r.Summary = summary(r)
	}
	q.hosts.tell(ctx, r)
	return r, nil
}

func newReport(path, kind string) *report {
	return &report{Path: path, Kind: kind, Holders: []party{}, Waiting: []party{}, Members: []party{}}
}

// taken is a finding of the kind that the caller has said, which the node does not look like.
func (q *subject) taken(f finding) (finding, error) {
	kind, lib := q.as, f.lib
	if kind == kindQueue && f.kind != kindQueue {
		return f, fmt.Errorf("%w: nothing at the path tells which queue's items these are", client.ErrBadArgument)
	}
	if builders[kind] == nil {
		return f, fmt.Errorf("%w: there is no kind %q", client.ErrBadArgument, kind)
	}
	if f.layout != lib.String() { // which says nothing
		lib = q.layout
	}
	layout := lib.String()
	if kind == kindCounter || kind == kindDocument || kind == kindBarrier {
		layout = ""
	}
	return finding{kind: kind, layout: layout, lib: lib, kids: f.kids}, nil
}

// partyOf is who has made a node.
func partyOf(path string, data []byte, stat client.Stat) party {
	p := party{Path: path, Identifier: text(data), Since: stat.Ctime.UTC()}
	p.of(stat.EphemeralOwner)
	return p
}

// of says in which session a party's node is.
func (p *party) of(session int64) {
	if p.session = session; session != 0 {
		p.Session = hex(session)
	}
}
