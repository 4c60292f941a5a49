package models_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/models"
)

func set(value string) models.RegisterArgs { return models.RegisterArgs{Value: value} }

func at(version int32, value string) models.RegisterResult {
	return models.RegisterResult{Version: version, Value: value}
}

var confirmed = models.RegisterArgs{How: models.Confirmed}

// Writes whose outcome is unknown may have been done, at any time, or not.
func TestRegistersAndUnknownOutcomes(t *testing.T) {
	s := tell(t)
	s.did("a", models.Set, set("1"), at(1, ""))
	s.begin("b", models.Set, set("2")).Unknown(errLost) // done, much later
	s.begin("c", models.Set, set("3")).Unknown(errLost) // never seen
	s.begin("d", models.Set, set("4"))                  // killed; done before 5
	s.begin("e", models.CAS, models.RegisterArgs{Value: "x", Expect: 7}).Unknown(errLost)
	s.did("a", models.Get, confirmed, at(1, "1"))
	s.did("a", models.Set, set("5"), at(3, ""))
	s.did("a", models.CAS, models.RegisterArgs{Value: "6", Expect: 2}, models.RegisterResult{Refused: true, Version: -1})
	s.did("a", models.CAS, models.RegisterArgs{Value: "7", Expect: 3}, at(4, ""))
	s.did("a", models.Get, confirmed, at(5, "2"))
	s.begin("a", models.Set, set("8")).Fail(errLost)
	s.did("a", models.Get, confirmed, at(5, "2"))
	requireRules(t, models.Registers(s.end()))
}

// What is known of a write whose outcome is unknown may be nothing but that somebody else was refused because of it, or
// has met the version that it made.
func TestRegistersAndWritesThatOnlyDemandsHaveMet(t *testing.T) {
	for name, meet := range map[string]func(s *story){
		"a refused compare and set": func(s *story) {
			s.did("a", models.CAS, models.RegisterArgs{Value: "x", Expect: 1}, models.RegisterResult{Refused: true, Version: -1})
		},
		"a refused transaction": func(s *story) {
			s.did("a", models.Txn, models.RegisterArgs{Key: 1, Value: "x", Expect: 1}, models.RegisterResult{Refused: true, Version: -1})
		},
		"a transaction": func(s *story) {
			s.did("a", models.Txn, models.RegisterArgs{Key: 1, Value: "x", Expect: 2}, models.RegisterResult{Version: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t)
			s.did("a", models.Set, set("1"), at(1, ""))
			s.begin("b", models.CAS, models.RegisterArgs{Value: "2", Expect: 1}).Unknown(errLost)
			meet(s)
			requireRules(t, models.Registers(s.end()))
		})
		t.Run(name+", and there was no write", func(t *testing.T) {
			s := tell(t)
			s.did("a", models.Set, set("1"), at(1, ""))
			meet(s)
			requireRules(t, models.Registers(s.end()), models.RuleLinear)
		})
	}
}

// What is not linearizable is found, and shown in a picture.
func TestRegistersFindViolations(t *testing.T) {
	for name, test := range map[string]struct {
		tell func(s *story)
		rule string
	}{
		"a confirmed read of the past": {func(s *story) {
			s.did("a", models.Set, set("1"), at(1, ""))
			s.did("a", models.Set, set("2"), at(2, ""))
			s.did("b", models.Get, confirmed, at(1, "1"))
		}, models.RuleLinear},
		"a lost write": {func(s *story) {
			s.did("a", models.Set, set("1"), at(1, ""))
			s.did("b", models.Set, set("2"), at(1, ""))
		}, models.RuleLinear},
		"a write done twice": {func(s *story) {
			s.did("a", models.Set, set("1"), at(1, ""))
			s.did("b", models.Get, confirmed, at(2, "1"))
		}, models.RuleLinear},
		"a demand that was met, refused": {func(s *story) {
			s.did("a", models.CAS, models.RegisterArgs{Value: "1", Expect: 0}, models.RegisterResult{Refused: true, Version: -1})
		}, models.RuleLinear},
		"a demand that was not met, carried out": {func(s *story) {
			s.did("a", models.Set, set("1"), at(1, ""))
			s.did("b", models.Txn, models.RegisterArgs{Key: 1, Value: "2", Check: 0, Expect: 0}, at(1, ""))
		}, models.RuleLinear},
		"a write of nobody": {func(s *story) {
			s.did("a", models.Get, models.RegisterArgs{How: models.Plain}, at(1, "x"))
		}, models.RuleUnsought},
		"a write that failed": {func(s *story) {
			s.begin("a", models.Set, set("1")).Fail(errLost)
			s.did("a", models.Get, models.RegisterArgs{How: models.Plain}, at(1, "1"))
		}, models.RuleUnsought},
		"a read of what will be written": {func(s *story) {
			s.did("a", models.Get, models.RegisterArgs{How: models.Plain}, at(1, "1"))
			s.did("a", models.Set, set("1"), at(1, ""))
		}, models.RuleUnsought},
		"a session that goes back": {func(s *story) {
			s.did("a", models.Set, set("1"), at(1, ""))
			s.did("b", models.Get, models.RegisterArgs{How: models.Plain}, at(1, "1"))
			s.did("b", models.Get, models.RegisterArgs{How: models.Plain}, at(0, ""))
		}, models.RuleSession},
		"an unknown write that is seen before and after another": {func(s *story) {
			s.begin("a", models.Set, set("1")).Unknown(errLost)
			s.did("b", models.Set, set("2"), at(1, ""))
			s.did("b", models.Get, confirmed, at(2, "1"))
			s.did("b", models.Set, set("3"), at(3, ""))
			s.did("b", models.Get, confirmed, at(4, "1"))
		}, models.RuleLinear},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t)
			test.tell(s)
			vs := models.Registers(s.end())
			require.NotEmpty(t, vs)
			require.Equal(t, test.rule, vs[0].Rule)
			if test.rule == models.RuleLinear {
				var picture bytes.Buffer
				require.NoError(t, vs[0].Picture(&picture))
				require.Contains(t, picture.String(), "<html")
			}
		})
	}
}

