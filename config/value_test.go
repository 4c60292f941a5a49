package config_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

func positive(l limits) error {
	if l.Max <= 0 {
		return fmt.Errorf("max is %d", l.Max)
	}
	return nil
}

func TestWatchFollowsADocument(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "{\"max\": 3}"}`))
	v := watch(t, connect(t, srv), config.WithDefault(limits{Max: 1, Timeout: time.Second}), config.WithValidate(positive))
	require.Equal(t, limits{Max: 3, Timeout: time.Second}, v.Load(), "what the document does not mention is the default's")
	updates := follow(t, v.Updates)
	require.Equal(t, "{3 1s []}", wait(t, "the first", updates))

	require.NoError(t, srv.Set(path, []byte(`{"max": 4, "hosts": ["a"]}`)))
	require.Equal(t, "{4 1s [a]}", wait(t, "an update", updates))
	_, version := v.Current()
	require.Equal(t, int32(1), version.Number)

	for bad, says := range map[string]string{"{": "unexpected end", `{"max": -1}`: "max is -1", "": "unexpected end"} {
		require.NoError(t, srv.Set(path, []byte(bad)))
		word := wait(t, "a bad one", updates)
		require.Contains(t, word, "{4 1s [a]} | config /config/limits: bad document: ")
		require.Contains(t, word, says)
		require.ErrorIs(t, v.Err(), config.ErrBadDocument)
		require.Equal(t, 4, v.Load().Max, "the last good one")
	}
	require.NoError(t, srv.Set(path, []byte(`{"max": 5}`)))
	require.Equal(t, "{5 1s []}", wait(t, "a good one", updates))
	require.NoError(t, v.Err())

	require.NoError(t, srv.Delete(path))
	require.Equal(t, "{1 1s []}", wait(t, "the default", updates))
	_, version = v.Current()
	require.False(t, version.Exists)
	require.NoError(t, srv.Create(path, []byte(`{"max": 6}`)))
	require.Equal(t, "{6 1s []}", wait(t, "a new one", updates))
}

func TestWatchWithoutADefault(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	_, err := config.Watch[limits](bounded(t), cl, path)
	require.ErrorIs(t, err, config.ErrNoDocument)
	require.ErrorIs(t, err, client.ErrNoNode)
	require.NoError(t, srv.Create(path, []byte("127.0.0.1")))
	_, err = config.Watch[limits](bounded(t), cl, path)
	require.ErrorIs(t, err, config.ErrBadDocument)
	comes(t, 0, srv.Watches)

	require.NoError(t, srv.Set(path, []byte(`{"max": 1}`)))
	v := watch[limits](t, cl)
	updates := follow(t, v.Updates)
	wait(t, "the first", updates)
	require.NoError(t, srv.Delete(path))
	require.Equal(t, "{1 0s []} | config /config/limits: no document: node does not exist", wait(t, "its end", updates))
	require.Equal(t, 1, v.Load().Max, "the last good one stays")
}

func TestWatchBeginsWithABadDocument(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "no"}`))
	v := watch(t, connect(t, srv), config.WithDefault(limits{Max: 1}))
	require.Equal(t, limits{Max: 1}, v.Load())
	require.ErrorIs(t, v.Err(), config.ErrBadDocument)
	updates := follow(t, v.Updates)
	require.Contains(t, wait(t, "the first", updates), "{1 0s []} | ")
	require.NoError(t, srv.Set(path, []byte(`{"max": 2}`)))
	require.Equal(t, "{2 0s []}", wait(t, "an update", updates))
	require.NoError(t, v.Err())
}

// A value watched by a thousand subscribers costs one watch on the server, and a change is one read.
func TestAThousandSubscribersCostOneWatchAndOneRead(t *testing.T) {
	const subscribers, values = 1000, 20
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "0"}`))
	cl := connect(t, srv)
	vs := make([]*config.Value[int], values)
	for i := range vs {
		vs[i] = watch[int](t, cl)
	}
	var first, last sync.WaitGroup
	first.Add(subscribers)
	for i := range subscribers {
		last.Go(func() {
			once := first.Done
			for n, err := range vs[i%values].Updates(t.Context()) {
				once()
				once = func() {}
				if err != nil || n == 3 {
					return
				}
			}
		})
	}
	first.Wait()
	require.Equal(t, 1, srv.Watches())
	require.Equal(t, map[string]int{"addWatch": 1, "sync": 1, "getData": 1}, ops(srv))
	for n := range 3 {
		srv.ResetRequests()
		require.NoError(t, srv.Set(path, []byte(fmt.Sprint(n+1))))
		for _, v := range vs {
			comes(t, n+1, v.Load)
		}
		require.Equal(t, map[string]int{"getData": 1}, ops(srv), "a change")
	}
	last.Wait()
	for _, v := range vs {
		v.Close()
	}
	comes(t, 0, srv.Watches)
}

// Who is slow gets the newest, not all.
func TestUpdatesAreTheMostRecent(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "0"}`))
	v := watch[int](t, connect(t, srv))
	for n, err := range v.Updates(bounded(t)) {
		require.NoError(t, err)
		if n == 100 {
			return
		}
		require.Zero(t, n, "it was busy until 100")
		for i := range 100 {
			require.NoError(t, srv.Set(path, []byte(fmt.Sprint(i+1))))
		}
		comes(t, 100, v.Load)
	}
	require.Fail(t, "ended early")
}

func TestUpdatesEnd(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "0"}`))
	cl := connect(t, srv)
	v := watch[int](t, cl)

	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var got []error
	for _, err := range v.Updates(ctx) {
		got = append(got, err)
		cancel(cause)
	}
	require.Len(t, got, 2)
	require.ErrorIs(t, got[1], cause)
	require.ErrorIs(t, got[1], context.Canceled)

	got = nil
	for _, err := range v.Updates(t.Context()) {
		got = append(got, err)
		v.Close()
	}
	require.Equal(t, []error{nil}, got, "closed")
	v.Close()
	require.Zero(t, v.Load())

	w := watch[int](t, cl)
	got = nil
	for _, err := range w.Updates(t.Context()) {
		got = append(got, err)
		_ = cl.Close()
	}
	require.Len(t, got, 2)
	require.ErrorIs(t, got[1], client.ErrClosed)
	_, err := config.Watch[int](t.Context(), cl, path)
	require.ErrorIs(t, err, client.ErrClosed)
}

// Who waits for the start of somebody whose context ends starts itself.
func TestWatchOutlivesTheFirstOnesContext(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/config/limits": "7"}`))
	cl := connect(t, srv)
	held := srv.HoldReply(zktest.On(path, zktest.OpAddWatch))
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan int, 1)
	go func() {
		_, err := config.Watch[int](ctx, cl, path)
		first <- err
	}()
	<-held.Fired()
	var asked atomic.Bool
	go func() {
		asked.Store(true)
		v, err := config.Watch[int](t.Context(), cl, path)
		if err != nil {
			second <- -1
			return
		}
		second <- v.Load()
		v.Close()
	}()
	comes(t, true, asked.Load)
	cancel()
	require.ErrorIs(t, wait(t, "the first", first), context.Canceled)
	held.Release()
	require.Equal(t, 7, wait(t, "the second", second))
	comes(t, 0, srv.Watches)
}
