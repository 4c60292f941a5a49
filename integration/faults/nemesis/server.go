package nemesis

import (
	"context"
	"fmt"
	"time"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faults/stage"
)

// choose finds a server by its role.
type choose func(context.Context, *Scene) (*ensemble.Server, error)

func leader(ctx context.Context, s *Scene) (*ensemble.Server, error) {
	return s.Stage.Ensemble.Leader(ctx)
}

func follower(ctx context.Context, s *Scene) (*ensemble.Server, error) {
	all, err := s.Stage.Ensemble.Followers(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no follower among %d servers", len(s.Stage.Ensemble.Servers()))
	}
	return pick(s, all), nil
}

// failover is about how long the others need until they elect, and notice that a server has gone silent.
const failover = stage.SyncLimit * stage.Tick

func serverKinds() []*Kind {
	var kinds []*Kind
	for _, role := range []struct {
		name string
		of   choose
	}{{"leader", leader}, {"follower", follower}} {
		kinds = append(kinds,
			&Kind{
				Name: role.name + "-killed", Doc: "killed by SIGKILL, and started again after a while",
				inject: func(ctx context.Context, s *Scene) (*Fault, error) {
					srv, err := role.of(ctx, s)
					if err != nil {
						return nil, err
					}
					return &Fault{Target: srv.String(), Hold: s.between(500*time.Millisecond, 3*time.Second), heal: srv.Restart}, srv.Kill(ctx)
				},
			},
			&Kind{
				Name: role.name + "-restarted", Doc: "killed by SIGKILL, and started again at once",
				inject: func(ctx context.Context, s *Scene) (*Fault, error) {
					srv, err := role.of(ctx, s)
					if err != nil {
						return nil, err
					}
					return &Fault{Target: srv.String()}, srv.Restart(ctx)
				},
			},
			&Kind{
				Name: role.name + "-stopped", Doc: "stopped by SIGSTOP, and continued: before the others have noticed, or after",
				inject: func(ctx context.Context, s *Scene) (*Fault, error) {
					srv, err := role.of(ctx, s)
					if err != nil {
						return nil, err
					}
					return &Fault{Target: srv.String(), Hold: s.between(time.Second, failover+3*time.Second), heal: srv.Continue}, srv.Stop(ctx)
				},
			})
	}
	return kinds
}
