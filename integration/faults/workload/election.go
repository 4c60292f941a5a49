package workload

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// leader is the note of who looks on about who leads; its arguments are a [models.Seen].
const leader = "leader"

// Election is a leadership: one leads at a time, tokens grow, and who looks on never sees a leader again that has been succeeded.
// Leaders resign, return, hand over to another, or stay until they are lost.
//
// Operations: acquire ({}, {token}), noted when the term has begun. Notes: held, about an acquire; leader ({look, token}).
func Election() *Workload {
	return &Workload{
		Name: "election",
		Doc:  "an election has one leader at a time, its tokens grow, and who observes it is never told of a former leader",
		Run: func(ctx context.Context, env *Env) error {
			e := election.New(env.Client, env.Path, env.Name, election.WithShortLine(env.shortLine()))
			var looking sync.WaitGroup
			defer looking.Wait()
			looking.Go(func() { lookOn(ctx, env, e) })
			return takeTurns(ctx, env, func() error {
				run, cancel := env.Bounded(ctx)
				defer cancel()
				err := e.Run(run, func(ctx context.Context, term *election.Term) error { return lead(ctx, env, e, term) })
				return surprise(ctx, "election", err, context.DeadlineExceeded, context.Canceled, election.ErrLost)
			})
		},
		Check: func(h *history.History) []models.Violation {
			return append(append(models.Exclusive(h), models.Tokens(h)...), models.Forward(h, leader)...)
		},
	}
}

func lead(ctx context.Context, env *Env, e *election.Election, term *election.Term) error {
	op := env.Record.Invoke(models.Acquire, nil)
	op.OK(models.AcquireResult{Token: term.Token()})
	env.Hold(ctx, op, term, env.Stay())
	switch env.Rand.IntN(4) {
	case 0:
		return term.Resign(ctx)
	case 1:
		if id := successor(ctx, env, e); id != "" {
			if err := term.HandOver(ctx, id); err != nil && !errors.Is(err, election.ErrNoCandidate) && term.Err() == nil && ctx.Err() == nil {
				return fmt.Errorf("hand over: %w", err)
			}
		}
	}
	return nil
}

// successor is one of the candidates, if another stands.
func successor(ctx context.Context, env *Env, e *election.Election) string {
	all, err := e.Candidates(ctx)
	if err != nil || len(all) < 2 {
		return ""
	}
	return all[1+env.Rand.IntN(len(all)-1)].ID
}

// lookOn notes who leads, again and again from the start.
func lookOn(ctx context.Context, env *Env, e *election.Election) {
	for look := int64(1); ctx.Err() == nil; look++ {
		n := 0
		for l, err := range e.Observe(ctx) {
			if err != nil {
				break
			}
			if !l.None() {
				env.Record.Note(leader, models.Seen{Look: look, Token: l.Token})
			}
			if n++; n == 50 {
				break
			}
		}
	}
}
