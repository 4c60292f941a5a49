package conformance

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// TestConformanceOfOrder: while the quorum does not answer, a ping that a session sends behind a write waits for the write's answer, on
// followers and on the leader; so does it in zktest. The client takes an answer that overtakes another for proof that frames were lost.
func TestConformanceOfOrder(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, time.Minute)
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	z := zktest.Start(t, zktest.WithServers(2))
	door := z.Doors()[0]
	each := func(servers []*ensemble.Server, do func(*ensemble.Server, context.Context) error) func() {
		return func() {
			for _, s := range servers {
				require.NoError(t, do(s, ctx))
			}
		}
	}
	// Each of them loses the quorum and gets it back.
	for _, c := range []struct {
		name, addr string
		lose, find func()
	}{
		{"zktest", door.Addr(), door.CutOff, door.Rejoin},
		{"a follower", followers[0].Addr(), each([]*ensemble.Server{leader}, (*ensemble.Server).Stop), each([]*ensemble.Server{leader}, (*ensemble.Server).Continue)},
		{"the leader", leader.Addr(), each(followers, (*ensemble.Server).Stop), each(followers, (*ensemble.Server).Continue)},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc, err := net.Dial("tcp", c.addr)
			require.NoError(t, err)
			defer nc.Close()
			v := &voice{nc: nc, at: &jute.ConnectResponse{}}
			v.write(&jute.ConnectRequest{TimeoutMillis: 30_000})
			_, err = v.read()
			require.NoError(t, err)
			c.lose()
			lost := true
			defer func() {
				if lost {
					c.find()
				}
			}()
			// Behind a ping that is answered at once.
			ping := frame(&jute.RequestHeader{Xid: jute.XidPing, Op: jute.OpPing})
			create := frame(&jute.RequestHeader{Xid: 1, Op: jute.OpCreate}, &jute.CreateRequest{Path: "/order", Flags: jute.FlagEphemeral, ACL: []jute.ACL{{Perms: 31, Scheme: "world", ID: "anyone"}}})
			v.send(append(append(append([]byte{}, ping...), create...), ping...))
			next := func() (h jute.ReplyHeader, err error) {
				b, err := v.read()
				if err == nil {
					h.Decode(jute.NewDecoder(b))
				}
				return h, err
			}
			h, err := next()
			require.NoError(t, err)
			require.Equal(t, jute.XidPing, h.Xid)
			_ = nc.SetDeadline(time.Now().Add(time.Second)) // time enough to overtake
			_, err = next()
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "an answer has overtaken that to the write")
			c.find()
			lost = false
			_ = nc.SetDeadline(time.Now().Add(patience))
			for _, want := range []int32{1, jute.XidPing} {
				h, err := next()
				require.NoError(t, err)
				require.Equal(t, want, h.Xid)
			}
		})
	}
}
