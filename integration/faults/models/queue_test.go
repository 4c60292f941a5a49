package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

func (s *story) put(client string, it models.Item) *history.Pending {
	return s.did(client, models.Put, it, models.PutResult{})
}

func (s *story) took(client, name, queue string, items ...models.Taken) *history.Pending {
	return s.did(client, name, models.QueueArgs{Queue: queue}, models.TakeResult{Items: items})
}

func (s *story) acked(client, value string, attempt int) {
	s.did(client, models.Ack, models.Settlement{Taken: models.Taken{Value: value, Attempt: attempt}}, nil)
}

func (s *story) drained(queue string) { s.of("a").Note(models.Drained, models.QueueArgs{Queue: queue}) }

func named(value string) models.Item { return models.Item{Value: value, Named: true} }

// Leases that are lost, outcomes that are unknown, and processes that die with what they have.
func TestQueues(t *testing.T) {
	s := tell(t)
	s.put("a", named("x"))
	s.begin("a", models.Put, named("y")).Unknown(errLost)
	s.did("a", models.Put, named("y"), models.PutResult{Duplicate: true})
	s.begin("a", models.Put, named("never")).Unknown(errLost)
	s.begin("a", models.Put, named("failed")).Fail(errLost)
	s.put("a", models.Item{Value: "popped"})
	s.put("a", models.Item{Value: "with the dead"})
	s.put("a", models.Item{Value: "in doubt"})
	s.put("a", models.Item{Value: "acked by the dead"})
	s.put("a", models.Item{Value: "in years", Delay: int64(time.Hour)})
	s.took("b", models.Take, "", models.Taken{Value: "x", Attempt: 1}, models.Taken{Value: "y", Attempt: 1})
	s.begin("b", models.Ack, models.Settlement{Taken: models.Taken{Value: "x", Attempt: 1}}).Fail(errLost)
	s.begin("b", models.Ack, models.Settlement{Taken: models.Taken{Value: "y", Attempt: 1}}).Unknown(errLost)
	s.took("c", models.Take, "", models.Taken{Value: "x", Attempt: 3}) // who had it in between died
	s.acked("c", "x", 3)
	s.took("c", models.Pop, "", models.Taken{Value: "popped", Attempt: 1})
	s.begin("d", models.Pop, nil) // killed
	op := s.begin("e", models.Pop, nil)
	op.Note(s.clock(), models.Popped, models.Taken{Value: "in doubt", Attempt: 1})
	op.Unknown(errLost)
	s.took("e", models.Take, "", models.Taken{Value: "acked by the dead", Attempt: 1})
	s.begin("e", models.Ack, models.Settlement{Taken: models.Taken{Value: "acked by the dead", Attempt: 1}})
	s.of("a").Note(models.Waiting, models.Item{Value: "in years"})
	s.drained("")
	requireRules(t, models.Queues(s.end()))
}

