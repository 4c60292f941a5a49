package discovery_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/zktest"
)

const base = "/services"

// patience bounds every wait for an event that has to come.
const patience = time.Minute

func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
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

func sessionOf(t testing.TB, cl *client.Client) int64 {
	t.Helper()
	s, err := cl.Session(bounded(t))
	require.NoError(t, err)
	return s.ID()
}

// instance is a simple one.
func instance(id string, port int) discovery.Instance {
	return discovery.Instance{Name: "svc", ID: id, Address: "10.0.0.1", Port: port, Registered: time.UnixMilli(17)}
}

func register(t testing.TB, cl *client.Client, i discovery.Instance) *discovery.Registration {
	t.Helper()
	r, err := discovery.New(cl, base).Register(bounded(t), i)
	require.NoError(t, err)
	return r
}

func watch(t testing.TB, cl *client.Client) *discovery.Service {
	t.Helper()
	s, err := discovery.New(cl, base).Watch(bounded(t), "svc")
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func ids(instances []discovery.Instance) []string {
	out := []string{}
	for _, i := range instances {
		out = append(out, i.ID)
	}
	return out
}

// requireIDs waits until the service has these instances.
func requireIDs(t testing.TB, s *discovery.Service, want ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, append([]string{}, want...), ids(s.Instances()))
	}, patience, time.Millisecond)
}
