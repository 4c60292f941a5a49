package queuefaults

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is something that a producer or consumer is about to do, or has learnt.
type event struct {
	Worker string
	Kind   string // of those below
	ID     string // of the item
	// Attempt and Token are those of a lease, for got, acking and what follows it.
	Attempt int
	Token   int64
	// At is when it happened; for lost it is until when the lease was known to be held.
	At time.Time
}

// The kinds of events. One that begins has no end in the history if its worker was killed.
const (
	putting  = "putting"  // a Put begins, perhaps again
	put      = "put"      // it has succeeded
	unput    = "unput"    // it has failed, and nothing was put
	got      = "got"      // a Take has returned the item
	acking   = "acking"   // an Ack begins
	acked    = "acked"    // it has succeeded
	unacked  = "unacked"  // it has said that the lease was lost: nothing was acknowledged
	lost     = "lost"     // the lease has ended before
	nacked   = "nacked"   // it was given back
	popped   = "popped"   // a Pop has returned the item
	wondered = "wondered" // an Ack or a Pop of unknown outcome
)

func (e event) String() string {
	return fmt.Sprintf("event %s %s %s %d %d %d", e.Worker, e.Kind, e.ID, e.Attempt, e.Token, e.At.UnixNano())
}

func parseEvent(line string) (e event, ok bool) {
	w := strings.Fields(line)
	if len(w) != 7 || w[0] != "event" {
		return e, false
	}
	attempt, err1 := strconv.Atoi(w[4])
	token, err2 := strconv.ParseInt(w[5], 10, 64)
	nanos, err3 := strconv.ParseInt(w[6], 10, 64)
	return event{Worker: w[1], Kind: w[2], ID: w[3], Attempt: attempt, Token: token, At: time.Unix(0, nanos)}, err1 == nil && err2 == nil && err3 == nil
}

// check returns what is wrong with a history, given how often each item was left in the queue when everybody had stopped.
// poppers is how many that popped were killed: an item that one has popped and was killed with is gone.
func check(history []event, left map[string]int, poppers int) []string {
	var wrong, gone []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	items := map[string][]event{}
	for _, e := range history {
		items[e.ID] = append(items[e.ID], e)
	}
	for id, n := range left {
		if n > 1 {
			complain("%s is in the queue %d times", id, n)
		}
		if items[id] == nil {
			complain("%s is in the queue and nobody has put it", id)
		}
	}
	for id, events := range items {
		count := map[string]int{}
		for _, e := range events {
			count[e.Kind]++
		}
		ended := count[acked] + count[popped]
		maybe := count[acking] - count[acked] - count[unacked] + count[wondered]
		switch {
		case count[putting] == 0:
			complain("%s was handed out and nobody has put it", id)
		case ended > 1:
			complain("%s was acknowledged or popped %d times", id, ended)
		case ended > 0 && left[id] > 0:
			complain("%s was acknowledged or popped and is in the queue", id)
		case count[put] > 0 && ended == 0 && left[id] == 0 && maybe <= 0:
			gone = append(gone, id)
		}
		for _, what := range leases(events) {
			complain("%s: %s", id, what)
		}
	}
	if len(gone) > poppers {
		slices.Sort(gone)
		complain("put and lost: %v", gone)
	}
	slices.Sort(wrong)
	return wrong
}

// leases returns what is wrong with the leases of one item.
func leases(events []event) (wrong []string) {
	var all []event
	until := map[int64]time.Time{} // by token
	for _, e := range events {
		switch e.Kind {
		case got, popped:
			all = append(all, e)
		case lost:
			if e.At.After(until[e.Token]) {
				until[e.Token] = e.At
			}
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.Attempt, b.Attempt) })
	for i, e := range all {
		if e.Attempt < 1 {
			wrong = append(wrong, fmt.Sprintf("attempt %d", e.Attempt))
		}
		if i == 0 {
			continue
		}
		before := all[i-1]
		if e.Attempt == before.Attempt {
			wrong = append(wrong, fmt.Sprintf("attempt %d was handed out twice, to %s and %s", e.Attempt, before.Worker, e.Worker))
		}
		if e.Kind == got && before.Kind == got && e.Token <= before.Token {
			wrong = append(wrong, fmt.Sprintf("attempt %d has token %d, and the one before %d", e.Attempt, e.Token, before.Token))
		}
		if end, ok := until[before.Token]; ok && before.Kind == got && e.At.Before(end) {
			wrong = append(wrong, fmt.Sprintf("%s had it %v before the lease of %s was over", e.Worker, end.Sub(e.At), before.Worker))
		}
	}
	return wrong
}
