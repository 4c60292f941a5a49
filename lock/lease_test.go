package lock_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const (
	leasePath  = "/db_leases/cleanup"
	holderPath = leasePath + "/lease_holder"
)

// leaseNode is what is stored of the holder.
func leaseNode(srv *zktest.Server) string {
	n, _ := srv.Node(holderPath)
	return string(n.Data)
}

// requireBytes compares what is stored with what Kazoo writes: byte for byte, not as JSON.
func requireBytes(t *testing.T, srv *zktest.Server, want string) {
	t.Helper()
	n, _ := srv.Node(holderPath)
	require.Equal(t, []byte(want), n.Data)
}

// inBubble runs a test with a server and virtual time, which begins at a whole second.
func inBubble(t *testing.T, f func(t *testing.T, srv *zktest.Server, connect func() *client.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		f(t, srv, func() *client.Client {
			cl, err := client.Connect(t.Context(), srv.Addr(), client.WithDialer(srv.Dial))
			require.NoError(t, err)
			t.Cleanup(func() { _ = cl.Close() })
			return cl
		})
	})
}

func TestLease(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		ctx := t.Context()
		a := lock.NewLease(connect(), leasePath, time.Hour, lock.WithHolder("a"))
		b := lock.NewLease(connect(), leasePath, time.Minute, lock.WithHolder("b"))
		_, _, ok, err := a.Holder(ctx)
		require.NoError(t, err)
		require.False(t, ok)
		began := time.Now()
		held, err := a.TryTake(ctx)
		require.NoError(t, err)
		requireBytes(t, srv, `{"version": 1, "holder": "a", "end": "2000-01-01T01:00:00"}`)
		require.Equal(t, began.Add(time.Hour).UTC(), held.End())
		require.Equal(t, "a", held.Identifier())
		require.NoError(t, held.Err())
		n, _ := srv.Node(leasePath)
		require.Equal(t, []string{"lease_holder"}, n.Children, "the lock is released")
		n, _ = srv.Node(holderPath)
		require.Zero(t, n.Stat.EphemeralOwner)
		require.Equal(t, n.Stat.Mzxid, held.Token())

		_, err = b.TryTake(ctx)
		require.ErrorIs(t, err, lock.ErrBusy)
		var busy *lock.LeaseBusyError
		require.ErrorAs(t, err, &busy)
		require.Equal(t, lock.LeaseBusyError{Path: leasePath, Holder: "a", End: held.End()}, *busy)
		id, end, ok, err := b.Holder(ctx)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "a", id)
		require.Equal(t, held.End(), end)

		// It ends a margin before its end for the holder, a margin after it for the others.
		<-held.Context().Done()
		require.Equal(t, time.Hour-time.Second, time.Since(began))
		require.ErrorIs(t, context.Cause(held.Context()), lock.ErrLost)
		require.ErrorIs(t, held.Err(), lock.ErrLost)
		require.ErrorIs(t, held.Renew(ctx), lock.ErrLost)
		taken, err := b.Take(ctx)
		require.NoError(t, err)
		require.Equal(t, time.Hour+time.Second, time.Since(began))
		requireBytes(t, srv, `{"version": 1, "holder": "b", "end": "2000-01-01T01:01:01"}`)
		require.Greater(t, taken.Token(), held.Token())
		require.NoError(t, held.Release(ctx), "and nothing happens")
		require.Contains(t, leaseNode(srv), `"b"`)
		require.NoError(t, taken.Release(ctx))
		require.Equal(t, lock.ErrUnlocked, taken.Err())
		_, ok = srv.Node(holderPath)
		require.False(t, ok)
		require.NoError(t, taken.Release(ctx))
	})
}

