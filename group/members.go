package group

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
)

// Info is a member as others see it.
type Info struct {
	// ID is what it has joined as.
	ID string
	// Name is the name of its node, unique in the group.
	Name string
	// Data is what it tells the others. It must not be written to.
	Data []byte
	// Session is the session that it is in.
	Session int64
	// Czxid and Mzxid are the transactions by which it has joined, in this session, and by which it has
	// changed its data last.
	Czxid, Mzxid int64
	// Since is when it has joined, in this session, by the clock of the server.
	Since time.Time
}

func (s *settings) info(name string, data []byte, stat client.Stat) Info {
	return Info{
		ID: s.id(name, data), Name: name, Data: data, Session: stat.EphemeralOwner,
		Czxid: stat.Czxid, Mzxid: stat.Mzxid, Since: stat.Ctime,
	}
}

// byID is the order of members in lists.
func byID(a, b Info) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name)) }

func (i Info) same(j Info) bool {
	return i.Name == j.Name && i.Czxid == j.Czxid && i.Mzxid == j.Mzxid && bytes.Equal(i.Data, j.Data)
}

// chunk is how many members are read by one request.
const chunk = 1000

// Members lists the members of the group in dir now, by id. A group that does not exist has none. It
// costs one read for the names and one more for each thousand members; who looks again and again has
// [Observe].
//
// Errors: client.ErrBadPath, client.ErrBadArgument; what the server refuses, client.ErrNoAuth, say; those of the
// client, and of ctx.
func Members(ctx context.Context, cl *client.Client, dir string, opts ...Option) ([]Info, error) {
	s, err := configure(cl, dir, opts)
	if err != nil {
		return nil, err
	}
	names, _, err := cl.Children(ctx, dir)
	if errors.Is(err, client.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("members of group %s: %w", dir, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !s.counts(name) })
	members := make([]Info, 0, len(names))
	for part := range slices.Chunk(names, chunk) {
		found, err := read(ctx, cl, dir, part)
		if err != nil {
			return nil, fmt.Errorf("members of group %s: %w", dir, err)
		}
		for i, r := range found {
			switch {
			case r.Err == nil && r.Stat.EphemeralOwner != 0:
				members = append(members, s.info(part[i], r.Data, r.Stat))
			case r.Err != nil && !errors.Is(r.Err, client.ErrNoNode): // that one has left meanwhile
				return nil, fmt.Errorf("members of group %s: %w", dir, r.Err)
			}
		}
	}
	slices.SortFunc(members, byID)
	return members, nil
}

// read reads nodes, by one request where the servers can.
func read(ctx context.Context, cl *client.Client, dir string, names []string) ([]client.ReadResult, error) {
	m := cl.MultiRead()
	for _, name := range names {
		m.Get(client.Join(dir, name))
	}
	found, err := m.Do(ctx)
	if !errors.Is(err, client.ErrUnimplemented) { // before ZooKeeper 3.6
		return found, err
	}
	b := cl.Batch()
	for _, name := range names {
		b.Get(client.Join(dir, name))
	}
	results, err := b.Do(ctx)
	if results == nil {
		return nil, err
	}
	found = make([]client.ReadResult, len(results))
	for i, r := range results {
		found[i] = client.ReadResult{Path: r.Path, Data: r.Data, Stat: r.Stat, Err: r.Err}
	}
	return found, nil
}
