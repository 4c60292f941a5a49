package faultproxy

import (
	"io"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A fault hits once, however many connections send what it looks for.
func TestDecidedOnce(t *testing.T) {
	const clients, calls = 8, 25
	s := startServer(t)
	p := Start(t, s.addr())
	var misordered atomic.Int64
	p.DropRequest(func(r Request) bool {
		runtime.Gosched() // whoever could be logged now would be
		if log := p.Requests(); !reflect.DeepEqual(log[len(log)-1], r) {
			misordered.Add(1)
		}
		return false
	})
	first := p.DropRequest(Op(OpCreate))
	hundredth := p.SwallowReply(Nth(100, Op(OpCreate)), ThenNothing)
	var wg sync.WaitGroup
	replies := make([]int, clients)
	all := make([]*client, clients)
	for i := range all {
		all[i] = connect(t, p)
	}
	for i, c := range all {
		wg.Go(func() {
			for xid := range int32(calls) {
				_, _ = c.conn.Write(frame(xid, OpCreate, "/a"))
			}
			_ = c.conn.CloseWrite()
			for {
				if _, err := c.read(); err != nil {
					return
				}
				replies[i]++
			}
		})
	}
	s.receives(clients*calls - 1)
	for range clients {
		one := s.session()
		require.ErrorIs(t, one.ended(t), io.EOF)
		require.NoError(t, one.conn.CloseWrite())
	}
	wg.Wait()
	total := 0
	for _, n := range replies {
		total += n
	}
	require.Equal(t, clients*calls-2, total)
	require.Zero(t, misordered.Load(), "a request is matched before the next one is logged")
	_, err := first.Wait(wait(t))
	require.NoError(t, err)
	hit, err := hundredth.Wait(wait(t))
	require.NoError(t, err)
	created := 0
	for _, r := range p.Requests() {
		if r.Op == OpCreate {
			if created++; created == 100 {
				require.Equal(t, r, hit, "the order of matching is the order of the log")
			}
		}
	}
}

// Everything at once: the race detector and the leak check are the judges.
func TestChaos(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	var workers, breakers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					chat(p)
				}
			}
		})
	}
	for _, act := range []func(){
		p.Cut, p.Reset, p.Heal,
		func() { p.BlackHole(ToServer); p.BlackHole(ToClient); p.Heal() },
		func() { p.Hold(Both); p.Release(ToServer); p.Heal() },
		func() { p.Delay(Both, 1); p.Heal() },
		func() { p.Refuse(); _ = p.Accept() },
		func() { p.DropRequest(Op(OpCreate), ThenCut); p.SwallowReply(Op(OpCreate)) },
		func() { f := p.HoldRequest(Op(OpCreate)); g := p.HoldReply(nil); f.Release(); g.Release() },
		func() { _, _, _ = p.Connections(), p.Requests(), p.Replies() },
	} {
		breakers.Go(func() {
			for range 100 {
				act()
			}
		})
	}
	breakers.Wait()
	close(stop)
	require.NoError(t, p.Close())
	workers.Wait()
}
