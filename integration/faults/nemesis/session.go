package nemesis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/faults/history"
)

func sessionKinds() []*Kind {
	return []*Kind{
		{
			Name: "session-expired", Domain: Member, Doc: "the servers hear nothing of a process until its sessions have expired, while it goes on hearing them",
			inject: func(_ context.Context, s *Scene) (*Fault, error) {
				for _, l := range s.Member.Lines {
					l.BlackHole(faultproxy.ToServer)
				}
				return &Fault{Target: s.Member.String(), Hold: s.sessions(1.2, 2), heal: s.Member.Heal}, nil
			},
		},
		{
			Name: "session-closed", Domain: Member, Doc: "somebody else closes sessions of a process, whose clients are alive and connected",
			inject: closeSessions,
		},
	}
}

// closeSessions does what servers never do by themselves: it ends sessions whose clients they hear. Locks then go to the
// next in line before their holders can know, as when somebody deletes a lock's node (package lock says so): for
// checkers the process is one that can notice nothing for a while.
func closeSessions(ctx context.Context, s *Scene) (*Fault, error) {
	p := s.Member.Process()
	if p == nil {
		return nil, errNoProcess
	}
	sessions := p.Status().Sessions
	maps.DeleteFunc(sessions, func(_ string, id int64) bool { return id == 0 })
	names := slices.Sorted(maps.Keys(sessions))
	if len(names) == 0 {
		return &Fault{Target: p.Name, Missed: true}, nil
	}
	s.Rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:1+s.Rand.IntN(len(names))]
	s.Stage.Record.Note(history.Stopped, history.Target{Process: p.Name})
	f := &Fault{
		Target: fmt.Sprintf("%d sessions of %s", len(names), p.Name), Hold: s.Stage.Session/5 + 200*time.Millisecond,
		heal: func(context.Context) error {
			s.Stage.Record.Note(history.Continued, history.Target{Process: p.Name})
			return nil
		},
	}
	failed := 0
	for _, name := range names {
		// A server that another fault concerns does not answer, or ends the connection. The session may be over all the same.
		if s.Stage.EndSession(ctx, pick(s, s.Stage.Ensemble.Servers()).Addr(), sessions[name]) != nil {
			failed++
		}
	}
	f.Missed = failed == len(names)
	return f, nil
}
