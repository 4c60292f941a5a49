package config_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

func increment(n int) (int, error) { return n + 1, nil }

// history is where the revisions are.
const history = "/zookit/history/%2Fconfig%2Flimits"

func data(srv *zktest.Server) string {
	n, _ := srv.Node(path)
	return string(n.Data)
}

func TestSetAndUpdate(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	d := config.New(cl, path, config.WithDefault(10))
	n, version, err := d.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, 10, n)
	require.False(t, version.Exists)

	n, err = d.Update(bounded(t), increment)
	require.NoError(t, err)
	require.Equal(t, 11, n, "from the default")
	require.NoError(t, d.Set(bounded(t), 20))
	n, err = d.Update(bounded(t), increment)
	require.NoError(t, err)
	require.Equal(t, 21, n)
	require.Equal(t, "21", data(srv))

	_, version, err = d.Get(t.Context())
	require.NoError(t, err)
	require.NoError(t, d.TrySet(bounded(t), version, 30))
	require.ErrorIs(t, d.TrySet(bounded(t), version, 40), client.ErrBadVersion)
	require.ErrorIs(t, d.TrySet(bounded(t), config.Version{}, 40), client.ErrBadVersion)
	require.Equal(t, "30", data(srv))

	enough := errors.New("enough")
	_, err = d.Update(bounded(t), func(int) (int, error) { return 0, enough })
	require.ErrorIs(t, err, enough)

	require.NoError(t, srv.Set(path, []byte("no")))
	_, err = d.Update(bounded(t), increment)
	require.ErrorIs(t, err, config.ErrBadDocument, "not overwritten unread")
	require.NoError(t, d.Set(bounded(t), 50), "but by Set")

	small := config.New(cl, path, config.WithValidate(func(n int) error {
		if n > 10 {
			return fmt.Errorf("%d is too much", n)
		}
		return nil
	}))
	_, err = small.Update(bounded(t), func(int) (int, error) { return 1, nil })
	require.ErrorIs(t, err, config.ErrBadDocument)
	_, _, err = small.Get(bounded(t))
	require.ErrorIs(t, err, config.ErrBadDocument)
}

func TestInvalidIsNotSent(t *testing.T) {
	srv := zktest.Start(t)
	d := config.New(connect(t, srv), path, config.WithValidate(positive))
	require.ErrorIs(t, d.Set(t.Context(), limits{}), config.ErrInvalid)
	f := config.New[func()](connect(t, srv), path)
	require.ErrorIs(t, f.Set(t.Context(), nil), config.ErrInvalid)
	_, ok := srv.Node(path)
	require.False(t, ok)
}

// When Set and Update of a Value return, Load shows it.
func TestAValueShowsItsOwnWrites(t *testing.T) {
	srv := zktest.Start(t)
	v := watch(t, connect(t, srv), config.WithDefault(0))
	for n := range 20 {
		require.NoError(t, v.Set(bounded(t), 2*n))
		require.Equal(t, 2*n, v.Load())
		got, err := v.Update(bounded(t), increment)
		require.NoError(t, err)
		require.Equal(t, 2*n+1, got)
		require.Equal(t, 2*n+1, v.Load())
	}
	_, version := v.Current()
	require.NoError(t, v.TrySet(bounded(t), version, 100))
	require.Equal(t, 100, v.Load())
	require.ErrorIs(t, v.TrySet(bounded(t), version, 101), client.ErrBadVersion)
	revisions, err := v.History(bounded(t))
	require.NoError(t, err)
	require.NoError(t, v.RollBack(bounded(t), revisions[0].ID))
	require.Equal(t, 39, v.Load())
	require.ErrorIs(t, v.RollBack(bounded(t), "x"), config.ErrNoRevision)
	require.True(t, v.Synced())
	v.Close()
	require.NoError(t, v.Set(bounded(t), 7), "what is closed is the watch")
	require.Equal(t, "7", data(srv))
}