func TestLeaseRenewed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		ctx := t.Context()
		cl := connect()
		a := lock.NewLease(cl, leasePath, time.Minute, lock.WithHolder("a"))
		held, err := a.Take(ctx)
		require.NoError(t, err)
		token := held.Token()
		for range 3 {
			time.Sleep(50 * time.Second)
			require.NoError(t, held.Renew(ctx))
			require.Equal(t, time.Now().Add(time.Minute).UTC(), held.End())
			require.NoError(t, held.Context().Err())
			require.Greater(t, held.Token(), token)
			token = held.Token()
		}
		// The same identifier takes it again, as with Kazoo, also from another client; a later release of
		// the former is none.
		time.Sleep(time.Second)
		again, err := lock.NewLease(connect(), leasePath, time.Minute, lock.WithHolder("a")).TryTake(ctx)
		require.NoError(t, err)
		require.NoError(t, held.Release(ctx))
		require.Contains(t, leaseNode(srv), again.End().Format("15:04:05"))
		require.ErrorIs(t, held.Renew(ctx), lock.ErrUnlocked)

		// Somebody takes the holder away, and another takes it.
		require.NoError(t, srv.Delete(holderPath))
		require.ErrorIs(t, again.Renew(ctx), lock.ErrLost)
		require.ErrorIs(t, context.Cause(again.Context()), lock.ErrLost)
		third, err := a.TryTake(ctx)
		require.NoError(t, err)
		require.NoError(t, srv.Set(holderPath, []byte(`{"version": 1, "holder": "z", "end": "2000-01-01T09:00:00"}`)))
		require.ErrorIs(t, third.Renew(ctx), lock.ErrLost)
		<-third.Context().Done()
	})
}

// A renewal that was not delivered is not taken for done because what is there looks the same: ends are
// whole seconds, and it came within the second of the take.
func TestLeaseRenewalLost(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		held, err := lock.NewLease(connect(), leasePath, time.Minute, lock.WithHolder("a")).Take(t.Context())
		require.NoError(t, err)
		token := held.Token()
		lost := srv.DropRequest(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}})
		require.NoError(t, held.Renew(t.Context()))
		<-lost.Fired()
		require.Greater(t, held.Token(), token)
		n, _ := srv.Node(holderPath)
		require.Equal(t, n.Stat.Mzxid, held.Token())
	})
}

// Who waits gets it when it is released, and not when it is renewed.
func TestLeaseTakeWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		ctx := t.Context()
		held, err := lock.NewLease(connect(), leasePath, time.Hour, lock.WithHolder("a")).Take(ctx)
		require.NoError(t, err)
		got := make(chan *lock.Taken, 1)
		cl := connect()
		go func() {
			taken, err := lock.NewLease(cl, leasePath, time.Hour, lock.WithHolder("b")).Take(ctx)
			assert.NoError(t, err)
			got <- taken
		}()
		time.Sleep(time.Minute)
		require.NoError(t, held.Renew(ctx))
		synctest.Wait()
		require.Empty(t, got)
		require.NoError(t, held.Release(ctx))
		taken := <-got
		require.NoError(t, taken.Err())

		waiting, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		_, err = lock.NewLease(connect(), leasePath, time.Hour, lock.WithHolder("c")).Take(waiting)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		require.Zero(t, srv.Watches())
		n, _ := srv.Node(leasePath)
		require.Equal(t, []string{"lease_holder"}, n.Children)
	})
}

// What others have written: taken over when its time has come, refused when it cannot be read.
func TestLeaseOfOthers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		ctx := t.Context()
		l := lock.NewLease(connect(), leasePath, time.Hour, lock.WithHolder("me"))
		require.NoError(t, srv.Create(holderPath, nil))
		for _, bad := range []string{``, `{}`, `[]`, `{"version": 2, "holder": "x", "end": "2000-01-01T00:00:00"}`, `{"version": 1, "holder": "x"}`, `{"version": 1, "holder": "x", "end": "tomorrow"}`} {
			require.NoError(t, srv.Set(holderPath, []byte(bad)))
			_, err := l.TryTake(ctx)
			require.ErrorIs(t, err, lock.ErrLeaseFormat, bad)
			_, err = l.Take(ctx)
			require.ErrorIs(t, err, lock.ErrLeaseFormat, bad)
			require.Equal(t, bad, leaseNode(srv))
		}
		require.NoError(t, srv.Set(holderPath, []byte("{\"end\":\"2000-01-01T00:00:00\",\n\"more\": [1], \"holder\":\"caf\\u00e9\", \"version\":1}")))
		_, err := l.TryTake(ctx)
		var busy *lock.LeaseBusyError
		require.ErrorAs(t, err, &busy)
		require.Equal(t, "café", busy.Holder)
		time.Sleep(time.Second) // the margin
		_, err = l.TryTake(ctx)
		require.NoError(t, err)

		// A mutex of the other layout, and Kazoo's lock, on the same path.
		held, err := lock.NewMutex(connect(), leasePath).TryLock(ctx)
		require.NoError(t, err)
		_, err = l.TryTake(ctx)
		require.ErrorIs(t, err, lock.ErrLayoutConflict)
		require.NoError(t, held.Unlock(ctx))
		held, err = lock.NewMutex(connect(), leasePath, lock.WithLayout(recipes.Kazoo)).TryLock(ctx)
		require.NoError(t, err)
		took := make(chan error, 1)
		go func() {
			_, err := l.TryTake(ctx)
			took <- err
		}()
		synctest.Wait()
		require.Empty(t, took, "it waits for who is at it")
		require.NoError(t, held.Unlock(ctx))
		require.NoError(t, <-took)
	})
}

