package sim

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/resource"
	"github.com/zookit/zookit/integration/faults/workload"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/zktest"
)

// runPath is the node below which a run works.
const runPath = "/run"

// Config is what a simulation is to do.
type Config struct {
	Seed     uint64
	Workload *workload.Workload
	// Duration is the simulated time during which faults are done. A calm follows, in which work has to go on.
	Duration time.Duration
	// Kinds are the faults to choose from; nil is all, and none is none.
	Kinds []Kind
	// Clients is how many there are; 0 is as the seed has it.
	Clients int
	// Options are for all clients, in addition.
	Options []client.Option
}

// Result is what came of a run.
type Result struct {
	Setting    *Setting
	History    *history.History
	Violations []models.Violation
	Counts
}

// Counts are sums over a run, or over many.
type Counts struct {
	Runs         int
	Simulated    time.Duration
	Operations   int
	Unknown      int // of them, those of which nobody knows what became of them
	Grants       int
	SessionsLost int
	Requests     int
	Faults       map[Kind]int
}

// Add adds the counts of another run.
func (c *Counts) Add(o Counts) {
	c.Runs += o.Runs
	c.Simulated += o.Simulated
	c.Operations += o.Operations
	c.Unknown += o.Unknown
	c.Grants += o.Grants
	c.SessionsLost += o.SessionsLost
	c.Requests += o.Requests
	if c.Faults == nil {
		c.Faults = map[Kind]int{}
	}
	for k, n := range o.Faults {
		c.Faults[k] += n
	}
}

// run is one run of a schedule. It lives in a bubble of testing/synctest.
type run struct {
	cfg      Config
	setting  *Setting
	server   *zktest.Server
	doors    []*zktest.Door
	resource resource.Resource
	began    time.Time
	nemesis  *history.Recorder
	ctx      context.Context // of all workloads
	faulty   context.Context // ends with the time for faults
	cancels  []lasting
	procs    sync.WaitGroup
	calmed   atomic.Bool // the time for faults is over

	mu         sync.Mutex
	out        syncBuffer
	born       int
	current    []*process // by index
	all        []*process
	counts     Counts
	violations []models.Violation
}

// syncBuffer is a buffer for several writers.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (r *run) clock() int64 { return int64(time.Since(r.began)) }

func (r *run) fail(rule, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, models.Violation{Rule: rule, Text: text})
}

func (r *run) count(s client.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.SessionsLost += int(s.SessionsLost)
	r.counts.Requests += int(s.Requests)
}

// Run runs one schedule in a bubble of its own, and returns what came of it.
func Run(t *testing.T, cfg Config) *Result {
	t.Helper()
	var res *Result
	synctest.Test(t, func(t *testing.T) { res = newRun(t, cfg).play(t) })
	res.Violations = append(res.Violations, cfg.Workload.Check(res.History)...)
	return res
}

func newRun(t *testing.T, cfg Config) *run {
	t.Helper()
	r := &run{cfg: cfg, setting: plan(cfg), began: time.Now()}
	r.counts = Counts{Runs: 1, Faults: map[Kind]int{}}
	r.server = zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithServers(r.setting.Servers), zktest.WithTick(r.setting.Tick))
	r.doors = r.server.Doors()
	r.nemesis = history.NewRecorder(&r.out, "laboratory", r.clock)
	r.resource = resource.NewMemory(cfg.Workload.Guarded, r.nemesis)
	return r
}

// calm is how long work has to go on without faults at the end.
func (r *run) calm() time.Duration { return 6*r.setting.Session + 40*r.setting.Pace }

// patience is how long the end of a workload may take, in the worst case with a session to be waited for.
const patience = 5 * time.Minute

func (r *run) play(t *testing.T) *Result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.ctx = ctx
	if err := r.server.Create(runPath, nil); err != nil {
		t.Fatal(err)
	}
	r.setup(t)
	for i := range r.setting.Clients {
		r.current = append(r.current, r.start(i))
	}
	r.disturb(ctx)
	r.calmed.Store(true)
	healed := r.clock()
	sleep(nil, r.calm())
	end := r.clock()
	cancel()
	if !waitFor(&r.procs, patience) {
		r.fail("a workload ends when it is told to", fmt.Sprintf("it has not, after %v:\n%s", patience, strings.Join(testmain.Stacks(), "\n\n")))
		r.mu.Lock()
		for _, p := range r.all {
			p.abandon() // which ends it
		}
		r.mu.Unlock()
		r.procs.Wait()
	}
	r.leftovers()
	res := &Result{Setting: r.setting}
	events, err := history.Read(&r.out.buf)
	if err != nil {
		t.Fatal(err)
	}
	res.History = history.Merge(events)
	r.progress(res.History, healed, end)
	res.Violations = r.violations
	r.counts.Simulated = time.Since(r.began)
	for _, o := range res.History.Operations() {
		r.counts.Operations++
		if o.Outcome == history.Unknown {
			r.counts.Unknown++
		}
		if o.Name == models.Acquire && o.Outcome == history.OK {
			r.counts.Grants++
		}
	}
	res.Counts = r.counts
	return res
}

// setup lets the workload make what it needs.
func (r *run) setup(t *testing.T) {
	t.Helper()
	if r.cfg.Workload.Setup == nil {
		return
	}
	cl, err := client.Connect(t.Context(), r.server.Addr(), client.WithDialer(r.server.Dial))
	if err == nil {
		err = r.cfg.Workload.Setup(t.Context(), cl, runPath)
		_ = cl.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func waitFor(wg *sync.WaitGroup, d time.Duration) bool {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

// progress checks that each client got on when the faults were over.
func (r *run) progress(h *history.History, from, to int64) {
	done := map[string]bool{}
	for _, o := range h.Operations() {
		if o.Ended != history.Never && o.Ended >= from && o.Ended < to {
			done[o.Process] = true
		}
	}
	for _, p := range r.current {
		if !done[p.name] {
			r.fail("work goes on when the faults are over", fmt.Sprintf("%s ended no operation from %v to %v", p.name, time.Duration(from), time.Duration(to)))
		}
	}
}