// Each rule is broken, and by that name.
func TestQueuesFindViolations(t *testing.T) {
	taken := func(value string, attempt int) models.Taken { return models.Taken{Value: value, Attempt: attempt} }
	for name, test := range map[string]struct {
		tell func(s *story)
		rule string
	}{
		"an item of nobody": {func(s *story) { s.took("b", models.Take, "", taken("x", 1)) }, models.RuleHandedOut},
		"an item whose put failed": {func(s *story) {
			s.begin("a", models.Put, named("x")).Fail(errLost)
			s.took("b", models.Take, "", taken("x", 1))
		}, models.RuleHandedOut},
		"an id twice": {func(s *story) {
			s.put("a", named("x"))
			s.put("a", named("x"))
		}, models.RuleDuplicate},
		"refused for an id of nobody": {func(s *story) {
			s.did("a", models.Put, named("x"), models.PutResult{Duplicate: true})
		}, models.RuleDuplicate},
		"the same attempt twice": {func(s *story) {
			s.put("a", named("x"))
			s.took("b", models.Take, "", taken("x", 1))
			s.took("c", models.Take, "", taken("x", 1))
		}, models.RuleAttempts},
		"a smaller attempt later": {func(s *story) {
			s.put("a", named("x"))
			s.took("b", models.Take, "", taken("x", 2))
			s.took("c", models.Take, "", taken("x", 1))
		}, models.RuleAttempts},
		"handed out after it was acknowledged": {func(s *story) {
			s.put("a", named("x"))
			s.took("b", models.Take, "", taken("x", 1))
			s.acked("b", "x", 1)
			s.took("c", models.Take, "", taken("x", 2))
		}, models.RuleSpent},
		"handed out after it was popped": {func(s *story) {
			s.put("a", named("x"))
			s.took("b", models.Pop, "", taken("x", 1))
			s.took("c", models.Take, "", taken("x", 2))
		}, models.RuleSpent},
		"lost": {func(s *story) {
			s.put("a", named("x"))
			s.took("b", models.Take, "", taken("x", 1))
			s.drained("")
		}, models.RuleLost},
		"lost by an unknown put that was found": {func(s *story) {
			s.begin("a", models.Put, named("x")).Unknown(errLost)
			s.did("a", models.Put, named("x"), models.PutResult{Duplicate: true})
			s.drained("")
		}, models.RuleLost},
		"too early": {func(s *story) {
			s.put("a", models.Item{Value: "x", Delay: int64(time.Second)})
			s.took("b", models.Take, "", taken("x", 1))
		}, models.RuleDue},
		"a better one passed over": {func(s *story) {
			s.put("a", models.Item{Value: "x", Priority: 5})
			s.put("a", models.Item{Value: "y"})
			s.took("b", models.Take, "", taken("x", 1))
			s.took("b", models.Take, "", taken("y", 1))
		}, models.RuleOrder},
		"one of the same priority passed over by a lone consumer": {func(s *story) {
			s.put("a", models.Item{Queue: "own", Value: "y"})
			s.put("a", models.Item{Queue: "own", Value: "x"})
			s.took("a", models.Take, "own", taken("x", 1))
			s.took("a", models.Take, "own", taken("y", 1))
		}, models.RuleOrder},
		"not emptied": {func(s *story) { s.of("a").Note(models.Undrained, models.QueueArgs{}) }, models.RuleDrained},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t)
			test.tell(s)
			vs := models.Queues(s.end())
			require.NotEmpty(t, vs)
			for _, v := range vs {
				require.Equal(t, test.rule, v.Rule, v.Text)
			}
		})
	}
}

// What looks like an item passed over, and is none.
func TestQueuesAndOrder(t *testing.T) {
	taken := func(value string, attempt int) models.Taken { return models.Taken{Value: value, Attempt: attempt} }
	s := tell(t)
	s.put("a", models.Item{Value: "worse", Priority: 5})
	s.put("a", models.Item{Value: "had before"})
	s.put("a", models.Item{Value: "delayed", Delay: 1})
	late := s.begin("a", models.Put, models.Item{Value: "late"})
	other := s.begin("c", models.Take, models.QueueArgs{})
	s.took("b", models.Take, "", taken("worse", 1))
	late.OK(models.PutResult{})
	other.OK(models.TakeResult{Items: []models.Taken{taken("had before", 1)}})
	s.took("b", models.Take, "", taken("delayed", 1), taken("late", 1))
	// Neighbours, where several take.
	s.put("a", models.Item{Value: "1"})
	s.put("a", models.Item{Value: "2"})
	s.took("b", models.Take, "", taken("2", 1))
	s.took("b", models.Take, "", taken("1", 1))
	// After another client, or a failure.
	s.put("a", models.Item{Queue: "own", Value: "3"})
	s.put("a", models.Item{Queue: "own", Value: "4"})
	s.begin("a", models.Take, models.QueueArgs{Queue: "own"}).Fail(errLost)
	s.took("a", models.Take, "own", taken("4", 1))
	s.took("a", models.Take, "own", taken("3", 1))
	requireRules(t, models.Queues(s.end()))
}

// Where a clock was set, delays and what is remembered say nothing.
func TestQueuesAndClocks(t *testing.T) {
	s := tell(t)
	s.lab.Note(history.Fault, history.Disturbance{Kind: "clock-jumped"})
	s.put("a", models.Item{Value: "x", Delay: int64(time.Hour)})
	s.took("b", models.Take, "", models.Taken{Value: "x", Attempt: 1})
	s.put("a", named("y"))
	s.put("a", named("y"))
	requireRules(t, models.Queues(s.end()))
}