// Many update at once: none is lost.
func TestUpdatesOfManyAreAllMade(t *testing.T) {
	const clients, each = 5, 8
	srv := zktest.Start(t)
	var all sync.WaitGroup
	for i := range clients {
		cl := connect(t, srv)
		all.Go(func() {
			v, err := config.Watch(bounded(t), cl, path, config.WithDefault(0))
			if err != nil {
				t.Error(err)
				return
			}
			defer v.Close()
			for range each {
				if _, err := v.Update(bounded(t), increment); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, fmt.Sprint(clients*each), data(srv))
	n, _ := srv.Node(history)
	require.LessOrEqual(t, len(n.Children), config.DefaultHistory+clients, "bounded")
}

// faults are what can happen to a request.
func faults(srv *zktest.Server) map[string]func(zktest.Match) *zktest.Fault {
	return map[string]func(zktest.Match) *zktest.Fault{
		"its reply is lost": srv.SwallowReply,
		"it is lost":        srv.DropRequest,
		"its reply is lost, and the session": func(on zktest.Match) *zktest.Fault {
			f := srv.SwallowReply(on)
			go func() {
				<-f.Fired()
				srv.ExpireSession(f.Request().Session)
			}()
			return f
		},
	}
}

// Each request of an update is lost, or its reply, or with it the session: the update is made exactly once.
func TestUpdateIsMadeOnceWhateverIsLost(t *testing.T) {
	for _, exists := range []bool{false, true} {
		for fault := range faults(nil) {
			for at := 0; ; at++ {
				fired := false
				inBubble(t, fmt.Sprintf("exists %v, request %d, %s", exists, at, fault), func(t *testing.T) {
					srv := zktest.Start(t, inMemory)
					cl := connect(t, srv)
					d := config.New(cl, path, config.WithDefault(0))
					want := 1
					if exists {
						require.NoError(t, d.Set(bounded(t), 7))
						want = 8
					}
					var f *zktest.Fault
					var mu sync.Mutex
					seen := 0
					srv.OnRequest(func(r zktest.Request) {
						mu.Lock()
						defer mu.Unlock()
						if r.Op == zktest.OpPing || r.Op == zktest.OpConnect || f != nil {
							return
						}
						if seen++; seen == at+1 {
							f = faults(srv)[fault](zktest.Match{Ops: []zktest.Op{r.Op}})
						}
					})
					n, err := d.Update(bounded(t), increment)
					require.NoError(t, err)
					require.Equal(t, want, n)
					require.Equal(t, fmt.Sprint(want), data(srv))
					mu.Lock()
					defer mu.Unlock()
					if fired = f != nil; fired {
						<-f.Fired()
					}
				})
				if !fired {
					break
				}
			}
		}
	}
}

// Somebody else is faster while the reply is lost: what became of the own write is known.
func TestUpdateWhoseReplyIsLostIsNotMadeTwice(t *testing.T) {
	for _, others := range []int{1, 5, config.DefaultHistory + 2} {
		t.Run(fmt.Sprint(others), func(t *testing.T) {
			srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "0"}`))
			own, other := config.New[int](connect(t, srv), path), config.New[int](connect(t, srv), path)
			_, err := other.Update(bounded(t), increment) // makes the history
			require.NoError(t, err)
			srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}})
			before := srv.FailNext(zktest.Match{Ops: []zktest.Op{zktest.OpConnect}}, zktest.SessionExpired)
			srv.OnRequest(func(r zktest.Request) {
				if r.Op == zktest.OpConnect { // the own one comes back
					srv.OnRequest(nil)
					for range others {
						_, err := other.Update(bounded(t), increment)
						if err != nil {
							t.Error(err)
						}
					}
				}
			})
			_, err = own.Update(bounded(t), increment)
			<-before.Fired()
			if others <= config.DefaultHistory {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "written over")
				require.Equal(t, client.Unknown, client.Outcome(err))
			}
			require.Equal(t, fmt.Sprint(2+others), data(srv), "each exactly once")
		})
	}
}

func TestUpdateThatIsCancelledSaysWhatItKnows(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "0"}`))
	d := config.New[int](connect(t, srv), path)
	held := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Path: path})
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan error, 1)
	go func() {
		_, err := d.Update(ctx, increment)
		out <- err
	}()
	<-held.Fired()
	cancel()
	err := wait(t, "the update", out)
	held.Release()
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, client.Unknown, client.Outcome(err))
	require.True(t, strings.HasPrefix(err.Error(), "config /config/limits: "), err)
}