// Python's json.dumps, as python3 has written it.
func TestLeaseBytesArePythons(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		cl := connect()
		for id, want := range map[string]string{
			"DB on web-3/x":                   `"DB on web-3/x"`,
			"<&>'\"\\\n\r\t\f\b\x00\x1f\x7f~": `"<&>'\"\\\n\r\t\f\b\u0000\u001f\u007f~"`,
			"café \u2028 😀":                   `"caf\u00e9 \u2028 \ud83d\ude00"`,
		} {
			taken, err := lock.NewLease(cl, leasePath, time.Hour, lock.WithHolder(id)).TryTake(t.Context())
			require.NoError(t, err)
			requireBytes(t, srv, fmt.Sprintf(`{"version": 1, "holder": %s, "end": "2000-01-01T01:00:00"}`, want))
			holder, _, ok, err := lock.NewLease(cl, leasePath, time.Hour).Holder(t.Context())
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, id, holder)
			require.NoError(t, taken.Release(t.Context()))
		}
	})
}

func TestMultiLease(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		ctx := t.Context()
		cl := connect()
		on := func(id string) *lock.MultiLease {
			return lock.NewMultiLease(cl, "/m", 2, time.Hour, lock.WithHolder(id))
		}
		a, err := on("a").TryTake(ctx)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		b, err := on("b").Take(ctx)
		require.NoError(t, err)
		n, _ := srv.Node("/m/1/lease_holder")
		require.Contains(t, string(n.Data), `"b"`)
		_, err = on("c").TryTake(ctx)
		var busy *lock.LeaseBusyError
		require.ErrorAs(t, err, &busy)
		require.Equal(t, "a", busy.Holder)
		got := make(chan *lock.Taken, 1)
		go func() {
			c, err := on("c").Take(ctx)
			assert.NoError(t, err)
			got <- c
		}()
		synctest.Wait()
		require.NoError(t, a.Release(ctx))
		c := <-got
		require.NoError(t, c.Err())
		require.NoError(t, c.Release(ctx))

		// The first is free, and who has the second renews that.
		_, err = on("b").TryTake(ctx)
		require.NoError(t, err)
		_, ok := srv.Node("/m/0/lease_holder")
		require.False(t, ok)
		require.NoError(t, b.Release(ctx), "renewed elsewhere")
		_, err = lock.NewMultiLease(cl, "/m", 0, time.Hour).TryTake(ctx)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = lock.NewMultiLease(nil, "/m", 1, time.Hour).Take(ctx)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = lock.NewMultiLease(cl, "m", 1, time.Hour).Take(ctx)
		require.ErrorIs(t, err, client.ErrBadPath)
	})
}

func TestLeaseWhatCannotBe(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]struct {
		l    *lock.Lease
		want error
	}{
		"no client":  {lock.NewLease(nil, leasePath, time.Hour), client.ErrBadArgument},
		"bad path":   {lock.NewLease(cl, "x", time.Hour), client.ErrBadPath},
		"too short":  {lock.NewLease(cl, leasePath, 2*time.Second), client.ErrBadArgument},
		"margin":     {lock.NewLease(cl, leasePath, time.Hour, lock.WithMargin(time.Hour)), client.ErrBadArgument},
		"negative":   {lock.NewLease(cl, leasePath, time.Hour, lock.WithMargin(-1)), client.ErrBadArgument},
		"no holder":  {lock.NewLease(cl, leasePath, time.Hour, lock.WithHolder("")), client.ErrBadArgument},
		"no text":    {lock.NewLease(cl, leasePath, time.Hour, lock.WithHolder("\xff")), client.ErrBadArgument},
		"nil option": {lock.NewLease(cl, leasePath, time.Hour, nil), client.ErrBadArgument},
	} {
		_, err := c.l.TryTake(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = c.l.Take(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, _, _, err = c.l.Holder(t.Context())
		require.ErrorIs(t, err, c.want, name)
	}
	require.Empty(t, srv.Requests())
}
