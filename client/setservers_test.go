package client_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

// The servers can be replaced: the connection stays, and the next one goes to a new one.
func TestSetServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		var mu sync.Mutex
		var dialled []string
		p.set(func(p *pipes) {
			p.dial = func(_ context.Context, addr string) error {
				mu.Lock()
				defer mu.Unlock()
				dialled = append(dialled, addr)
				return nil
			}
		})
		cl := p.connect(t, "10.0.0.1:2181/app", client.WithSessionTimeout(time.Minute))
		first := session(t, cl)
		require.NoError(t, cl.SetServers("10.0.0.2,10.0.0.3:2182/app"))
		require.Equal(t, []string{"10.0.0.2:2181", "10.0.0.3:2182"}, cl.Servers())
		synctest.Wait()
		require.Equal(t, client.Connected, cl.State().State, "the connection stays")

		p.cut()
		synctest.Wait()
		time.Sleep(time.Minute / 4)
		require.Same(t, first, session(t, cl), "and so does the session")
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, dialled, 2)
		require.Equal(t, "10.0.0.1:2181", dialled[0])
		require.Contains(t, cl.Servers(), dialled[1])
	})
}

// A list that cannot be changes nothing.
func TestSetServersThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:2181/app")
		for list, why := range map[string]string{
			"":                  "names no server",
			"10.0.0.2:x":        "port",
			"10.0.0.2/other":    "chroot",
			"zk://10.0.0.2/app": "no URL",
		} {
			err := cl.SetServers(list)
			require.ErrorIs(t, err, client.ErrBadArgument, list)
			require.ErrorContains(t, err, why)
		}
		require.Equal(t, []string{"10.0.0.1:2181"}, cl.Servers())
	})
}
