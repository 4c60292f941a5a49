package prom_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/prom"
	"github.com/zookit/zookit/zktest"
)

// value is number for what counts whole things.
func value(t *testing.T, reg *prometheus.Registry, name string, labels ...string) int {
	t.Helper()
	return int(number(t, reg, name, labels...))
}

// number reads one metric back as a scraper would: its value, or a histogram's count. It
// is -1 if there is none with these labels, given as "name=value".
func number(t *testing.T, reg *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetName()+"="+l.GetValue())
			}
			if strings.Join(have, " ") != strings.Join(labels, " ") {
				continue
			}
			switch {
			case m.Histogram != nil:
				return float64(m.GetHistogram().GetSampleCount())
			case m.Gauge != nil:
				return m.GetGauge().GetValue()
			default:
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

func connect(t *testing.T, srv *zktest.Server, m *prom.Metrics) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), client.WithHooks(m), client.WithSessionTimeout(time.Minute))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// What a client has done, with a lock among it, is what a scrape reads.
func TestMetricsTellWhatHappened(t *testing.T) {
	srv := zktest.Start(t)
	m := prom.New()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(m))
	cl := connect(t, srv, m)
	ctx := t.Context()

	_, err := cl.Create(ctx, "/a", []byte("t0p data"))
	require.NoError(t, err)
	srv.DropRequest(zktest.On("/a", zktest.OpGetData))
	_, _, w, err := cl.GetW(ctx, "/a")
	require.NoError(t, err)
	defer w.Remove()
	_, _, err = cl.Get(ctx, "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
	srv.SwallowReply(zktest.On("/a", zktest.OpSetData))
	_, err = cl.Set(ctx, "/a", nil, client.AnyVersion)
	require.Equal(t, client.Unknown, client.Outcome(err))
	_, _, _, err = cl.GetW(ctx, "/a")
	require.NoError(t, err)
	held, err := lock.NewMutex(cl, "/lock").Lock(ctx)
	require.NoError(t, err)

	// What is told on the client's own goroutine is there when its last event is.
	require.Eventually(t, func() bool { return value(t, reg, "zookit_grants_held") == 1 }, 20*time.Second, time.Millisecond)
	_, err = lock.NewMutex(cl, "/lock").TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	server := "server=" + srv.Addr()
	for _, want := range []struct {
		value  int
		name   string
		labels []string
	}{
		{1, "zookit_operations_total", []string{"op=setData", "outcome=unknown"}},
		{2, "zookit_operations_total", []string{"op=getData", "outcome=ok"}},
		{1, "zookit_operations_total", []string{"op=getData", "outcome=error"}},
		{3, "zookit_operation_seconds", []string{"op=getData"}},
		{1, "zookit_retries_total", []string{"op=getData"}},
		{3, "zookit_connections_total", []string{"result=ok", server}},
		{2, "zookit_disconnections_total", nil},
		{1, "zookit_session_state", []string{"state=connected"}},
		{0, "zookit_session_state", []string{"state=suspended"}},
		{1, "zookit_sessions_total", []string{"event=opened"}},
		{0, "zookit_sessions_total", []string{"event=lost"}},
		{0, "zookit_frames_total", []string{"kind=event"}},
		{0, "zookit_requests_in_flight", nil},
		{1, "zookit_watches", nil},
		{1, "zookit_holds", nil},
		{0, "zookit_cleanups", nil},
		{1, "zookit_grant_wait_seconds", []string{"result=held"}},
	} {
		require.Equal(t, want.value, value(t, reg, want.name, want.labels...), "%s %v", want.name, want.labels)
	}
	require.Positive(t, number(t, reg, "zookit_round_trip_seconds"))
	sent := value(t, reg, "zookit_bytes_total", "direction=sent")
	require.Positive(t, sent)

	require.NoError(t, held.Unlock(ctx))
	require.NoError(t, cl.Close())
	require.Equal(t, 0, value(t, reg, "zookit_grants_held"))
	require.Equal(t, 1, value(t, reg, "zookit_grant_held_seconds", "end=released"))
	require.Equal(t, 1, value(t, reg, "zookit_grant_wait_seconds", "result=missed"))
	require.Equal(t, 0, value(t, reg, "zookit_session_state", "state=connected"))
	require.Equal(t, 3, value(t, reg, "zookit_disconnections_total"))
	require.Equal(t, int(cl.Stats().BytesSent), value(t, reg, "zookit_bytes_total", "direction=sent"))
	require.Greater(t, int(cl.Stats().BytesSent), sent)

	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
	text, err := testutil.CollectAndFormat(m, expfmt.TypeTextPlain, families(t, reg)...)
	require.NoError(t, err)
	require.NotContains(t, string(text), "t0p")
	require.NotContains(t, string(text), "/a")
}

func families(t *testing.T, reg *prometheus.Registry) (names []string) {
	t.Helper()
	all, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range all {
		names = append(names, f.GetName())
	}
	return names
}

// One Metrics may serve several clients; what those counted that are closed stays.
func TestMetricsOfSeveralClients(t *testing.T) {
	srv := zktest.Start(t)
	m := prom.New(prom.WithOperationBuckets(1), prom.WithGrantBuckets(1))
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(m))
	first, second := connect(t, srv, m), connect(t, srv, m)
	_, err := first.Create(t.Context(), "/a", nil)
	require.NoError(t, err)
	_, err = second.Create(t.Context(), "/b", nil)
	require.NoError(t, err)
	require.Equal(t, 2, value(t, reg, "zookit_session_state", "state=connected"))
	require.Equal(t, 2, value(t, reg, "zookit_operations_total", "op=create2", "outcome=ok"))
	require.NoError(t, first.Close())
	require.Equal(t, 1, value(t, reg, "zookit_session_state", "state=connected"))
	require.Equal(t, 2, value(t, reg, "zookit_sessions_total", "event=opened"))
	require.Equal(t, 3, value(t, reg, "zookit_frames_total", "kind=request"), "two creates and a farewell")
}

// An ensemble that cannot be reached shows, though Connect never succeeds.
func TestMetricsOfAFailingConnect(t *testing.T) {
	m := prom.New()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(m))
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	_, err := client.Connect(t.Context(), "127.0.0.1:1", client.WithHooks(m), client.WithDialer(refuse), client.WithConnectTimeout(100*time.Millisecond))
	require.ErrorIs(t, err, client.ErrNotConnected)
	require.Positive(t, value(t, reg, "zookit_connections_total", "result=failed", "server=127.0.0.1:1"))
}
