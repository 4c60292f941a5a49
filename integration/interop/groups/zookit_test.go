package groups

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/recipes"
)

// zookit is what stands behind a member of zookit's.
type zookit struct {
	*member
	cl     *client.Client
	layout recipes.Layout
	orders chan []string
	term   atomic.Pointer[election.Term] // the newest

	double *barrier.Double
	at     string // its path
	inside *barrier.Inside
}

// join makes a member of zookit's.
func join(cl *client.Client, name string, layout recipes.Layout) *zookit {
	z := &zookit{
		member: &member{name: name, kind: "zookit", out: make(chan event, backlog)},
		cl:     cl, layout: layout, orders: make(chan []string, backlog),
	}
	z.tell = func(words ...string) { z.orders <- words }
	return z
}

// work has something done until the test ends.
func work(t *testing.T, job func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var worker sync.WaitGroup
	worker.Go(func() { job(ctx) })
	t.Cleanup(func() {
		cancel()
		worker.Wait()
	})
}

// serve makes the member obey orders about barriers until the test ends.
func (z *zookit) serve(t *testing.T) *member {
	t.Helper()
	work(t, func(ctx context.Context) {
		for {
			select {
			case words := <-z.orders:
				if err := z.obey(ctx, words); err != nil && ctx.Err() == nil {
					z.say("failed", err.Error())
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return z.member
}

func (z *zookit) obey(ctx context.Context, words []string) error {
	switch words[0] {
	case "set":
		_, err := barrier.New(z.cl, words[1], barrier.WithLayout(z.layout)).Create(ctx)
		return z.done(err, "set")
	case "remove":
		_, err := barrier.New(z.cl, words[1], barrier.WithLayout(z.layout)).Remove(ctx)
		return z.done(err, "removed")
	case "wait":
		err := barrier.New(z.cl, words[1], barrier.WithLayout(z.layout)).Wait(ctx)
		return z.done(errors.Join(err, z.witness(ctx, words[2])), "through")
	case "enter":
		return z.enter(ctx, words[1], words[2], words[3])
	case "leave":
		if err := z.inside.Err(); err != nil {
			return err
		}
		err := z.inside.Leave(ctx)
		return z.done(errors.Join(err, z.witness(ctx, words[1])), "out")
	}
	return fmt.Errorf("unknown order %v", words)
}

func (z *zookit) done(err error, what string) error {
	if err == nil {
		z.say(what, "")
	}
	return err
}

func (z *zookit) witness(ctx context.Context, path string) error {
	_, err := z.cl.Create(ctx, path, nil)
	return err
}

func (z *zookit) enter(ctx context.Context, path, number, witness string) error {
	if z.at != path { // the same one again otherwise
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		z.double, z.at = barrier.NewDouble(z.cl, path, n, barrier.WithLayout(z.layout)), path
	}
	inside, err := z.double.Enter(ctx)
	if err != nil {
		return err
	}
	z.inside = inside
	return z.done(z.witness(ctx, witness), "in")
}

// stand makes the member a candidate until the test ends: by Run, or by Campaign.
func (z *zookit) stand(t *testing.T, run bool, path, witness string, opts ...election.Option) {
	t.Helper()
	e := election.New(z.cl, path, z.name, opts...)
	work(t, func(ctx context.Context) {
		for ctx.Err() == nil {
			if err := z.once(ctx, e, run, witness); err != nil && ctx.Err() == nil {
				z.say("failed", err.Error())
				return
			}
		}
	})
}

// once leads once, or more often under Run.
func (z *zookit) once(ctx context.Context, e *election.Election, run bool, witness string) error {
	if run {
		return e.Run(ctx, func(under context.Context, term *election.Term) error {
			order, err := z.lead(ctx, term, witness)
			if err == nil && order != nil && order[0] == "handover" {
				err = term.HandOver(under, order[1]) // once this function has returned
			}
			return err
		})
	}
	term, err := e.Campaign(ctx)
	if err != nil {
		return err
	}
	order, err := z.lead(ctx, term, witness)
	if err != nil || order == nil {
		return errors.Join(err, term.Resign(ctx))
	}
	if order[0] == "handover" {
		return term.HandOver(ctx, order[1])
	}
	return term.Resign(ctx)
}

// lead leads until it is told to end the term, which is the order that it returns, or the term is over.
func (z *zookit) lead(ctx context.Context, term *election.Term, witness string) ([]string, error) {
	z.term.Store(term)
	s, err := z.cl.Session(ctx)
	if err != nil {
		return nil, err
	}
	_, err = s.Ops.Create(ctx, witness, []byte(z.name), client.WithMode(client.Ephemeral))
	if errors.Is(err, client.ErrNodeExists) {
		z.say("clash", "")
	} else if err != nil {
		return nil, ignoreLost(err)
	}
	z.say("leads", "")
	var order []string
	select {
	case order = <-z.orders:
	case <-term.Context().Done():
		z.say("lost", "")
	case <-ctx.Done():
	}
	// In that session only: if it is over, another leader's witness may be there.
	return order, ignoreLost(s.Ops.Delete(ctx, witness, client.AnyVersion))
}

// ignoreLost takes the end of the session for no failure: the witness went with it.
func ignoreLost(err error) error {
	if errors.Is(err, client.ErrSessionLost) || errors.Is(err, client.ErrNoNode) {
		return nil
	}
	return err
}
