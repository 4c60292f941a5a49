package recipefaults

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
)

// seen waits until another client sees exactly these members.
func (s *scene) seen(members ...string) {
	s.t.Helper()
	last := []string{}
	require.Eventually(s.t, func() bool {
		all, err := group.Members(s.ctx, s.other, s.dir)
		if err != nil {
			return false
		}
		last = told(all)
		return fmt.Sprint(last) == fmt.Sprint(members)
	}, time.Minute, 10*time.Millisecond, "wanted %v, last seen %v", members, last)
}

func told(members []group.Info) []string {
	out := make([]string, 0, len(members))
	for _, m := range members {
		out = append(out, m.ID+"="+string(m.Data))
	}
	return out
}

// membership is the course of a member: whatever happens it is there, in the client's session, and gone when it has left.
func membership(s *scene) {
	var m *group.Member
	require.NoError(s.t, s.call("joining", func() (err error) {
		m, err = group.Join(s.ctx, s.cl, s.dir, "one", []byte("1"))
		return err
	}))
	s.seen("one=1")
	s.rest("being there", true)
	s.own(m)
	s.seen("one=1")
	require.NoError(s.t, s.call("changing", func() error { return m.Set(s.ctx, []byte("2")) }))
	s.own(m)
	s.seen("one=2")
	require.NoError(s.t, s.call("leaving", func() error { return m.Leave(s.ctx) }))
	s.seen()
}

// own waits until the member's node is the current session's.
func (s *scene) own(m *group.Member) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		session, err := s.cl.Session(s.ctx)
		if err != nil {
			return false
		}
		stat, ok, err := s.other.Exists(s.ctx, m.Path())
		return err == nil && ok && stat.EphemeralOwner == session.ID()
	}, time.Minute, 10*time.Millisecond, "the node of the present session")
}

// watching is the course of one who watches a member come, change and go.
func watching(s *scene) {
	next, stop := iter.Pull2(group.Watch(s.ctx, s.cl, s.dir))
	defer stop()
	var at string
	until := func(members ...string) func() error {
		return func() error {
			for {
				all, err, ok := next()
				if !ok {
					return errors.New("it has ended")
				}
				if err != nil {
					return err
				}
				if at = fmt.Sprint(told(all)); at == fmt.Sprint(members) {
					return nil
				}
			}
		}
	}
	require.NoError(s.t, s.call("looking", until()))
	var m *group.Member
	require.NoError(s.t, s.wait("looking on", until("two=1"), func() {
		var err error
		m, err = group.Join(s.ctx, s.other, s.dir, "two", []byte("1"))
		require.NoError(s.t, err)
	}))
	require.NoError(s.t, s.wait("looking on again", until("two=2"), func() { require.NoError(s.t, m.Set(s.ctx, []byte("2"))) }))
	require.NoError(s.t, s.wait("looking for the end", until(), func() { require.NoError(s.t, m.Leave(s.ctx)) }))
}

// divider is a member of a partitioner.
type divider struct {
	p      *group.Partitioner
	cancel context.CancelFunc
	done   <-chan error
}

// audits are those of the partitions.
type audits struct {
	mu  sync.Mutex
	all map[string]*audit
}

func (a *audits) of(name string) *audit {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all[name] == nil {
		a.all[name] = &audit{}
	}
	return a.all[name]
}

func (s *scene) divide(a *audits, cl *client.Client, id string) *divider {
	ctx, cancel := context.WithCancel(s.ctx)
	d := &divider{p: group.NewPartitioner(cl, s.dir, id, []string{"a", "b"}), cancel: cancel}
	d.done = s.begin(func() error {
		return d.p.Run(ctx, func(ctx context.Context, part *group.Partition) error {
			of := a.of(part.Name())
			of.enter(id, part.Err)
			defer of.leave(id)
			<-ctx.Done()
			return nil
		})
	})
	return d
}

// owns waits until so many partitions are a member's.
func (s *scene) owns(d *divider, n int) error {
	for len(d.p.Owned()) != n {
		select {
		case err := <-d.done:
			return fmt.Errorf("it has ended: %w", err)
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (s *scene) stop(d *divider) error {
	d.cancel()
	if err := <-d.done; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("not because it was cancelled: %w", err)
	}
	return nil
}

// partitioned is the course of a member that has all partitions, shares them, has them back and gives them up.
func partitioned(s *scene) {
	var (
		a        = &audits{all: map[string]*audit{}}
		one, two *divider
		step     = func(name string, fn func() error) { require.NoError(s.t, s.call(name, fn)) }
	)
	step("beginning", func() error {
		one = s.divide(a, s.cl, "one")
		return s.owns(one, 2)
	})
	s.rest("owning", false)
	require.NoError(s.t, s.owns(one, 2), "again")
	step("sharing", func() error {
		two = s.divide(a, s.other, "two")
		return errors.Join(s.owns(two, 1), s.owns(one, 1))
	})
	step("having them back", func() error { return errors.Join(s.stop(two), s.owns(one, 2)) })
	step("ending", func() error { return s.stop(one) })
	two = s.divide(a, s.other, "two")
	require.NoError(s.t, s.owns(two, 2), "nobody else has them")
	require.NoError(s.t, s.stop(two))
	for _, name := range []string{"a", "b"} {
		require.Empty(s.t, a.of(name).complaints())
	}
}
