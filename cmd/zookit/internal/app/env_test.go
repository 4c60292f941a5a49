package app

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// environment is one with nothing of the machine's, and these variables.
func environment(variables map[string]string) *Env {
	return New(strings.NewReader(""), &strings.Builder{}, &strings.Builder{}, func(name string) string { return variables[name] })
}

// Nobody has said where the ensemble is, and there is none: what to do stands there. Where one was named, it is not that.
func TestNoEnsembleNamed(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var dialed []string
	nobody := client.WithDialer(func(_ context.Context, _, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return nil, errors.New("nobody is there")
	})
	soon := client.WithConnectTimeout(20 * time.Millisecond)
	_, _, err := environment(nil).Connect(t.Context(), nobody, soon)
	require.ErrorContains(t, err, "No ensemble was named, and none is at 127.0.0.1:2181")
	require.ErrorContains(t, err, "start one for trials with: zookit dev")
	require.Equal(t, ExitUnavailable, Code(err))
	require.Contains(t, dialed, DefaultServers)

	_, _, err = environment(map[string]string{"ZOOKIT_SERVERS": "zk1:2181"}).Connect(t.Context(), nobody, soon)
	require.NotContains(t, err.Error(), "zookit dev")
	require.Equal(t, ExitUnavailable, Code(err))
}

// A command of a shell has the shell's client and settings, unless its own flags say otherwise.
func TestInside(t *testing.T) {
	s := zktest.Start(t)
	outer := environment(map[string]string{"ZOOKIT_SERVERS": s.ConnectString(), "ZOOKIT_OUTPUT": "yaml"})
	outer.layout = "kazoo"
	cl, done, err := outer.Connect(t.Context())
	require.NoError(t, err)
	defer done()
	inner, err := outer.Inside(cl)
	require.NoError(t, err)
	require.True(t, inner.Shared())
	same, leave, err := inner.Connect(t.Context())
	require.NoError(t, err)
	leave()
	require.Same(t, cl, same)
	require.Equal(t, client.Connected, cl.State().State, "it is not the command's to close")
	p, err := inner.Printer()
	require.NoError(t, err)
	require.Equal(t, "yaml", p.Format())

	own, err := outer.Inside(cl)
	require.NoError(t, err)
	own.format = "json"
	p, err = own.Printer()
	require.NoError(t, err)
	require.Equal(t, "json", p.Format())
	first, err := outer.Layout()
	require.NoError(t, err)
	second, err := own.Layout()
	require.NoError(t, err)
	require.Equal(t, first, second)
}
