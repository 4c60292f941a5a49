package nemesis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faults/stage"
)

func noCuts(st *stage.Stage) string {
	if st.Cuts {
		return ""
	}
	return because(st, "the servers' links to each other cannot be cut here: it needs containers, or root and network namespaces")
}

// because adds what was tried in vain.
func because(st *stage.Stage, why string) string {
	return strings.Join(append([]string{why}, st.Missing...), "\n")
}

// pinning is how long a member may take to move to the server that is going to be cut off.
const pinning = 4 * time.Second

// pin leaves the member one server only, and waits until it is there.
func pin(ctx context.Context, m *stage.Member, at *ensemble.Server) {
	for i, l := range m.Lines {
		if i != at.ID()-1 {
			l.Refuse()
			l.Reset()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pinning)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for want := clients(m); m.Lines[at.ID()-1].Connections() < want; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return // the others come, or do not
		}
	}
}

// clients is how many clients the member's process has.
func clients(m *stage.Member) int {
	p := m.Process()
	if p == nil {
		return 0
	}
	return len(p.Status().Sessions)
}

// cutOff cuts a server off from the others, with a member that reaches no other.
func cutOff(of choose, hold func(*Scene) time.Duration) func(context.Context, *Scene) (*Fault, error) {
	return func(ctx context.Context, s *Scene) (*Fault, error) {
		srv, err := of(ctx, s)
		if err != nil {
			return nil, err
		}
		pin(ctx, s.Member, srv)
		f := &Fault{
			Target: fmt.Sprintf("%v, and %v with it", srv, s.Member), Hold: hold(s),
			heal: func(ctx context.Context) error { return errors.Join(srv.HealPeers(ctx), s.Member.Heal(ctx)) },
		}
		return f, srv.CutPeers(ctx)
	}
}

func partitionKinds() []*Kind {
	return []*Kind{
		{
			Name: "follower-cut-off", Missing: noCuts,
			Doc: "a follower is cut off from the others and goes on answering; one process reaches no other server",
			inject: cutOff(follower, func(s *Scene) time.Duration {
				return s.Stage.Session + s.between(stage.Tick, failover-s.Stage.Session+2*time.Second)
			}),
		},
		{
			Name: "leader-cut-off", Missing: noCuts,
			Doc:    "the leader is cut off from the others and goes on answering; one process reaches no other server",
			inject: cutOff(leader, func(s *Scene) time.Duration { return failover + s.between(0, s.Stage.Session+time.Second) }),
		},
		{
			Name: "server-parted", Missing: noCuts,
			Doc: "any server is cut off from the others for a moment or longer; clients reach it and the others",
			inject: func(ctx context.Context, s *Scene) (*Fault, error) {
				srv := pick(s, s.Stage.Ensemble.Servers())
				return &Fault{Target: srv.String(), Hold: s.between(200*time.Millisecond, failover+2*time.Second), heal: srv.HealPeers}, srv.CutPeers(ctx)
			},
		},
		{
			Name: "servers-parted", Missing: noCuts,
			Doc: "every server is cut off from every other",
			inject: func(ctx context.Context, s *Scene) (*Fault, error) {
				all := slices.Clone(s.Stage.Ensemble.Servers())
				f := &Fault{
					Target: "all servers", Hold: s.between(time.Second, failover+2*time.Second),
					heal: func(ctx context.Context) error { return each(ctx, all, (*ensemble.Server).HealPeers) },
				}
				return f, each(ctx, all, (*ensemble.Server).CutPeers)
			},
		},
	}
}
