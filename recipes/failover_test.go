package recipes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// The tests of this file are about an ensemble of three, in the time of a bubble. Their
// session lasts for a second, so that its grants are confirmed every fifth of one.
const lifetime = time.Second

// ensemble is three servers, a client of all of them, and a line.
type ensemble struct {
	*stage
	t *testing.T
}

func newEnsemble(t *testing.T) *ensemble {
	srv := zktest.Start(t, inMemory, zktest.WithServers(3), zktest.WithTick(50*time.Millisecond))
	cl, err := client.Connect(t.Context(), srv.ConnectString(), client.WithDialer(srv.Dial), client.WithSessionTimeout(lifetime))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	return &ensemble{stage: &stage{srv: srv, cl: cl, session: s.ID(), line: newLine(t, cl, recipes.LineConfig{})}, t: t}
}

// door is the server that the client is connected to.
func (e *ensemble) door() *zktest.Door {
	for _, d := range e.srv.Doors() {
		if d.Addr() == e.cl.State().Server {
			return d
		}
	}
	require.FailNow(e.t, "the client is at no door")
	return nil
}

// The server that the client is connected to dies at each request of an Acquire, before
// it has executed it or before it has answered. Another one takes the session over, and
// it is granted, with one node.
func TestServerDiesAtEachRequest(t *testing.T) {
	for _, sc := range scenes {
		for _, executed := range []bool{false, true} {
			n := 0
			for reached := true; reached; n++ {
				t.Run(fmt.Sprintf("%s, request %d, executed %v", sc.name, n+1, executed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { reached = serverDies(t, &sc, n, executed) })
				})
			}
			require.Greater(t, n, 2)
		}
	}
}

// serverDies reports whether there was an n-th request, from 0.
func serverDies(t *testing.T, sc *scene, n int, executed bool) bool {
	e := newEnsemble(t)
	free := sc.prepare(t, e.srv)
	door := e.door()
	at := e.of(n)
	var reached func() bool
	if executed {
		h := e.srv.HoldReply(at)
		go func() {
			select {
			case <-h.Fired():
				door.Kill()
			case <-t.Context().Done():
			}
		}()
		reached = func() bool { return !h.Cancel() }
	} else {
		var died atomic.Bool
		e.srv.OnRequest(func(r zktest.Request) {
			if r.Session == e.session && r.Op != zktest.OpPing && r.Op != zktest.OpConnect && at.Where(r) && died.CompareAndSwap(false, true) {
				door.Kill()
			}
		})
		reached = died.Load
	}
	got := sc.acquire(t.Context(), e.stage)
	time.Sleep(lifetime / 4) // the bubble's time: granted, or waiting
	free()
	o := wait(t, "the grant", got)
	came := reached()
	require.NoError(t, o.err)
	require.Equal(t, e.session, o.grant.Session().ID())
	require.Equal(t, []string{base(o.grant.Path())}, nodes(e.srv))
	release(t, o.grant)
	requireClean(t, e.srv, 0)
	return came
}

// What a grant survives: ten times the session's life later it is still held, in the
// same session.
func TestGrantGoesOn(t *testing.T) {
	confirms := zktest.Match{Ops: []zktest.Op{zktest.OpMulti}}
	for name, fault := range map[string]func(e *ensemble) *zktest.Fault{
		"request of a confirmation dropped": func(e *ensemble) *zktest.Fault { return e.srv.DropRequest(confirms) },
		"reply to a confirmation swallowed": func(e *ensemble) *zktest.Fault { return e.srv.SwallowReply(confirms) },
		"confirmation not answered":         func(e *ensemble) *zktest.Fault { return e.srv.HoldReply(confirms).Fault },
		"connection lost": func(e *ensemble) *zktest.Fault {
			e.srv.DropConnections()
			return nil
		},
		"server dies": func(e *ensemble) *zktest.Fault {
			e.door().Kill()
			return nil
		},
		"server stands still": func(e *ensemble) *zktest.Fault {
			e.door().Freeze()
			return nil
		},
		"server is cut off from its quorum": func(e *ensemble) *zktest.Fault {
			e.door().SetReadOnly(true)
			return nil
		},
		"server lags behind, and then dies": func(e *ensemble) *zktest.Fault {
			e.door().Lag()
			time.Sleep(lifetime)
			e.door().Kill()
			return nil
		},
		"servers out of reach for a moment": func(e *ensemble) *zktest.Fault {
			e.srv.Refuse()
			e.srv.DropConnections()
			time.Sleep(lifetime / 4)
			e.srv.Accept()
			return nil
		},
		"one server after another is killed": func(e *ensemble) *zktest.Fault {
			e.door().Kill()
			time.Sleep(lifetime)
			e.door().Kill()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnsemble(t)
				g := acquire(t, e.line)
				f := fault(e)
				time.Sleep(10 * lifetime)
				require.False(t, f != nil && f.Cancel(), "it has happened")
				require.NoError(t, g.Err())
				require.NoError(t, g.Context().Err())
				require.True(t, time.Now().Before(g.ValidUntil()))
				require.Equal(t, []string{base(g.Path())}, nodes(e.srv))
				require.EqualValues(t, 1, e.cl.State().Epoch)
				for _, d := range e.srv.Doors() {
					d.Thaw()
				}
				release(t, g)
				requireClean(t, e.srv, 0)
			})
		})
	}
}

