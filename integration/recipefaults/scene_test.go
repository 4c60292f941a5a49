package recipefaults

import (
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// patience is how long a scene may take on a machine with much to do.
const patience = 2 * time.Minute

// site is servers, and a client that no fault concerns.
type site struct {
	e       *ensemble.Ensemble
	other   *client.Client
	watches watchList
}

func newSite(t *testing.T, servers int) *site {
	t.Helper()
	e := ensemble.Start(t, servers, ensemble.WithSyncLimit(20)) // on a busy machine they are slow
	return &site{e: e, other: trial.Connect(t, e.Connect(), client.WithSessionTimeout(40*time.Second))}
}

// course is one participant's way through a recipe, step by step.
type course struct {
	name string
	play func(*scene)

	phases []phase // found by a rehearsal
}

// scene is a course with a fault in one of its phases.
type scene struct {
	*site
	audit

	t     *testing.T
	ctx   context.Context //nolint:containedctx // the scene's own
	dir   string
	wire  *wire
	cl    *client.Client // whom the fault concerns
	fault fault
	phase phase

	sync.Mutex
	order []string // in which others have led

	struck   bool
	rehearse *course // if not nil nothing is broken, and the phases are noted
}

// missed counts the scenes in which a request was not sent that had been in the rehearsal: some
// depend on who is quicker.
var missed atomic.Int64

// perform plays a course.
func (c *course) perform(t *testing.T, at *site, f fault, ph phase, rehearsal bool) {
	t.Helper()
	name := t.Name()
	pprof.Do(trial.Within(t, patience), pprof.Labels(label, name), func(ctx context.Context) {
		s := &scene{site: at, t: t, ctx: ctx, dir: "/" + trial.Sanitize(name) + "/dir", wire: newWire(t, at.e), fault: f, phase: ph}
		if rehearsal {
			s.rehearse = c
		}
		trial.MakeDirectory(t, ctx, at.other, s.dir)
		s.cl = s.wire.connect(t, f.timeout)
		require.NoError(t, s.cl.Sync(ctx, s.dir)) // its server knows the directory, too
		c.play(s)
		require.Empty(t, s.complaints())
		require.True(t, s.struck || rehearsal, "nothing has been broken")
		if s.fault.lost {
			require.Greater(t, s.cl.State().Epoch, uint64(1), "another session")
		} else {
			require.Equal(t, uint64(1), s.cl.State().Epoch, "still the first session")
		}
		s.requireClean(name)
	})
}

// requireClean waits until nothing is left of the scene.
func (s *scene) requireClean(name string) {
	s.t.Helper()
	require.EventuallyWithT(s.t, func(t *assert.CollectT) {
		assert.NoError(t, s.other.Sync(s.ctx, s.dir))
		tree, err := treeUnder(s.ctx, s.other, s.dir)
		assert.NoError(t, err)
		assert.Empty(t, tree, "nodes below %s", s.dir)
		if assert.Empty(t, s.watchesUnder(s.ctx, s.dir), "watches") { // to ask for goroutines stops the world
			assert.Empty(t, goroutinesOf(name), "goroutines")
		}
	}, time.Minute, 50*time.Millisecond)
}

// lostIn tells whether the session is lost in the step.
func (s *scene) lostIn(step string) bool { return s.fault.lost && s.phase.step == step }

// call runs a step of the client, in which each request is a phase.
func (s *scene) call(step string, fn func() error) error {
	s.t.Helper()
	from := len(s.wire.requests())
	if s.rehearse != nil {
		err := fn()
		seen := map[int32]int{}
		for _, r := range s.wire.requests()[from:] {
			seen[r.Op]++
			op := faultproxy.OpName(r.Op)
			s.note(phase{step: step, op: r.Op, nth: seen[r.Op], name: fmt.Sprintf("%s, %s %d", step, op, seen[r.Op])})
		}
		return err
	}
	if s.phase.step != step {
		return fn()
	}
	match := func(r faultproxy.Request) bool { return counts(r) && r.Op == s.phase.op }
	arm := s.wire.hold
	if s.fault.reply {
		arm = s.wire.swallow
	}
	h := arm(s.ctx, s.phase.nth, match)
	defer h.release()
	done := s.begin(fn)
	select {
	case <-h.fired:
	case err := <-done:
		missed.Add(1)
		s.t.Logf("it has ended without the request that was to be hit: %+v: %v", s.phase, s.wire.requests()[from:])
		s.struck, s.fault = true, fault{}
		return err
	case <-s.ctx.Done():
		require.FailNow(s.t, "neither the request nor the end of the call came", "%+v", s.phase)
	}
	s.strike(h)
	return s.end(step, done)
}

// rest is a step in which nothing is under way but, unless it is mute, confirmations of
// what is held.
func (s *scene) rest(step string, mute bool) {
	s.t.Helper()
	s.note(phase{step: step, name: step, mute: mute})
	if s.phase.step != step {
		return
	}
	var h *hit
	if s.fault.reply {
		h = s.wire.swallow(s.ctx, 1, confirms)
		s.await(h.fired, "the confirmation")
	}
	s.strike(h)
}

// wait runs a step of the client in which it waits, in front of a watch, until free lets it go on.
func (s *scene) wait(step string, fn func() error, free func()) error {
	s.t.Helper()
	done := s.begin(fn)
	s.awaitWatch(s.cl)
	s.note(phase{step: step, name: step})
	switch {
	case s.phase.step != step:
		free()
	case s.fault.reply:
		h := s.wire.swallow(s.ctx, 1, func(r faultproxy.Request) bool { return r.Op == faultproxy.OpNotification })
		free()
		s.await(h.fired, "the event")
		s.strike(h)
	default:
		s.strike(nil)
		free()
	}
	return s.end(step, done)
}

func (s *scene) note(ph phase) {
	if s.rehearse != nil {
		s.rehearse.phases = append(s.rehearse.phases, ph)
	}
}

func (s *scene) strike(h *hit) {
	s.struck = true
	if s.fault.strike != nil {
		s.fault.strike(s)
	}
	if h != nil {
		h.release()
	}
}

func (s *scene) begin(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

func (s *scene) end(step string, done <-chan error) error {
	s.t.Helper()
	select {
	case err := <-done:
		return err
	case <-s.ctx.Done():
		require.FailNow(s.t, "a step does not end", "%s; below %s: %v; goroutines: %v",
			step, s.dir, s.watchesUnder(context.WithoutCancel(s.ctx), s.dir), goroutinesOf(s.t.Name()))
		return nil
	}
}

func (s *scene) await(c <-chan struct{}, what string) {
	s.t.Helper()
	select {
	case <-c:
	case <-s.ctx.Done():
		require.FailNow(s.t, what+" does not come")
	}
}

// awaitWatch waits until a client watches something of the scene, in whichever session.
func (s *scene) awaitWatch(cl *client.Client) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		want := fmt.Sprintf(" %#x", uint64(cl.State().SessionID))
		for _, w := range s.watchesUnder(s.ctx, s.dir) {
			if strings.HasSuffix(w, want) {
				return true
			}
		}
		return false
	}, time.Minute, 20*time.Millisecond, "it does not wait")
}

// awaitOther waits until the client that no fault concerns watches something.
func (s *scene) awaitOther() {
	s.t.Helper()
	s.awaitWatch(s.other)
}