// Many unknown outcomes do not keep the history from being judged.
func TestRegistersWithManyUnknownOutcomes(t *testing.T) {
	s := tell(t)
	version := int32(0)
	for i := range 300 {
		s.begin("u", models.Set, set(fmt.Sprintf("u%d", i))).Unknown(errLost)
		if i%3 == 0 { // it was done, and nobody has seen it
			version++
		}
		version++
		s.did("a", models.Set, set(fmt.Sprintf("a%d", i)), at(version, ""))
		s.did("b", models.Get, confirmed, at(version, fmt.Sprintf("a%d", i)))
	}
	requireRules(t, models.Registers(s.end()))
}

// A barrier that is closed by one alone, and lets nobody through.
func TestGate(t *testing.T) {
	done, not := models.GateResult{Done: true}, models.GateResult{}
	s := tell(t)
	s.did("a", models.PassGate, nil, nil)
	s.did("a", models.CloseGate, nil, done)
	s.did("b", models.CloseGate, nil, not)
	through := s.begin("c", models.PassGate, nil)
	s.begin("b", models.OpenGate, nil).Unknown(errLost)
	through.OK(nil)
	s.begin("c", models.PassGate, nil).Fail(errLost)
	s.did("a", models.CloseGate, nil, done)
	requireRules(t, models.Gate(s.end()))
	for _, bad := range []func(s *story){
		func(s *story) { s.did("b", models.PassGate, nil, nil) },
		func(s *story) { s.did("b", models.CloseGate, nil, done) },
		func(s *story) { s.did("b", models.OpenGate, nil, not) },
	} {
		s := tell(t)
		s.did("a", models.CloseGate, nil, done)
		s.begin("c", models.OpenGate, nil).Fail(errLost)
		bad(s)
		requireRules(t, models.Gate(s.end()), models.RuleGate)
	}
}

// A double barrier lets nobody in alone, nor out while another is inside.
func TestRounds(t *testing.T) {
	s := tell(t)
	a := s.begin("a", models.Acquire, nil)
	b := s.begin("b", models.Acquire, nil)
	s.begin("c", models.Acquire, nil).Fail(errLost)
	a.OK(nil)
	b.OK(nil)
	s.held(a)
	s.held(b)
	leaves := s.begin("a", models.Release, models.ReleaseArgs{Acquire: a.Op()})
	s.held(b)
	s.released("b", b)
	leaves.OK(nil)
	requireRules(t, models.Rounds(s.end(), 2))

	s = tell(t)
	a = s.got("a", 0, models.AcquireArgs{})
	s.released("a", a)
	b = s.got("b", 0, models.AcquireArgs{})
	s.held(b)
	requireRules(t, models.Rounds(s.end(), 2), models.RuleEnter, models.RuleEnter)

	s = tell(t)
	a = s.begin("a", models.Acquire, nil)
	b = s.got("b", 0, models.AcquireArgs{})
	a.OK(nil)
	s.held(b)
	s.released("a", a)
	s.held(b)
	requireRules(t, models.Rounds(s.end(), 2), models.RuleLeave)
}

// The notes of who follows watches.
func TestWatched(t *testing.T) {
	s := tell(t)
	s.of("a").Note(models.Settled, nil)
	requireRules(t, models.Watched(s.end()))
	s.of("a").Note(models.Early, models.Glance{Path: "/a"})
	s.of("a").Note(models.Missed, models.Difference{Text: "/a"})
	requireRules(t, models.Watched(s.end()), models.RuleMissed, models.RuleEarly)
}
