package nemesis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zookit/zookit/integration/faultproxy"
)

// hitWithin is how long a fault waits for its request, of a kind that its workload may not use, and then for any other.
const hitWithin = 2 * time.Second

// steps are the requests that recipes are made of.
var steps = [][]int32{
	{faultproxy.OpCreate, faultproxy.OpCreate2, faultproxy.OpCreateContainer, faultproxy.OpCreateTTL},
	{faultproxy.OpDelete},
	{faultproxy.OpGetData},
	{faultproxy.OpGetChildren, faultproxy.OpGetChildren2},
	{faultproxy.OpMulti},
	{faultproxy.OpSetData},
	{faultproxy.OpExists, faultproxy.OpSync, faultproxy.OpMultiRead, faultproxy.OpAddWatch, faultproxy.OpRemoveWatches, faultproxy.OpCheckWatches},
}

// arm puts a fault on every line of the member, of which one is to hit.
type arm func(l *faultproxy.Proxy, m faultproxy.Match, then faultproxy.Then) *faultproxy.Fault

func drop(l *faultproxy.Proxy, m faultproxy.Match, then faultproxy.Then) *faultproxy.Fault {
	return l.DropRequest(m, then)
}

func swallow(l *faultproxy.Proxy, m faultproxy.Match, then faultproxy.Then) *faultproxy.Fault {
	return l.SwallowReply(m, then)
}

func requestKinds() []*Kind {
	return []*Kind{
		{
			Name: "request-lost", Domain: Member, Doc: "one request of one workload, of a chosen kind, never arrives, and its connection ends",
			inject: lose(drop, faultproxy.ThenReset, faultproxy.ThenCut, faultproxy.ThenBlackHole),
		},
		{
			Name: "reply-lost", Domain: Member, Doc: "one request of one workload, of a chosen kind, is carried out, its reply is lost, and its connection ends",
			inject: lose(swallow, faultproxy.ThenReset, faultproxy.ThenCut, faultproxy.ThenBlackHole),
		},
		{
			Name: "event-lost", Domain: Member, Doc: "one watch's event is lost, and its connection ends",
			inject: func(ctx context.Context, s *Scene) (*Fault, error) {
				return hit(ctx, s, swallow, "an event", faultproxy.Op(faultproxy.OpNotification), faultproxy.ThenReset)
			},
		},
	}
}

func lose(how arm, thens ...faultproxy.Then) func(context.Context, *Scene) (*Fault, error) {
	return func(ctx context.Context, s *Scene) (*Fault, error) {
		work, ops, nth, then := pick(s, s.Works), pick(s, steps), 1+s.Rand.IntN(3), pick(s, thens)
		under := func(r faultproxy.Request) bool {
			if strings.HasPrefix(r.Path, work) {
				return true
			}
			for _, part := range r.Parts {
				if strings.HasPrefix(part.Path, work) {
					return true
				}
			}
			return false
		}
		chosen := func(r faultproxy.Request) bool { return faultproxy.Op(ops...)(r) && under(r) }
		f, err := hit(ctx, s, how, fmt.Sprintf("%s %d below %s", faultproxy.OpName(ops[0]), nth, work), faultproxy.Nth(nth, chosen), then)
		if err == nil && f.Missed {
			return hit(ctx, s, how, "any request below "+work, faultproxy.Nth(nth, under), then)
		}
		return f, err
	}
}

// hit arms a fault on all lines and waits until it has hit on one.
func hit(ctx context.Context, s *Scene, how arm, what string, m faultproxy.Match, then faultproxy.Then) (*Fault, error) {
	ctx, cancel := context.WithTimeout(ctx, hitWithin)
	defer cancel()
	first := make(chan faultproxy.Request, len(s.Member.Lines))
	var armed []*faultproxy.Fault
	waited := make(chan struct{})
	for _, l := range s.Member.Lines {
		f := how(l, m, then)
		armed = append(armed, f)
		go func() {
			defer func() { waited <- struct{}{} }()
			if r, err := f.Wait(ctx); err == nil {
				first <- r
				cancel()
			}
		}()
	}
	for range armed {
		<-waited
	}
	for _, f := range armed {
		f.Release() // takes back those that have not hit
	}
	out := &Fault{Target: fmt.Sprintf("%v, %s", s.Member, what)}
	select {
	case r := <-first:
		out.Target = fmt.Sprintf("%v, %s: %v", s.Member, what, r)
	default:
		if err := context.Cause(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		out.Missed = true
		return out, nil
	}
	if then == faultproxy.ThenBlackHole {
		out.Hold, out.heal = s.sessions(0.2, 1.4), s.Member.Heal
	}
	return out, nil
}
