package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

const (
	cutOff = "10.0.0.1:1" // the server that loses its quorum in these tests
	whole  = "10.0.0.2:1"
)

// partition makes the one server read-only and the other unreachable.
func partition(p *pipes) {
	p.set(func(p *pipes) {
		p.readOnly = func(addr string) bool { return addr == cutOff }
		p.dial = func(_ context.Context, addr string) error {
			if addr == whole {
				return errors.New("connection refused")
			}
			return nil
		}
		p.answer = func(f frame) reaction {
			if p.isReadOnly(f.addr) && (f.op.Commits() || f.op == jute.OpSync) {
				return reaction{code: jute.NotReadOnly}
			}
			return reaction{}
		}
	})
	p.cut()
}

// heal makes the other server reachable; the first one stays cut off.
func heal(p *pipes) { p.set(func(p *pipes) { p.dial = nil }) }

// isReading tells of one of the operations that it only reads, and does not sync.
func isReading(op operation) bool {
	return op.done == nil && op.name != "Sync" && op.name != "Batch of reads"
}

// A client that may be served read-only reads, and its writes fail before they are
// sent. When a server with a quorum is there it moves to that, in a new session.
func TestReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		partition(p)
		cl := p.connect(t, cutOff+","+whole, client.WithReadOnly())
		st := follow(t, cl)
		first := st.next(client.ReadOnly)
		require.Equal(t, cutOff, first.Server)
		require.EqualValues(t, 1, first.Epoch)

		for _, op := range operations() {
			err := op.do(t.Context(), cl.Ops)
			if isReading(op) {
				require.NotErrorIs(t, err, client.ErrReadOnly, op.name)
				continue
			}
			require.ErrorIs(t, err, client.ErrReadOnly, op.name)
			require.Equal(t, client.NotSent, client.Outcome(err), op.name)
		}
		for _, f := range p.seen() {
			require.False(t, f.op.Commits() || f.op == jute.OpSync, "%v was sent", f.op)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		_, err := cl.Session(ctx)
		cancel()
		require.ErrorIs(t, err, client.ErrNotConnected, "a session that can only read is not handed out")

		heal(p)
		lost := st.next(client.Lost)
		require.ErrorIs(t, lost.Err, client.ErrSessionLost)
		require.ErrorContains(t, lost.Err, "read-only mode had made it")
		st.next(client.Connecting)
		second := st.next(client.Connected)
		require.Equal(t, whole, second.Server)
		require.EqualValues(t, 2, second.Epoch)
		require.NoError(t, cl.Sync(t.Context(), "/"))
		asked := len(p.isro())
		time.Sleep(time.Hour)
		require.Len(t, p.isro(), asked, "nothing is looked for any more")
		require.Equal(t, client.Connected, cl.State().State)
	})
}

// The server that serves the session regains its quorum and closes all connections,
// and no server knows the session.
func TestReadOnlyServerRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		partition(p)
		cl := p.connect(t, cutOff+","+whole, client.WithReadOnly())
		st := follow(t, cl)
		st.next(client.ReadOnly)
		p.set(func(p *pipes) { p.readOnly = nil })
		p.cut()
		st.next(client.Suspended)
		require.ErrorContains(t, st.next(client.Lost).Err, "read-only mode had made it")
		st.next(client.Connecting)
		require.Equal(t, cutOff, st.next(client.Connected).Server)
	})
}

// Whoever does not ask for it is not served read-only.
func TestReadOnlyIsOptIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		partition(p)
		_, err := client.Connect(t.Context(), cutOff, client.WithDialer(p.Dial))
		require.ErrorIs(t, err, client.ErrNotConnected)
		require.ErrorContains(t, err, "not serving, read-only, ")
		require.Empty(t, p.isro())
	})
}

// The other servers are asked at once, then after 100 ms, and then ever more seldom;
// the server that serves the session is not.
func TestReadOnlyLooksFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		partition(p)
		p.set(func(p *pipes) {
			p.dial = nil
			p.readOnly = func(string) bool { return true }
		})
		cl := p.connect(t, cutOff+","+whole+",10.0.0.3:1", client.WithReadOnly())
		start := time.Now()
		time.Sleep(10 * time.Minute)
		asked := p.isro()
		for _, a := range asked {
			require.NotEqual(t, cl.State().Server, a.addr)
		}
		require.Less(t, asked[0].at.Sub(start), 50*time.Millisecond)
		require.Less(t, asked[2].at.Sub(asked[0].at), 200*time.Millisecond)
		require.Less(t, len(asked), 2*600/3, "two servers, every five seconds give or take a half")
		require.Greater(t, len(asked), 2*600/10)
		require.NoError(t, cl.Close())
		require.Equal(t, client.Closed, cl.State().State)
		require.Len(t, p.seen(jute.OpCloseSession), 1)
	})
}

// The one that has a quorum is the next to be dialled, however many have not.
func TestReadOnlyGoesToTheOneFound(t *testing.T) {
	const servers = "10.0.0.1:1,10.0.0.3:1,10.0.0.4:1,10.0.0.5:1,10.0.0.6:1,10.0.0.7:1,10.0.0.8:1," + whole
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			partition(p)
			p.set(func(p *pipes) { p.readOnly = func(addr string) bool { return addr != whole } })
			st := follow(t, p.connect(t, servers, client.WithReadOnly()))
			st.next(client.ReadOnly)
			time.Sleep(time.Minute)
			heal(p)
			st.next(client.Lost)
			st.next(client.Connecting)
			require.Equal(t, whole, st.next(client.Connected).Server)
		})
	}
}

// Each connection to a read-only server is looked away from once: what was begun
// on an earlier one has ended with it.
func TestReadOnlyLooksOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.readOnly = func(string) bool { return true }
		st := follow(t, p.connect(t, cutOff+","+whole, client.WithReadOnly()))
		st.next(client.ReadOnly)
		for range 10 {
			time.Sleep(2 * time.Second)
			p.cut()
			st.until(client.ReadOnly)
		}
		time.Sleep(time.Minute)
		before := len(p.isro())
		time.Sleep(time.Minute)
		require.Less(t, len(p.isro())-before, 30)
	})
}

// A read-write server that goes before it is reached is one of many that can.
func TestReadOnlyFindsOneThatIsGoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		partition(p)
		cl := p.connect(t, cutOff+","+whole, client.WithReadOnly())
		st := follow(t, cl)
		st.next(client.ReadOnly)
		p.set(func(p *pipes) {
			calls := 0
			p.dial = func(_ context.Context, addr string) error {
				if addr == whole {
					if calls++; calls > 1 { // the first asks
						return errors.New("connection refused")
					}
				}
				return nil
			}
		})
		st.next(client.Lost)
		st.next(client.Connecting)
		require.Equal(t, cutOff, st.next(client.ReadOnly).Server)
		_, _, err := cl.Get(t.Context(), "/n")
		require.NoError(t, err)
	})
}
