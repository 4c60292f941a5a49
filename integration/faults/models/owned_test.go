package models_test

import (
	"testing"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// While somebody takes part each partition is somebody's, but for as long as sessions last after the last fault.
func TestOwned(t *testing.T) {
	args := models.TakePartArgs{Partitions: []string{"x", "y"}, Session: int64(time.Second)}
	wait := func(s *story, d time.Duration) { s.now += int64(d) }
	begin := func() (*story, *history.Pending) {
		s := tell(t)
		part := s.begin("a", models.TakePart, args)
		s.got("b", 1, models.AcquireArgs{What: "y"})
		wait(s, time.Minute)
		s.lab.Note(history.Healed, history.Disturbance{Kind: "all"})
		return s, part
	}
	hold := func(s *story, client string, token int64, what string, d time.Duration) {
		op := s.got(client, token, models.AcquireArgs{What: what})
		wait(s, d)
		s.held(op)
	}

	s, part := begin()
	wait(s, 7*time.Second)
	y := s.got("b", 2, models.AcquireArgs{What: "y"})
	hold(s, "a", 1, "x", time.Minute)
	wait(s, 5*time.Second) // it moves
	hold(s, "b", 2, "x", time.Minute)
	s.held(y)
	part.OK(nil)
	wait(s, time.Hour) // nobody is there
	s.begin("c", models.TakePart, args).OK(nil)
	requireRules(t, models.Owned(s.end()))

	s, part = begin()
	hold(s, "a", 3, "y", time.Minute)
	part.OK(nil)
	requireRules(t, models.Owned(s.end()), models.RuleOwned)

	// Lost, and not taken again; the one who takes part does so still.
	s, _ = begin()
	y = s.got("b", 2, models.AcquireArgs{What: "y"})
	hold(s, "a", 1, "x", time.Second)
	wait(s, time.Minute)
	s.held(y)
	requireRules(t, models.Owned(s.end()), models.RuleOwned)

	// Who was stopped for a moment while it got hold went on holding.
	s, part = begin()
	s.lab.Note(history.Stopped, history.Target{Process: "a"})
	x := s.got("a", 1, models.AcquireArgs{What: "x"})
	s.lab.Note(history.Continued, history.Target{Process: "a"})
	y = s.got("b", 2, models.AcquireArgs{What: "y"})
	wait(s, time.Minute)
	s.held(x)
	s.held(y)
	part.OK(nil)
	requireRules(t, models.Owned(s.end()))

	// Who was killed takes no part.
	s, _ = begin()
	s.lab.Note(history.Killed, history.Target{Process: "a"})
	wait(s, time.Hour)
	s.begin("b", models.TakePart, args)
	requireRules(t, models.Owned(s.end()))
}
