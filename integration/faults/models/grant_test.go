package models_test

import (
	"errors"
	"testing"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/resource"
)

var errLost = errors.New("lost")

// One after the other is all right, whatever is unknown or failed in between; two at once are not.
func TestExclusive(t *testing.T) {
	s := tell(t)
	a := s.got("a", 1, models.AcquireArgs{})
	pending := s.begin("b", models.Acquire, nil)
	s.begin("c", models.Acquire, nil).Unknown(errLost) // it may stand in line for ever, but nobody holds by it
	s.held(a)
	s.released("a", a)
	pending.OK(models.AcquireResult{Token: 2})
	s.held(pending)
	// The release of b is not known to have been done, and another is granted later.
	s.begin("b", models.Release, models.ReleaseArgs{Acquire: pending.Op()}).Unknown(errLost)
	c := s.got("c", 3, models.AcquireArgs{})
	s.begin("b", models.Acquire, nil).Fail(errLost)
	s.held(c)
	requireRules(t, append(models.Exclusive(s.end()), models.Tokens(s.end())...))

	s = tell(t)
	a = s.got("a", 1, models.AcquireArgs{})
	s.held(s.got("b", 2, models.AcquireArgs{What: "another"}))
	b := s.got("b", 2, models.AcquireArgs{})
	s.held(a)
	s.held(b)
	requireRules(t, models.Exclusive(s.end()), models.RuleExclusive)

	// To be told is not to believe: one of the two has not looked.
	s = tell(t)
	a = s.got("a", 1, models.AcquireArgs{})
	s.did("b", models.Acquire, nil, models.AcquireResult{Token: 2})
	s.held(a)
	requireRules(t, models.Exclusive(s.end()))
}

// A process that is stopped cannot notice; and one that goes on may not have noticed yet.
func TestExclusiveAndStoppedProcesses(t *testing.T) {
	s := tell(t)
	a := s.got("a", 1, models.AcquireArgs{})
	s.held(a)
	s.stopped("a")
	b := s.got("b", 2, models.AcquireArgs{})
	s.continued("a")
	s.held(a)
	s.held(b)
	requireRules(t, models.Exclusive(s.end()))

	// Stopped when it was about to be told.
	s = tell(t)
	a = s.begin("a", models.Acquire, nil)
	s.stopped("a")
	b = s.got("b", 2, models.AcquireArgs{})
	s.continued("a")
	a.OK(models.AcquireResult{Token: 1})
	s.held(a)
	s.held(b)
	requireRules(t, models.Exclusive(s.end()))

	// What was believed before the stop counts, and so does another's.
	s = tell(t)
	a = s.got("a", 1, models.AcquireArgs{})
	b = s.got("b", 2, models.AcquireArgs{})
	s.held(a)
	s.held(b)
	s.stopped("a")
	requireRules(t, models.Exclusive(s.end()), models.RuleExclusive)

	// A stop that was over long before.
	s = tell(t)
	a = s.begin("a", models.Acquire, nil)
	s.stopped("a")
	s.continued("a")
	s.now += 10_000_000_000
	a.OK(models.AcquireResult{Token: 1})
	s.held(a)
	b = s.got("b", 2, models.AcquireArgs{})
	s.held(a)
	s.held(b)
	requireRules(t, models.Exclusive(s.end()), models.RuleExclusive)
}

// Readers share, writers do not, and a downgrade leaves no gap.
func TestExclusiveReaders(t *testing.T) {
	read, write := models.AcquireArgs{Mode: models.ModeRead}, models.AcquireArgs{Mode: models.ModeWrite}
	s := tell(t)
	a, b := s.got("a", 1, read), s.got("b", 2, read)
	s.held(a)
	s.held(b)
	requireRules(t, models.Exclusive(s.end()))
	c := s.got("c", 3, write)
	s.held(b)
	s.held(c)
	requireRules(t, models.Exclusive(s.end()), models.RuleExclusive)

	s = tell(t)
	w := s.got("a", 1, write)
	s.held(w)
	between := s.got("b", 2, write)
	s.held(between)
	r := s.did("a", models.Acquire, models.AcquireArgs{Mode: models.ModeRead, Follows: w.Op()}, models.AcquireResult{Token: 1})
	s.held(r)
	h := s.end()
	requireRules(t, models.Exclusive(h), models.RuleExclusive)
	requireRules(t, models.Tokens(h))
}

