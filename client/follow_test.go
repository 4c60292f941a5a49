package client_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

const moved = "server.1=10.0.0.7:1:2:participant;0.0.0.0:2181\nserver.2=10.0.0.8:1:2:observer;10.1.0.8:2182\nversion=5"

// A client that follows the configuration dials the servers in it, and those that it was
// started with when none of them can be had.
func TestEnsembleTracking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		reg := register(p, "server.1=10.0.0.1:1:2:participant;2181\nversion=0", nil)
		var mu sync.Mutex
		var dialled []string
		down := map[string]bool{}
		p.set(func(p *pipes) {
			p.dial = func(_ context.Context, addr string) error {
				mu.Lock()
				defer mu.Unlock()
				dialled = append(dialled, addr)
				if down[addr] {
					return errors.New("connection refused")
				}
				return nil
			}
		})
		cl := p.connect(t, "10.0.0.1:2181/app", client.WithEnsembleTracking(), client.WithSessionTimeout(time.Minute))
		synctest.Wait()
		require.Equal(t, []string{"10.0.0.1:2181"}, cl.Servers())
		require.Len(t, p.seen(jute.OpGetData), 1)

		reg.set(moved)
		p.event(jute.EventNodeDataChanged, "/zookeeper/config")
		synctest.Wait()
		require.Equal(t, []string{"10.0.0.7:2181", "10.1.0.8:2182", "10.0.0.1:2181"}, cl.Servers())
		require.Len(t, p.seen(jute.OpGetData), 2)

		take := func() []string {
			mu.Lock()
			defer mu.Unlock()
			out := dialled
			dialled = nil
			return out
		}
		take()
		p.cut()
		time.Sleep(time.Minute / 2)
		require.Subset(t, []string{"10.0.0.7:2181", "10.1.0.8:2182"}, take(), "the new ones first")
		require.Equal(t, client.Connected, cl.State().State)
		require.Len(t, p.seen(jute.OpGetData), 3, "read again after the reconnect")

		mu.Lock()
		down["10.0.0.7:2181"], down["10.1.0.8:2182"] = true, true
		mu.Unlock()
		p.cut()
		time.Sleep(time.Minute / 2)
		got := take()
		require.Equal(t, "10.0.0.1:2181", got[len(got)-1], "in the end the one that was given")
		require.ElementsMatch(t, []string{"10.0.0.7:2181", "10.1.0.8:2182"}, slices.Compact(got[:len(got)-1]))
		require.Equal(t, client.Connected, cl.State().State)
		require.EqualValues(t, 1, cl.State().Epoch)

		// What cannot be used changes nothing.
		for _, bad := range []string{"garbage", "server.1=a:1:2\nversion=6"} {
			reg.set(bad)
			p.event(jute.EventNodeDataChanged, "/zookeeper/config")
			synctest.Wait()
			require.Equal(t, []string{"10.0.0.7:2181", "10.1.0.8:2182", "10.0.0.1:2181"}, cl.Servers())
		}
		// A server that stands alone has no configuration.
		reg.set("")
		p.event(jute.EventNodeDataChanged, "/zookeeper/config")
		synctest.Wait()
		require.Equal(t, []string{"10.0.0.1:2181"}, cl.Servers())
	})
}

// A configuration that cannot be read is asked for again, less and less often.
func TestEnsembleTrackingWithoutConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.set(func(p *pipes) { p.answer = func(frame) reaction { return reaction{code: jute.NoNode} } })
		cl := p.connect(t, "10.0.0.1:2181", client.WithEnsembleTracking())
		time.Sleep(time.Hour)
		require.InDelta(t, 70, len(p.seen(jute.OpGetData)), 20)
		require.Equal(t, []string{"10.0.0.1:2181"}, cl.Servers())
		reg := register(p, moved, nil)
		time.Sleep(2 * time.Minute)
		require.Len(t, cl.Servers(), 3)
		_ = reg
	})
}

// Without the option nothing is asked.
func TestNoEnsembleTracking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		register(p, moved, nil)
		cl := p.connect(t, "10.0.0.1:2181,10.0.0.2")
		time.Sleep(time.Hour)
		require.Empty(t, p.seen(jute.OpGetData))
		require.Equal(t, []string{"10.0.0.1:2181", "10.0.0.2:2181"}, cl.Servers())
	})
}

// Close waits for the goroutine that follows, wherever it stands.
func TestEnsembleTrackingCloses(t *testing.T) {
	for name, answer := range map[string]func(frame) reaction{
		"watching":  nil,
		"asking":    func(frame) reaction { return reaction{ignore: true} },
		"pausing":   func(frame) reaction { return reaction{code: jute.NoAuth} },
		"connected": func(frame) reaction { return reaction{hangUp: true} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
				p := newPipes(t)
				register(p, moved, nil)
				if answer != nil {
					p.set(func(p *pipes) { p.answer = answer })
				}
				cl := p.connect(t, "10.0.0.1:2181", client.WithEnsembleTracking())
				synctest.Wait()
				_ = cl.Close()
			})
		})
	}
}
