package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errRefused = errors.New("connection refused")

// names stands for the DNS.
type names struct {
	mu      sync.Mutex
	ips     map[string][]string
	lookups map[string]int
}

func (n *names) resolve(_ context.Context, host string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lookups[host]++
	if ips, ok := n.ips[host]; ok {
		return ips, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (n *names) set(host string, ips ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ips[host] = ips
}

// testDialer makes a dialer for a server list whose dials are all refused.
func testDialer(t *testing.T, list string, ips map[string][]string) (*dialer, *names) {
	t.Helper()
	servers, _, err := parseServers(list)
	require.NoError(t, err)
	set := defaults()
	set.dial = func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }
	d := newDialer(servers, &set)
	n := &names{ips: ips, lookups: map[string]int{}}
	d.resolve = n.resolve
	return d, n
}

// round takes n targets and returns their addresses.
func round(t *testing.T, d *dialer, n int) []string {
	t.Helper()
	var out []string
	for range n {
		target, err := d.next(t.Context())
		require.NoError(t, err)
		out = append(out, target.addr)
	}
	return out
}

func TestDialerResolvesNamesInEachRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dns := testDialer(t, "a:1,b:2,10.0.0.9:3,[::1]:4", map[string][]string{"a": {"10.0.0.1", "10.0.0.2"}, "b": {"fd00::2"}})
		require.ElementsMatch(t, []string{"10.0.0.1:1", "10.0.0.2:1", "[fd00::2]:2", "10.0.0.9:3", "[::1]:4"}, round(t, d, 5))
		require.Equal(t, map[string]int{"a": 1, "b": 1}, dns.lookups, "addresses are not looked up")
		dns.set("a", "10.0.1.1")
		require.ElementsMatch(t, []string{"10.0.1.1:1", "[fd00::2]:2", "10.0.0.9:3", "[::1]:4"}, round(t, d, 4), "who moves is found")
		require.Equal(t, map[string]int{"a": 2, "b": 2}, dns.lookups)
	})
}

func TestDialerForgetsRoundAfterConnecting(t *testing.T) {
	d, dns := testDialer(t, "a:1,b:2", map[string][]string{"a": {"10.0.0.1"}, "b": {"10.0.0.2"}})
	round(t, d, 1)
	d.connected()
	dns.set("a", "10.0.1.1")
	dns.set("b", "10.0.1.2")
	require.ElementsMatch(t, []string{"10.0.1.1:1", "10.0.1.2:2"}, round(t, d, 2), "what was resolved before is not used any more")
}

func TestDialerTriesServerUsedLastAtTheEnd(t *testing.T) {
	d, _ := testDialer(t, "a:1,b:1,c:1", map[string][]string{"a": {"10.0.0.1", "10.0.0.11"}, "b": {"10.0.0.2"}, "c": {"10.0.0.3"}})
	first := map[string]int{}
	for i := range 300 {
		d.current = d.servers[i%3]
		targets, err := d.addresses(t.Context())
		require.NoError(t, err)
		require.Len(t, targets, 4)
		first[targets[0].addr]++
		require.Equal(t, d.current, targets[3].server)
		if d.current.host == "a" {
			require.Equal(t, d.current, targets[2].server)
		}
	}
	require.Len(t, first, 4, "every server comes first at times: %v", first)
}

func TestDialerSkipsUnresolvable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dns := testDialer(t, "gone:1,b:2", map[string][]string{"b": {"10.0.0.2"}})
		require.Equal(t, []string{"10.0.0.2:2"}, round(t, d, 1))
		require.ErrorContains(t, d.report(), "gone:1: lookup gone: no such host; b:2: no answer yet")
		dns.set("gone", "10.0.0.7")
		require.ElementsMatch(t, []string{"10.0.0.7:1", "10.0.0.2:2"}, round(t, d, 2), "it is looked up again")
	})
}

func TestDialerNothingResolves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dns := testDialer(t, "x:1,y:2", nil)
		start := time.Now()
		for range 20 {
			_, err := d.dial(t.Context())
			require.ErrorIs(t, err, errNoAddress)
			d.rejected(err)
		}
		require.ErrorContains(t, d.report(), "x:1: lookup x: no such host; y:2: lookup y: no such host")
		require.Greater(t, time.Since(start), 5*time.Second, "no hot loop of lookups")
		require.Equal(t, map[string]int{"x": 20, "y": 20}, dns.lookups)
	})
}

// Between rounds it pauses, longer and longer and never twice the same; within a
// round it goes on at once.
func TestDialerPausesBetweenRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := testDialer(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1", nil)
		most := min(max(d.set.sessionTimeout/8, 250*time.Millisecond), maxPause)
		var pauses []time.Duration
		for range 12 {
			start := time.Now()
			round(t, d, 1)
			pauses = append(pauses, time.Since(start))
			start = time.Now()
			round(t, d, 2)
			require.Zero(t, time.Since(start), "within a round there is no pause")
		}
		require.Zero(t, pauses[0], "nor before the first")
		center := firstPause
		distinct := map[time.Duration]bool{}
		for i, p := range pauses[1:] {
			require.GreaterOrEqual(t, p, center/2, "pause %d", i)
			require.LessOrEqual(t, p, center*3/2, "pause %d", i)
			center = min(2*center, most)
			distinct[p] = true
		}
		require.Len(t, distinct, len(pauses)-1, "they are jittered")
	})
}

func TestDialerPauseIsClearedByConnectionThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := testDialer(t, "10.0.0.1:1", nil)
		for range 10 {
			round(t, d, 1)
		}
		d.connected()
		d.ended(time.Minute)
		start := time.Now()
		round(t, d, 1)
		require.Zero(t, time.Since(start), "the server is asked at once")
		start = time.Now()
		round(t, d, 1)
		require.LessOrEqual(t, time.Since(start), firstPause*3/2, "and the pauses are short again")
	})
}

// TestB6_DialsOfServersThatDropSessions: servers that accept the session and then
// close the connection, because they are overloaded or do not like the client, are
// not asked a thousand times a second.
func TestB6_DialsOfServersThatDropSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := testDialer(t, "10.0.0.1:1,10.0.0.2:1,10.0.0.3:1", nil)
		start, dials := time.Now(), 0
		for time.Since(start) < time.Minute {
			round(t, d, 1)
			dials++
			d.connected()
			d.ended(time.Millisecond)
		}
		require.Less(t, dials, 120)
		require.Greater(t, dials, 30, "and it does not give up")
	})
}

func TestDialerEndsWithItsContext(t *testing.T) {
	reason := errors.New("closing")
	stop := func() (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, func() { cancel(reason) }
	}
	t.Run("before", func(t *testing.T) {
		d, dns := testDialer(t, "a:1", map[string][]string{"a": {"10.0.0.1"}})
		ctx, cancel := stop()
		cancel()
		_, err := d.dial(ctx)
		require.ErrorIs(t, err, reason)
		require.Empty(t, dns.lookups)
	})
	t.Run("in a pause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d, _ := testDialer(t, "10.0.0.1:1", nil)
			round(t, d, 1)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Millisecond, func() { cancel(reason) })
			start := time.Now()
			_, err := d.dial(ctx)
			require.ErrorIs(t, err, reason)
			require.Equal(t, time.Millisecond, time.Since(start))
		})
	})
	t.Run("in a lookup", func(t *testing.T) {
		d, _ := testDialer(t, "a:1", nil)
		ctx, cancel := stop()
		d.resolve = func(ctx context.Context, _ string) ([]string, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		_, err := d.dial(ctx)
		require.ErrorIs(t, err, reason)
	})
	t.Run("in a dial", func(t *testing.T) {
		d, _ := testDialer(t, "10.0.0.1:1", nil)
		ctx, cancel := stop()
		d.set.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		_, err := d.dial(ctx)
		require.ErrorIs(t, err, reason)
	})
}

// A server that does not answer at all must leave time to try the others while the
// session can be saved: a third of its timeout is left when a silent server is noticed.
func TestDialerBoundsEachAttempt(t *testing.T) {
	hung := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, tc := range []struct {
		list    string
		session time.Duration
		dial    time.Duration
		want    time.Duration
	}{
		{"10.0.0.1", 9 * time.Second, 0, 3 * time.Second},
		{"10.0.0.1,10.0.0.2,10.0.0.3", 9 * time.Second, 0, time.Second},
		{"10.0.0.1,10.0.0.2,10.0.0.3", time.Second, 0, 250 * time.Millisecond},
		{"10.0.0.1,10.0.0.2,10.0.0.3", time.Second, 7 * time.Second, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, _ := testDialer(t, tc.list, nil)
			d.set.dial, d.set.sessionTimeout, d.set.dialTimeout = hung, tc.session, tc.dial
			start := time.Now()
			_, err := d.dial(t.Context())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, fmt.Sprintf("no connection within %v", tc.want))
			require.Equal(t, tc.want, time.Since(start))
		})
	}
}

// A name server that does not answer must not use up the session either.
func TestDialerBoundsEachLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := testDialer(t, "a:1,10.0.0.2:1", nil)
		d.resolve = func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		start := time.Now()
		require.Equal(t, []string{"10.0.0.2:1"}, round(t, d, 1))
		require.Equal(t, d.attempt(), time.Since(start))
	})
}

func TestDialerHandshakeTimes(t *testing.T) {
	d, _ := testDialer(t, "a,b,c", nil)
	d.set.sessionTimeout = 7 * time.Second
	require.Equal(t, time.Second, d.handshake(true), "with a session at stake all servers can be tried within it")
	require.Equal(t, 7*time.Second/3, d.handshake(false), "a new session needs a commit")
	d.set.sessionTimeout = time.Second
	require.Equal(t, 250*time.Millisecond, d.handshake(true))
	require.Equal(t, time.Second, d.handshake(false))
}

func TestDialerReport(t *testing.T) {
	d, _ := testDialer(t, "10.0.0.1:1,10.0.0.2:2", nil)
	require.EqualError(t, d.report(), "10.0.0.1:1: no answer yet; 10.0.0.2:2: no answer yet")
	round(t, d, 1)
	d.rejected(errRefused)
	require.ErrorContains(t, d.report(), d.current.String()+": connection refused")
	d.connected()
	require.NotContains(t, d.report().Error(), "refused", "what is past is not reported")
}
