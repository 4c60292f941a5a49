package nemesis

import (
	"context"
	"time"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faults/stage"
)

func noDisks(st *stage.Stage) string {
	if st.Disks {
		return ""
	}
	return because(st, "the servers have no disks of their own here: it needs local processes, root and mount namespaces")
}

func diskKinds() []*Kind {
	full := func(of choose) func(context.Context, *Scene) (*Fault, error) {
		return func(ctx context.Context, s *Scene) (*Fault, error) {
			srv, err := of(ctx, s)
			if err != nil {
				return nil, err
			}
			f := &Fault{
				Target: srv.String(), Hold: s.between(time.Second, 5*time.Second),
				heal: func(ctx context.Context) error { return freed(ctx, srv) },
			}
			return f, srv.FillDisk(ctx)
		}
	}
	return []*Kind{
		{Name: "leader-disk-full", Missing: noDisks, Doc: "no room on the leader's disk; then there is, and it is started again", inject: full(leader)},
		{Name: "follower-disk-full", Missing: noDisks, Doc: "no room on a follower's disk; then there is, and it is started again", inject: full(follower)},
	}
}

// freed makes room, and starts the server again: it may have ended by itself.
func freed(ctx context.Context, srv *ensemble.Server) error {
	if err := srv.FreeDisk(ctx); err != nil {
		return err
	}
	return srv.Restart(ctx)
}
