package scenario

import (
	"context"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	os.Exit(m.Run())
}

// connect opens a client that is closed with the test.
func connect(t *testing.T, servers string, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), servers, append([]client.Option{client.WithConnectTimeout(30 * time.Second)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// within bounds what a test waits for.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// pinned is a dialer that reaches only the address it is pinned to, until it is freed.
type pinned struct {
	addr atomic.Pointer[string]
}

func pinTo(addr string) *pinned {
	p := &pinned{}
	p.addr.Store(&addr)
	return p
}

func (p *pinned) free() { p.addr.Store(nil) }

func (p *pinned) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if only := p.addr.Load(); only != nil && *only != address {
		return nil, &net.OpError{Op: "dial", Net: network, Err: context.DeadlineExceeded}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// serverOf returns the address that a client is connected to.
func serverOf(cl *client.Client) string { return cl.State().Server }

// others are the addresses of connect without one.
func others(connect, without string) string {
	var out []string
	for a := range strings.SplitSeq(connect, ",") {
		if a != without {
			out = append(out, a)
		}
	}
	return strings.Join(out, ",")
}
