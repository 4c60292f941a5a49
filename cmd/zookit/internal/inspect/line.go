package inspect

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// contenders are those who stand in a line, in order, whatever their layout and recipe.
func contenders(ctx context.Context, cl *client.Client, dir string, layout recipes.Layout) ([]recipes.Details, error) {
	l, err := recipes.NewLine(cl, dir, recipes.LineConfig{
		Layout: layout, Kind: recipes.KindMutex, Others: []recipes.Kind{recipes.KindWrite, recipes.KindRead}, Tolerant: true,
	})
	if err != nil {
		return nil, err
	}
	return l.Details(ctx)
}

// line reports a lock, a read-write lock or an election. Who has nobody ahead holds; so does a reader who has only
// readers ahead.
func line(ctx context.Context, cl *client.Client, s *sight, f finding, r *report) error {
	all, err := contenders(ctx, cl, s.path, f.lib)
	if err != nil {
		return err
	}
	writer := false // ahead
	for i, d := range all {
		p := standing(d)
		shares := f.kind == kindRWLock && d.Kind == recipes.KindRead && !writer
		if f.kind == kindRWLock {
			p.Role = "write"
			if d.Kind == recipes.KindRead {
				p.Role = "read"
			}
		}
		writer = writer || d.Kind != recipes.KindRead
		if i == 0 || shares {
			r.Holders = append(r.Holders, p)
		} else {
			r.Waiting = append(r.Waiting, p)
		}
	}
	return nil
}

func standing(d recipes.Details) party {
	p := party{Path: d.Path, Identifier: text(d.Data), Token: d.Token, Since: d.Since.UTC()}
	if p.of(d.Session); d.Revoked() {
		p.Identifier, p.Revoked = "", true
	}
	return p
}

// pool reports a semaphore. Its permits of one transaction are one grant.
func pool(ctx context.Context, cl *client.Client, s *sight, f finding, r *report) error {
	if n, err := strconv.Atoi(strings.TrimSpace(string(s.data))); err == nil && n > 0 {
		r.Limit = &n
	}
	p, err := recipes.NewPool(cl, s.path, recipes.PoolConfig{Layout: f.lib, Limit: 1}) // which counts only for who acquires
	if err != nil {
		return err
	}
	permits, err := p.Holders(ctx)
	if err != nil {
		return err
	}
	for _, d := range permits {
		if last := len(r.Holders) - 1; last >= 0 && r.Holders[last].Token == d.Token {
			r.Holders[last].Permits++
			r.Holders[last].nodes = append(r.Holders[last].nodes, d.Path)
			continue
		}
		h := standing(d)
		h.Permits, h.nodes = 1, []string{d.Path}
		r.Holders = append(r.Holders, h)
	}
	dir := s.at(lineName)
	if f.lib == recipes.Kazoo {
		dir = besideOf(s.path)
	}
	waiting, err := contenders(ctx, cl, dir, f.lib)
	for _, d := range waiting {
		r.Waiting = append(r.Waiting, standing(d))
	}
	return err
}

// lease reports a lease, which its holder has until a time of day.
func lease(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	const some = 10 * time.Second // how long it would be taken for
	id, end, ok, err := lock.NewLease(cl, s.path, some).Holder(ctx)
	if err != nil {
		return err
	}
	path := s.at(holderName)
	stat, there, err := cl.Exists(ctx, path)
	if err != nil {
		return err
	}
	if ok && there {
		// Its token is the transaction that has taken or renewed it last.
		r.Holders = append(r.Holders, party{Path: path, Identifier: id, Token: stat.Mzxid, Since: stat.Ctime.UTC(), Until: end.UTC()})
	}
	return nil
}

// double reports a double barrier: who is in its directory is inside once ready is there, and waits to be before.
func double(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	names := slices.DeleteFunc(slices.Clone(s.children), func(name string) bool { return name == readyName })
	found, err := contents(ctx, cl, s.path, names)
	if err != nil {
		return err
	}
	open := len(names) < len(s.children)
	for _, f := range found {
		if !f.Exists || f.Stat.EphemeralOwner == 0 {
			continue
		}
		if p := partyOf(f.Path, f.Data, f.Stat); open {
			r.Members = append(r.Members, p)
		} else {
			r.Waiting = append(r.Waiting, p)
		}
	}
	bySince := func(a, b party) int { return a.Since.Compare(b.Since) }
	slices.SortStableFunc(r.Members, bySince)
	slices.SortStableFunc(r.Waiting, bySince)
	return nil
}

// revisions is how many former versions of a document the history keeps.
func revisions(ctx context.Context, cl *client.Client, path string) (int, error) {
	escaped := strings.NewReplacer("%", "%25", "/", "%2F").Replace(path)
	names, _, err := cl.Children(ctx, client.Join(config.DefaultHistoryRoot, escaped))
	if errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrNoAuth) {
		return 0, nil
	}
	return len(names), err
}