// What a grant does not survive: its context ends before anybody else can be granted, and
// when the servers are well again so is the line.
func TestGrantIsLost(t *testing.T) {
	for name, tc := range map[string]struct {
		fault func(e *ensemble)
		cure  func(e *ensemble)
		cause error
	}{
		"session expired": {
			fault: func(e *ensemble) { require.True(e.t, e.srv.ExpireSession(e.session)) },
			cause: client.ErrSessionLost,
		},
		"servers lose their data": {
			fault: func(e *ensemble) { e.srv.Wipe() },
			cause: client.ErrUnconfirmed, // and the session is lost later: no server takes it

		},
		"all servers out of reach": {
			fault: func(e *ensemble) { e.srv.Refuse(); e.srv.DropConnections() },
			cure:  func(e *ensemble) { e.srv.Accept() },
		},
		"all servers stand still": {
			fault: func(e *ensemble) { e.srv.Freeze() },
			cure:  func(e *ensemble) { e.srv.Thaw() },
		},
		"all servers without a quorum": {
			fault: func(e *ensemble) { e.srv.SetReadOnly(true) },
			cure:  func(e *ensemble) { e.srv.SetReadOnly(false) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnsemble(t)
				g := acquire(t, e.line)
				time.Sleep(5 * lifetime)
				tc.fault(e)
				began := time.Now()
				<-g.Context().Done()
				require.LessOrEqual(t, time.Since(began), lifetime)
				require.ErrorIs(t, context.Cause(g.Context()), recipes.ErrGrantLost)
				require.ErrorIs(t, g.Err(), recipes.ErrGrantLost)
				if tc.cause != nil {
					require.ErrorIs(t, g.Err(), tc.cause)
				} else { // nobody has said anything: the node is there when the context ends
					require.Contains(t, nodes(e.srv), base(g.Path()))
				}
				time.Sleep(lifetime)
				if tc.cure != nil {
					tc.cure(e)
				}
				next := acquire(t, e.line)
				if name != "servers lose their data" { // which begin to count anew
					require.Greater(t, next.Token(), g.Token())
				}
				require.NotEqual(t, e.session, next.Session().ID())
				release(t, g)
				require.NoError(t, next.Err(), "the release of what is lost takes nothing from others")
				release(t, next)
				requireClean(t, e.srv, 0)
			})
		})
	}
}

// TryAcquire is overtaken between its look at the line and its node, and the deletion
// of that node is lost, once or many times: it is no grant, and its node goes.
func TestOvertakenAndCleanUpIsLost(t *testing.T) {
	for _, times := range []int{1, 5} {
		for name, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
			"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
		} {
			t.Run(fmt.Sprintf("%s, %d times", name, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const other = dir + "/_c_0123456789abcdef0123456789abcdef-lock-0000000000"
					e := newEnsemble(t)
					require.NoError(t, e.srv.Create(dir, nil))
					require.NoError(t, e.srv.SetNextSequence(dir, 1))
					overtake := sync.OnceFunc(func() { assert.NoError(t, e.srv.Create(other, nil)) })
					e.srv.OnRequest(func(r zktest.Request) {
						if strings.HasPrefix(r.Path, dir+"/") && slices.Contains(zktest.Creates(), r.Op) {
							overtake()
						}
					})
					var lost []*zktest.Fault
					for range times {
						lost = append(lost, lose(e.srv, zktest.On(dir+"/*", zktest.OpDelete)))
					}
					g, err := e.line.TryAcquire(t.Context())
					require.ErrorIs(t, err, recipes.ErrBusy)
					require.Nil(t, g)
					requireClean(t, e.srv, 0, base(other))
					wait(t, "the loss", lost[0].Fired())
					for _, f := range lost {
						f.Cancel()
					}
					require.NoError(t, e.srv.Delete(other))
					next, err := e.line.TryAcquire(t.Context())
					require.NoError(t, err, "nobody is in the way")
					require.Equal(t, e.session, next.Session().ID(), "still the first session")
					release(t, next)
				})
			})
		}
	}
}
