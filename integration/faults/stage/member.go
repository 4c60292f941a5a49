package stage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/faults/worker"
)

// Member is a place for a worker process, with its own line to each server.
type Member struct {
	Index int
	// Lines are in the order of the servers.
	Lines []*faultproxy.Proxy

	stage  *Stage
	config worker.Config

	mu      sync.Mutex
	process *Process
	number  int      // of the process, from 1
	past    []string // failures of former processes
	counts  worker.Counts
}

func newMember(st *Stage, index int) (*Member, error) {
	m := &Member{Index: index, stage: st}
	for _, s := range st.Ensemble.Servers() {
		p, err := faultproxy.New(s.Addr(), faultproxy.Unlogged())
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.Lines = append(m.Lines, p)
	}
	return m, nil
}

func (m *Member) close() error {
	var errs []error
	if p := m.Process(); p != nil {
		errs = append(errs, p.Kill())
	}
	for _, l := range m.Lines {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// String names the member for people.
func (m *Member) String() string { return fmt.Sprintf("member %d", m.Index) }

// Process is the current process; nil before the first.
func (m *Member) Process() *Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process
}

// Begin sets what the member's processes do, and starts the first.
func (m *Member) Begin(config worker.Config, dir string) error {
	var addrs []string
	for _, l := range m.Lines {
		addrs = append(addrs, l.Addr())
	}
	config.Member, config.Members = m.Index, len(m.stage.Members)
	config.Servers = strings.Join(addrs, ",")
	config.Session = m.stage.Session
	config.Dir = dir
	m.mu.Lock()
	m.config, m.number, m.past, m.process, m.counts = config, 0, nil, nil, worker.Counts{}
	m.mu.Unlock()
	return m.Replace()
}

// Replace starts a process in the place of the last one, which has been killed.
func (m *Member) Replace() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		m.past = append(m.past, m.process.Failures()...)
		m.counts.Add(m.process.Status().Counts)
		m.process = nil
	}
	m.number++
	config := m.config
	config.Process = fmt.Sprintf("p%d.%d", m.Index, m.number)
	config.Seed += uint64(m.Index)<<32 + uint64(m.number)
	p, err := start(m.stage.tether, m.stage.Worker, config)
	if err != nil {
		return err
	}
	m.process = p
	return nil
}

// Failures are what workloads of all the member's processes ended with.
func (m *Member) Failures() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := append([]string(nil), m.past...)
	if m.process != nil {
		out = append(out, m.process.Failures()...)
	}
	return out
}

// Counts are those of all the member's processes, as far as they could tell.
func (m *Member) Counts() worker.Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.counts
	if m.process != nil {
		c.Add(m.process.Status().Counts)
	}
	return c
}

// Current are the numbers of the lines over which there are connections now.
func (m *Member) Current() []int {
	var out []int
	for i, l := range m.Lines {
		if l.Connections() > 0 {
			out = append(out, i)
		}
	}
	return out
}

// Heal makes all lines whole again.
func (m *Member) Heal(context.Context) error {
	var errs []error
	for _, l := range m.Lines {
		l.Heal()
		errs = append(errs, l.Accept())
	}
	return errors.Join(errs...)
}

// Started is how many processes there have been.
func (m *Member) Started() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.number
}
