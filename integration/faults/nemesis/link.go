package nemesis

import (
	"context"
	"fmt"
	"time"

	"github.com/zookit/zookit/integration/faultproxy"
)

// lines are all of the member's or those that it uses at the moment, by chance.
func lines(s *Scene) (some []*faultproxy.Proxy, which string) {
	current := s.Member.Current()
	if len(current) == 0 || s.Rand.IntN(2) == 0 {
		return s.Member.Lines, "all lines"
	}
	for _, i := range current {
		some = append(some, s.Member.Lines[i])
	}
	return some, "the lines in use"
}

// onLines does something to lines; healing makes all lines of the member whole.
func onLines(what func(*faultproxy.Proxy), hold func(*Scene) time.Duration) func(context.Context, *Scene) (*Fault, error) {
	return func(_ context.Context, s *Scene) (*Fault, error) {
		some, which := lines(s)
		for _, l := range some {
			what(l)
		}
		return &Fault{Target: fmt.Sprintf("%s of %v", which, s.Member), Hold: hold(s), heal: s.Member.Heal}, nil
	}
}

// again and again breaks lines a few times.
func againAndAgain(what func(*faultproxy.Proxy)) func(context.Context, *Scene) (*Fault, error) {
	return func(ctx context.Context, s *Scene) (*Fault, error) {
		times := 1 + s.Rand.IntN(4)
		var which string
		for i := range times {
			var some []*faultproxy.Proxy
			some, which = lines(s)
			for _, l := range some {
				what(l)
			}
			if i == times-1 {
				break
			}
			select {
			case <-time.After(s.between(20*time.Millisecond, 600*time.Millisecond)):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		return &Fault{Target: fmt.Sprintf("%s of %v, %d times", which, s.Member, times)}, nil
	}
}

func linkKinds() []*Kind {
	hole := func(d faultproxy.Direction) func(context.Context, *Scene) (*Fault, error) {
		return onLines(func(l *faultproxy.Proxy) { l.BlackHole(d) }, func(s *Scene) time.Duration { return s.sessions(0.2, 1.8) })
	}
	while := func(s *Scene) time.Duration { return s.between(2*time.Second, 5*time.Second) }
	return []*Kind{
		{Name: "link-cut", Domain: Member, Doc: "connections end with FIN, once or a few times", inject: againAndAgain((*faultproxy.Proxy).Cut)},
		{Name: "link-reset", Domain: Member, Doc: "connections end with RST, once or a few times", inject: againAndAgain((*faultproxy.Proxy).Reset)},
		{
			Name: "link-refused", Domain: Member, Doc: "connections end, and new ones are refused for a while",
			inject: onLines(func(l *faultproxy.Proxy) { l.Refuse(); l.Cut() }, func(s *Scene) time.Duration { return s.sessions(0.2, 1.8) }),
		},
		{Name: "link-black-hole", Domain: Member, Doc: "nothing arrives any more in either direction, and nobody is told", inject: hole(faultproxy.Both)},
		{Name: "link-black-hole-to-server", Domain: Member, Doc: "nothing arrives at the servers, which goes on to be heard", inject: hole(faultproxy.ToServer)},
		{Name: "link-black-hole-to-client", Domain: Member, Doc: "everything arrives at the servers, and nothing that they say", inject: hole(faultproxy.ToClient)},
		{
			Name: "link-slow", Domain: Member, Doc: "everything takes longer, in both directions",
			inject: func(ctx context.Context, s *Scene) (*Fault, error) {
				late := s.between(50*time.Millisecond, s.Stage.Session/5)
				return onLines(func(l *faultproxy.Proxy) { l.Delay(faultproxy.Both, late) }, while)(ctx, s)
			},
		},
		{
			Name: "link-jittery", Domain: Member, Doc: "everything takes longer by chance, in both directions",
			inject: func(ctx context.Context, s *Scene) (*Fault, error) {
				most := s.between(50*time.Millisecond, s.Stage.Session/4)
				return onLines(func(l *faultproxy.Proxy) { l.Jitter(faultproxy.Both, most) }, while)(ctx, s)
			},
		},
	}
}
