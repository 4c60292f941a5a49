package config_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

const path = "/config/limits"

// patience bounds every wait for an event that has to come.
const patience = time.Minute

// inMemory is for tests in a bubble of testing/synctest.
var inMemory = zktest.WithInMemoryNetwork()

type limits struct {
	Max     int           `json:"max"`
	Timeout time.Duration `json:"timeout,omitempty"`
	Hosts   []string      `json:"hosts,omitempty"`
}

func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.ConnectString(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func watch[T any](t testing.TB, cl *client.Client, opts ...config.Option[T]) *config.Value[T] {
	t.Helper()
	v, err := config.Watch(bounded(t), cl, path, opts...)
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v
}

// inBubble runs a test in the time of a bubble.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// pass lets time pass in a bubble.
func pass(d time.Duration) { time.Sleep(d) }

// follow ranges over updates; each comes through the channel as it prints, errors behind a bar.
func follow[T any](t testing.TB, updates func(context.Context) iter.Seq2[T, error]) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan string), make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		for v, err := range updates(ctx) {
			word := fmt.Sprint(v)
			if err != nil {
				word += " | " + err.Error()
			}
			select {
			case out <- word:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// wait receives an event that has to come.
func wait[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		require.FailNow(t, "waited in vain for "+what)
		panic("unreachable")
	}
}

// comes requires that something comes to be as it should.
func comes[T any](t testing.TB, want T, get func() T) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, want, get()) }, patience, time.Millisecond)
}

// comesInBubble is comes in the time of a bubble, where looking often is what costs.
func comesInBubble[T any](t testing.TB, want T, get func() T) {
	t.Helper()
	for range int(10 * time.Minute / (100 * time.Millisecond)) {
		if assert.ObjectsAreEqual(want, get()) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	require.Equal(t, want, get())
}

// ops returns the operations that the server has received and a test counts.
func ops(srv *zktest.Server) map[string]int {
	out := map[string]int{}
	for _, r := range srv.Requests() {
		out[r.Op.String()]++
	}
	return out
}
