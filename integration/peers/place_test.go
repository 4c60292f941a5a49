package peers

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/zktest"
)

// place is a ZooKeeper, and what a program can have done to it.
type place struct {
	addr   string
	drop   func()                                                      // all connections
	expire func(ctx context.Context, session int64, node string) error // node is an ephemeral one of it
}

func inProcess(t *testing.T) place {
	s := zktest.Start(t)
	return place{
		addr: s.Addr(),
		drop: s.DropConnections,
		expire: func(_ context.Context, session int64, _ string) error {
			if !s.ExpireSession(session) {
				return fmt.Errorf("there is no session %#x", session)
			}
			return nil
		},
	}
}

func realServer(t *testing.T) place {
	e := ensemble.Start(t, 1)
	p := faultproxy.Start(t, e.Connect())
	return place{
		addr: p.Addr(),
		drop: p.Cut,
		// Its client is kept away for as long as the session lasts.
		expire: func(ctx context.Context, _ int64, node string) error {
			cl := trial.Connect(t, e.Connect())
			p.Refuse()
			p.Cut()
			for {
				_, there, watch, err := cl.ExistsW(ctx, node)
				switch {
				case err != nil:
					return err
				case !there:
					return p.Accept()
				}
				<-watch.C
			}
		},
	}
}

// everyPlace runs a test against zktest and against a real server, side by side.
func everyPlace(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	for name, start := range map[string]func(*testing.T) place{"zktest": inProcess, "real": realServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			require.NotEmpty(t, p.addr)
			test(t, p)
		})
	}
}
