package sim

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/workload"
)

// process is a client "process": a client, its network, its part of the history.
type process struct {
	run    *run
	name   string
	index  int
	link   *link
	out    gate
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of it is left

	mu      sync.Mutex
	clients []*client.Client
	killed  bool
}

// gate is a writer that takes nothing any more once it is shut: what a process writes that is dead.
type gate struct {
	mu   sync.Mutex
	w    io.Writer
	shut bool
}

// Write implements io.Writer.
func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return len(p), nil
	}
	return g.w.Write(p)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// start starts the process of an index.
func (r *run) start(index int) *process {
	r.mu.Lock()
	r.born++
	n := r.born
	r.mu.Unlock()
	p := &process{run: r, name: fmt.Sprintf("p%d", n), index: index, out: gate{w: &r.out}, done: make(chan struct{})}
	seeded := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(r.setting.Seed, uint64(n)<<8|stream)) }
	p.link = newLink(r.server.Dial, seeded(2))
	ctx, cancel := context.WithCancel(r.ctx)
	p.cancel = cancel
	r.mu.Lock()
	r.all = append(r.all, p)
	r.mu.Unlock()
	record := history.NewRecorder(&p.out, p.name, r.clock)
	r.procs.Go(func() {
		defer close(p.done)
		defer cancel()
		p.work(ctx, record, seeded(3))
		p.close()
		p.link.wait()
	})
	return p
}

// work connects and runs the workload.
func (p *process) work(ctx context.Context, record *history.Recorder, random *rand.Rand) {
	cl, err := p.dial(ctx)
	for ; err != nil; cl, err = p.dial(ctx) {
		if ctx.Err() != nil {
			return
		}
	}
	name := fmt.Sprintf("c%s", p.name[1:])
	err = p.run.cfg.Workload.Run(ctx, &workload.Env{
		Client: cl, Dial: p.dial, Name: name, Index: p.index, Clients: p.run.setting.Clients, Rand: random,
		Record: record.Client(name), Path: runPath, Pace: p.run.setting.Pace, Session: p.run.setting.Session, Exact: true, Resource: p.run.resource,
		Calm: p.run.calmed.Load,
	})
	if err != nil && !p.dead() {
		p.run.fail("no fault ends a workload", fmt.Sprintf("%s: %v", p.name, err))
	}
}

func (p *process) dial(ctx context.Context, opts ...client.Option) (*client.Client, error) {
	s := p.run.setting
	var servers []string
	for _, d := range s.Doors[p.index] {
		servers = append(servers, p.run.doors[d].Addr())
	}
	all := []client.Option{client.WithDialer(p.link.Dial), client.WithSessionTimeout(s.Session)}
	if s.ReadOnly[p.index] {
		all = append(all, client.WithReadOnly())
	}
	all = append(all, p.run.cfg.Options...)
	cl, err := client.Connect(ctx, strings.Join(servers, ","), append(all, opts...)...)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients = append(p.clients, cl)
	return cl, nil
}

func (p *process) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// close closes its clients and counts what they did.
func (p *process) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cl := range p.clients {
		_ = cl.Close()
		p.run.count(cl.Stats())
	}
}

// abandon closes the clients under a workload that does not end.
func (p *process) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cl := range p.clients {
		_ = cl.Close()
	}
}

// kill ends the process without a word: its connections are reset, its sessions stay, and what it
// does from now on, as it cannot be stopped, reaches nobody.
func (p *process) kill() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	p.out.close()
	p.link.kill()
	p.cancel()
}
