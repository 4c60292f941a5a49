// Package trial holds what tests on real servers have in common.
package trial

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

// Connect opens a client that is closed with the test.
func Connect(t *testing.T, servers string, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), servers, append([]client.Option{client.WithConnectTimeout(30 * time.Second)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// Within bounds what a test waits for.
func Within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Pinned is a dialer that reaches only the address it is pinned to, until it is freed.
type Pinned struct {
	addr atomic.Pointer[string]
}

// PinTo makes a dialer that reaches addr only.
func PinTo(addr string) *Pinned {
	p := &Pinned{}
	p.addr.Store(&addr)
	return p
}

// Free lets the dialer reach every address.
func (p *Pinned) Free() { p.addr.Store(nil) }

// Dial is for client.WithDialer.
func (p *Pinned) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if only := p.addr.Load(); only != nil && *only != address {
		return nil, &net.OpError{Op: "dial", Net: network, Err: context.DeadlineExceeded}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// ServerOf returns the address that a client is connected to.
func ServerOf(cl *client.Client) string { return cl.State().Server }

// MakeDirectory makes a node and its parents.
func MakeDirectory(t *testing.T, ctx context.Context, cl *client.Client, dir string) { //nolint:revive // t first
	t.Helper()
	_, err := cl.Create(ctx, dir, nil, client.WithParents())
	require.NoError(t, err)
}

// Sanitize makes a test's name one element of a path.
func Sanitize(name string) string { return strings.NewReplacer("/", "_", " ", "_").Replace(name) }
