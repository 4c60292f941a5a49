package nemesis

import (
	"context"
	"errors"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
)

var errNoProcess = errors.New("the member has no process")

func processKinds() []*Kind {
	stop := func(lo, hi float64) func(context.Context, *Scene) (*Fault, error) {
		return func(ctx context.Context, s *Scene) (*Fault, error) {
			p := s.Member.Process()
			if p == nil {
				return nil, errNoProcess
			}
			record := s.Stage.Record
			record.Note(history.Stopped, history.Target{Process: p.Name})
			f := &Fault{Target: p.Name, Hold: s.sessions(lo, hi), heal: func(context.Context) error {
				record.Note(history.Continued, history.Target{Process: p.Name})
				return p.Continue()
			}}
			return f, p.Stop(ctx)
		}
	}
	return []*Kind{
		{
			Name: "client-killed", Domain: Member, Doc: "the process is killed by SIGKILL; after a while another one takes its place",
			inject: func(_ context.Context, s *Scene) (*Fault, error) {
				p := s.Member.Process()
				if p == nil {
					return nil, errNoProcess
				}
				s.Stage.Record.Note(history.Killed, history.Target{Process: p.Name})
				f := &Fault{Target: p.Name, Hold: s.between(100*time.Millisecond, 3*s.Stage.Session/2), heal: func(context.Context) error {
					return s.Member.Replace()
				}}
				return f, p.Kill()
			},
		},
		{Name: "client-stopped", Domain: Member, Doc: "the process is stopped by SIGSTOP, and continued before its sessions are over", inject: stop(0.1, 0.8)},
		{Name: "client-stopped-long", Domain: Member, Doc: "the process is stopped by SIGSTOP, and continued after its sessions are over", inject: stop(1.2, 2)},
	}
}
