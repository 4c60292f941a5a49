package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/models"
)

func adds(delta int64) models.CounterArgs { return models.CounterArgs{Delta: delta} }

func is(value int64) models.CounterResult { return models.CounterResult{Value: value} }

func (s *story) added(client string, delta, value int64) {
	s.did(client, models.Add, adds(delta), is(value))
}

// Changes whose outcome is unknown may have been made, at any time, or not; reads may be late.
func TestCounters(t *testing.T) {
	s := tell(t)
	s.added("a", 1000, 1000)
	s.begin("b", models.Add, adds(17)).Unknown(errLost) // made before the next
	s.begin("c", models.Add, adds(29)).Unknown(errLost) // made much later, with
	s.begin("c", models.Add, adds(31)).Unknown(errLost) // this one
	s.begin("d", models.Add, adds(37))                  // killed; never made
	s.begin("d", models.Add, adds(41)).Fail(errLost)
	s.added("a", 2000, 3017)
	s.did("a", models.Value, nil, is(1017)) // late
	s.did("a", models.Swap, models.CounterArgs{Old: 5, Delta: 1}, models.CounterResult{Refused: true})
	s.did("a", models.Swap, models.CounterArgs{Old: 3017, Delta: 4000}, is(7017))
	s.begin("b", models.Swap, models.CounterArgs{Old: 7017, Delta: 43}).Unknown(errLost) // made
	s.added("a", 0, 7060)
	s.did("b", models.Value, nil, is(7091))
	s.added("a", 5000, 12120)
	s.begin("b", models.Add, adds(47)).Unknown(errLost)
	s.did("b", models.Value, nil, is(12167))
	requireRules(t, models.Counters(s.end()))
}

func TestCountersFindViolations(t *testing.T) {
	for name, test := range map[string]struct {
		tell func(s *story)
		rule string
	}{
		"an add made twice": {func(s *story) {
			s.added("a", 10, 10)
			s.added("b", 100, 120)
		}, models.RuleAddedUp},
		"an unknown add made twice": {func(s *story) {
			s.begin("a", models.Add, adds(10)).Unknown(errLost)
			s.added("b", 0, 10)
			s.added("b", 0, 20)
		}, models.RuleAddedUp},
		"an add that failed and was made": {func(s *story) {
			s.begin("a", models.Add, adds(10)).Fail(errLost)
			s.added("b", 100, 110)
		}, models.RuleAddedUp},
		"an add that is lost": {func(s *story) {
			s.added("a", 10, 10)
			s.added("b", 100, 100)
		}, models.RuleAddedUp},
		"an add that nobody sees": {func(s *story) {
			s.added("a", 10, 10)
			s.added("b", 0, 0)
		}, models.RuleCounter},
		"an unknown add that is seen, and then not": {func(s *story) {
			s.begin("a", models.Add, adds(10)).Unknown(errLost)
			s.added("b", 100, 110)
			s.added("b", 0, 100)
		}, models.RuleAddedUp},
		"a swap of what it was not": {func(s *story) {
			s.added("a", 10, 10)
			s.added("a", 20, 30)
			s.did("b", models.Swap, models.CounterArgs{Old: 10, Delta: 100}, is(110))
		}, models.RuleAddedUp},
		"a swap that was refused for nothing": {func(s *story) {
			s.added("a", 10, 10)
			s.did("b", models.Swap, models.CounterArgs{Old: 10, Delta: 100}, models.CounterResult{Refused: true})
		}, models.RuleCounter},
		"a swap that was refused, and made": {func(s *story) {
			s.added("a", 10, 10)
			s.did("b", models.Swap, models.CounterArgs{Old: 10, Delta: 100}, models.CounterResult{Refused: true})
			s.added("a", 20, 130)
		}, models.RuleAddedUp},
		"a read of what it never was": {func(s *story) {
			s.added("a", 10, 10)
			s.did("b", models.Value, nil, is(7))
		}, models.RuleCounted},
		"a read of what it will be": {func(s *story) {
			s.did("b", models.Value, nil, is(10))
			s.added("a", 10, 10)
		}, models.RuleCounted},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t)
			test.tell(s)
			vs := models.Counters(s.end())
			require.NotEmpty(t, vs)
			require.Equal(t, test.rule, vs[0].Rule, models.Lines(vs))
		})
	}
}

// Many unknown outcomes do not keep the history from being judged.
func TestCountersWithManyUnknownOutcomes(t *testing.T) {
	s := tell(t)
	now := int64(0)
	for i := range int64(150) {
		lost := 1_000_003*i + i*i*i + 1
		s.begin("u", models.Add, adds(lost)).Unknown(errLost)
		if i%3 == 0 {
			now += lost
		}
		now += 5
		s.added("a", 5, now)
	}
	requireRules(t, models.Counters(s.end()))
}
