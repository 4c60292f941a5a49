package nemesis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/integration/ensemble"
)

type act func(*ensemble.Server, context.Context) error

// each does something to servers at once.
func each(ctx context.Context, servers []*ensemble.Server, do act) error {
	errs := make([]error, len(servers))
	done := make(chan struct{})
	for i, s := range servers {
		go func() {
			errs[i] = do(s, ctx)
			done <- struct{}{}
		}()
	}
	for range servers {
		<-done
	}
	return errors.Join(errs...)
}

// majority is as many servers, by chance, as leave too few for a quorum.
func majority(s *Scene) []*ensemble.Server {
	all := s.Stage.Ensemble.Servers()
	s.Rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:len(all)/2+1]
}

func everybody(s *Scene) []*ensemble.Server { return s.Stage.Ensemble.Servers() }

func quorumKinds() []*Kind {
	toMany := func(of func(*Scene) []*ensemble.Server, do, undo act, hold func(*Scene) time.Duration) func(context.Context, *Scene) (*Fault, error) {
		return func(ctx context.Context, s *Scene) (*Fault, error) {
			servers := of(s)
			f := &Fault{Target: fmt.Sprintf("%d servers: %v", len(servers), servers), Hold: hold(s)}
			if undo != nil {
				f.heal = func(ctx context.Context) error { return each(ctx, servers, undo) }
			}
			return f, each(ctx, servers, do)
		}
	}
	some := func(s *Scene) time.Duration { return s.between(time.Second, 5*time.Second) }
	none := func(*Scene) time.Duration { return 0 }
	return []*Kind{
		{
			Name: "quorum-lost", Doc: "most servers are killed at once, and started again after a while",
			inject: toMany(majority, (*ensemble.Server).Kill, (*ensemble.Server).Restart, some),
		},
		{
			Name: "quorum-stopped", Doc: "most servers are stopped at once, and continued",
			inject: toMany(majority, (*ensemble.Server).Stop, (*ensemble.Server).Continue, some),
		},
		{
			Name: "servers-restarted", Doc: "all servers are killed at once, and started again",
			inject: toMany(everybody, (*ensemble.Server).Restart, nil, none),
		},
	}
}
