package nemesis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/integration/faults/stage"
	"github.com/zookit/zookit/integration/faults/worker"
)

func clockKinds() []*Kind {
	return []*Kind{{
		Name: "clock-jumped", Domain: Member, Doc: "the wall clock of a process shows another time, years off or seconds, and then the right one again; its monotonic clock runs on",
		Missing: func(st *stage.Stage) string {
			if st.Jumps {
				return ""
			}
			return "the worker was built with Go's own clock: scripts/faults builds one whose clock can be set"
		},
		inject: func(ctx context.Context, s *Scene) (*Fault, error) {
			p := s.Member.Process()
			if p == nil {
				return nil, errNoProcess
			}
			by := s.between(time.Second, s.Stage.Session*2)
			if s.Rand.IntN(2) == 0 {
				by = s.between(time.Hour, 3*365*24*time.Hour)
			}
			if s.Rand.IntN(2) == 0 {
				by = -by
			}
			set := func(ctx context.Context, by time.Duration) error {
				m, err := p.Tell(ctx, worker.Command{Do: worker.Jump, By: by}, worker.Jumped)
				if err == nil && m.Err != "" {
					err = errors.New(m.Err)
				}
				return err
			}
			f := &Fault{Target: fmt.Sprintf("%s by %v", p.Name, by), Hold: s.between(500*time.Millisecond, s.Stage.Session), heal: func(ctx context.Context) error { return set(ctx, 0) }}
			return f, set(ctx, by)
		},
	}}
}
