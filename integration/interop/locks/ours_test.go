package locks

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// ours is a client of zookit behind a link that can be cut, and its contenders. The ledger it reaches
// by another client, of go-zookeeper, on another link.
type ours struct {
	name  string
	c     *contest
	cl    *client.Client
	proxy *faultproxy.Proxy
	plain *zk.Conn
	keep  atomic.Value // the mode of which the next holding is to be kept until it is lost
	kept  chan *lock.Held
}

func newOurs(t *testing.T, c *contest, name string, sessions time.Duration) *ours {
	t.Helper()
	proxy := faultproxy.Start(t, c.addr)
	o := &ours{
		name: name, c: c, proxy: proxy, plain: connectPlain(t, c.addr, time.Minute),
		cl:   trial.Connect(t, proxy.Addr(), client.WithSessionTimeout(sessions)),
		kept: make(chan *lock.Held, 1),
	}
	o.keep.Store("")
	return o
}

// turns returns what takes the recipe for a contender in its turns: sometimes for
// writing and sometimes for reading, one permit or two.
func (o *ours) turns() func(ctx context.Context, turn int) (held *lock.Held, mode string, weight int, err error) {
	layout := lock.WithLayout(o.c.layout)
	switch o.c.recipe {
	case "mutex":
		m := lock.NewMutex(o.cl, o.c.path, layout)
		return func(ctx context.Context, _ int) (*lock.Held, string, int, error) {
			held, err := m.Lock(ctx)
			return held, "write", 1, err
		}
	case "rw":
		rw := lock.NewRWMutex(o.cl, o.c.path, layout)
		return func(ctx context.Context, turn int) (*lock.Held, string, int, error) {
			if turn%3 == 0 {
				held, err := rw.Lock(ctx)
				return held, "write", 1, err
			}
			held, err := rw.RLock(ctx)
			return held, "read", 1, err
		}
	default:
		s := lock.NewSemaphore(o.cl, o.c.path, limit, layout)
		return func(ctx context.Context, turn int) (*lock.Held, string, int, error) {
			n := 1 + turn%2
			held, err := s.Acquire(ctx, n)
			return held, "permit", n, err
		}
	}
}

// contend has n contenders begin, which end with the contest, and returns their names.
func (o *ours) contend(ctx context.Context, n int) []string {
	var names []string
	for i := range n {
		who := fmt.Sprintf("%s #%d", o.name, i)
		names = append(names, who)
		take := o.turns()
		o.c.running.Go(func() {
			for turn := i; !o.c.stopping.Load(); turn++ {
				if err := o.hold(ctx, who, turn, take); err != nil {
					o.c.j.fail(fmt.Errorf("%s: %w", who, err))
					return
				}
			}
		})
	}
	return names
}

// hold is one turn. A moment counts only if the lock says afterwards that it is held.
func (o *ours) hold(ctx context.Context, who string, turn int, take func(context.Context, int) (*lock.Held, string, int, error)) error {
	held, mode, weight, err := take(ctx, turn)
	if err != nil {
		return err
	}
	name := who + "." + strconv.Itoa(turn)
	version, err := stamp(o.plain, o.c.ledger)
	if err != nil {
		return err
	}
	if held.Err() == nil {
		o.c.j.enter(name, holding{who: who, mode: mode, weight: weight, first: version})
	}
	keeping := o.keep.CompareAndSwap(mode, "")
	if keeping {
		o.kept <- held
	}
	for {
		if version, err = stamp(o.plain, o.c.ledger); err != nil {
			return err
		}
		if held.Err() != nil {
			break
		}
		o.c.j.held(name, version)
		if !keeping {
			break
		}
		select {
		case <-held.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	o.c.j.lose(name)
	return held.Unlock(ctx)
}

// expire keeps the client from all servers until its session is over, and then lets it go on.
func (o *ours) expire(ctx context.Context, t *testing.T) {
	t.Helper()
	marker, err := o.cl.Create(ctx, o.c.ledger+"-"+o.name+"-", nil, client.WithMode(client.EphemeralSequential))
	require.NoError(t, err)
	o.proxy.Refuse()
	o.proxy.Cut()
	for {
		there, _, watch, err := o.plain.ExistsW(marker.Path)
		require.NoError(t, err)
		if !there {
			break
		}
		await(ctx, t, "the end of the session of "+o.name, watch)
	}
	require.NoError(t, o.proxy.Accept())
}

// lose has the client keep a holding, and takes the session from it.
func (o *ours) lose(ctx context.Context, t *testing.T, mode string) {
	t.Helper()
	o.keep.Store(mode)
	held := await(ctx, t, o.name+" to hold", o.kept)
	o.expire(ctx, t)
	require.ErrorIs(t, context.Cause(held.Context()), lock.ErrLost)
}