// Tokens that are given twice, or not in the order of the grants.
func TestTokens(t *testing.T) {
	s := tell(t)
	for i, client := range []string{"a", "b", "a"} {
		op := s.got(client, int64(i+1), models.AcquireArgs{})
		s.held(op)
		s.released(client, op)
	}
	requireRules(t, models.Tokens(s.end()))
	for _, tokens := range [][]int64{{2, 1}, {1, 1}} {
		s = tell(t)
		for i, client := range []string{"a", "b"} {
			op := s.got(client, tokens[i], models.AcquireArgs{})
			s.held(op)
			s.released(client, op)
		}
		requireRules(t, models.Tokens(s.end()), models.RuleTokens)
	}
}

// Permits add up while they are believed in.
func TestPermits(t *testing.T) {
	s := tell(t)
	a, b := s.got("a", 1, models.AcquireArgs{Permits: 2}), s.got("b", 2, models.AcquireArgs{})
	s.held(a)
	s.held(b)
	c := s.got("c", 3, models.AcquireArgs{Permits: 2})
	s.held(c)
	h := s.end()
	requireRules(t, models.Permits(h, 3))
	requireRules(t, models.Permits(h, 2), models.RulePermits)
}

// What is written by who has lost the lock is found, unless nothing could be done about it.
func TestUnguarded(t *testing.T) {
	type turn struct {
		client          string
		base, was       int64
		stopped, inTime bool
	}
	play := func(turns ...turn) *history.History {
		s := tell(t)
		for i, turn := range turns {
			op := s.got(turn.client, int64(i+1), models.AcquireArgs{})
			if turn.stopped {
				s.stopped(turn.client)
				s.continued(turn.client)
			}
			w := s.begin(turn.client, models.Written, models.WrittenArgs{Acquire: op.Op()})
			s.lab.Note(resource.Written, resource.Effect{Was: turn.was, Write: resource.Write{
				Client: turn.client, Acquire: op.Op(), Token: int64(i + 1), Base: turn.base}})
			w.OK(models.WrittenResult{Held: turn.inTime})
		}
		return s.end()
	}
	good := turn{client: "a", inTime: true}
	requireRules(t, models.Unguarded(play(good, turn{client: "b", base: 1, was: 1, inTime: true})))
	lost := play(good, turn{client: "b", base: 0, was: 1, inTime: true})
	requireRules(t, models.Unguarded(lost), models.RuleLostUpdate)
	requireRules(t, models.Fenced(lost), models.RuleFenced)
	requireRules(t, models.Unguarded(play(good, turn{client: "b", was: 1, inTime: true, stopped: true})))
	requireRules(t, models.Unguarded(play(good, turn{client: "b", was: 1})))
	requireRules(t, models.Unguarded(play(turn{client: "a", inTime: true, stopped: true}, turn{client: "b", was: 1, inTime: true})))
}

// A leader that has been succeeded is not shown again to who goes on looking.
func TestForward(t *testing.T) {
	s := tell(t)
	for _, seen := range []models.Seen{{1, 1}, {1, 1}, {1, 5}, {2, 3}} {
		s.of("a").Note("leader", seen)
	}
	requireRules(t, models.Forward(s.end(), "leader"))
	for _, seen := range []models.Seen{{1, 5}, {1, 3}} {
		s.of("b").Note("leader", seen)
	}
	requireRules(t, models.Forward(s.end(), "leader"), models.RuleForward)
}

// Arguments that cannot be read are not overlooked.
func TestUnreadable(t *testing.T) {
	s := tell(t)
	s.did("a", models.Acquire, []int{1}, nil)
	s.did("a", models.Set, []int{1}, nil)
	s.of("a").Note("leader", []int{1})
	s.did("a", models.CloseGate, nil, []int{1})
	h := s.end()
	for _, vs := range [][]models.Violation{models.Exclusive(h), models.Unguarded(h), models.Rounds(h, 1), models.Registers(h), models.Forward(h, "leader"), models.Gate(h)} {
		requireRules(t, vs, models.RuleHistory)
	}
}
