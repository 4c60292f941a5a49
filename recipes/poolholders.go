package recipes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zookit/zookit/client"
)

// Holders lists the permits that are held, oldest first: one for each, so that a grant of
// several shows several times, with one token. What they have of Contender is the name
// only. It costs one read, and one more for each permit. A pool that does not
// exist has none; permits that are released while it reads are left out.
func (p *Pool) Holders(ctx context.Context) ([]Details, error) {
	names, _, err := p.cl.Children(ctx, p.permits)
	if errors.Is(err, client.ErrNoNode) {
		return nil, nil
	}
	if err == nil && p.cfg.Layout == Kazoo {
		err = p.cfg.Layout.misfit(p.path, names)
	}
	if err != nil {
		return nil, fmt.Errorf("pool %s: %w", p.path, err)
	}
	b := p.cl.Batch()
	for _, name := range names {
		b.Get(client.Join(p.permits, name))
	}
	found, err := b.Do(ctx)
	if err != nil && found == nil {
		return nil, fmt.Errorf("pool %s: %w", p.path, err)
	}
	out := make([]Details, 0, len(found))
	for i, f := range found {
		if errors.Is(f.Err, client.ErrNoNode) {
			continue
		}
		if f.Err != nil {
			return nil, fmt.Errorf("pool %s: %w", p.path, f.Err)
		}
		out = append(out, Details{
			Contender: Contender{Name: names[i], Layout: p.cfg.Layout},
			Path:      f.Path, Data: f.Data, Session: f.Stat.EphemeralOwner, Token: f.Stat.Czxid, Since: f.Stat.Ctime,
		})
	}
	slices.SortFunc(out, func(a, b Details) int { return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}
