package inspect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/recipes"
)

// groupOf reports a group.
func groupOf(ctx context.Context, cl *client.Client, s *sight, f finding, r *report) error {
	members, err := membersIn(ctx, cl, s.path, f.lib, f.layout == shallowParty)
	r.Members = append(r.Members, members...)
	return err
}

const shallowParty = "kazoo shallow"

func membersIn(ctx context.Context, cl *client.Client, dir string, layout recipes.Layout, shallow bool) ([]party, error) {
	opts := []group.Option{group.WithLayout(layout)}
	if shallow {
		opts = append(opts, group.WithShallowParty())
	}
	all, err := group.Members(ctx, cl, dir, opts...)
	out := make([]party, 0, len(all))
	for _, m := range all {
		p := party{Path: client.Join(dir, m.Name), Identifier: m.ID, Since: m.Since.UTC()}
		p.of(m.Session)
		out = append(out, p)
	}
	return out, err
}

// partitions reports a partitioner: its members, and who has which partition.
func partitions(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	party, locks := s.at(partyDir), s.at(lineName)
	found, err := listings(ctx, cl, party, locks)
	if err != nil {
		return err
	}
	layout, shy := recipes.Curator, false
	for _, name := range found[0] {
		switch {
		case strings.Contains(name, partyMark):
			layout = recipes.Kazoo
		case shallow.MatchString(name):
			layout, shy = recipes.Kazoo, true
		}
	}
	r.Layout = layout.String()
	members, err := membersIn(ctx, cl, party, layout, shy)
	if err != nil {
		return err
	}
	r.Members = append(r.Members, members...)
	for _, name := range found[1] {
		all, err := contenders(ctx, cl, client.Join(locks, name), layout)
		if err != nil {
			return err
		}
		for i, d := range all {
			p := standing(d)
			if p.Item = name; i == 0 {
				r.Holders = append(r.Holders, p)
			} else {
				r.Waiting = append(r.Waiting, p)
			}
		}
	}
	return nil
}

// service reports the instances of a service.
func service(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	found, err := contents(ctx, cl, s.path, s.children)
	if err != nil {
		return err
	}
	for _, f := range found {
		i, err := discovery.Decode(f.Data)
		if !f.Exists || err != nil { // which other programs leave out, too
			continue
		}
		p := party{Path: f.Path, Identifier: i.ID, Since: f.Stat.Ctime.UTC(), Address: i.Address, Down: i.Disabled}
		if at, ok := i.HostPort(); ok {
			p.Address = at
		}
		p.of(f.Stat.EphemeralOwner)
		r.Members = append(r.Members, p)
	}
	slices.SortStableFunc(r.Members, func(a, b party) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return nil
}

// discoveryOf reports which services there are.
func discoveryOf(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	found, err := stats(ctx, cl, s.path, s.children)
	if err != nil {
		return err
	}
	for i, f := range found {
		if f.Exists {
			r.Services = append(r.Services, services{Name: s.children[i], Instances: f.Stat.NumChildren})
		}
	}
	return nil
}
