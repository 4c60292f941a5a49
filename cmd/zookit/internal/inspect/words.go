package inspect

import (
	"fmt"
	"strings"
	"time"
)

// titles are the kinds in words.
var titles = map[string]string{
	kindMutex: "a lock", kindRWLock: "a read-write lock", kindElection: "an election", kindSemaphore: "a semaphore", kindLease: "a lease",
	kindBarrier: "a barrier", kindDouble: "a double barrier", kindQueue: "a queue", kindCounter: "a counter", kindDocument: "a document",
	kindGroup: "a group", kindPartitions: "a partitioner", kindDiscovery: "services", kindService: "a service",
}

// summary says in words what a report has.
func summary(r *report) string {
	parts := []string{titles[r.Kind]}
	if r.Layout != "" {
		parts[0] += " (" + r.Layout + ")"
	}
	switch r.Kind {
	case kindMutex, kindRWLock:
		parts = append(parts, held(r, "held", "free"))
	case kindElection:
		parts = append(parts, held(r, "led", "nobody leads"))
	case kindLease:
		parts = append(parts, held(r, "held", "free"))
		for _, h := range r.Holders {
			parts = append(parts, "until "+h.Until.Format(time.RFC3339))
		}
	case kindSemaphore:
		taken := 0
		for _, h := range r.Holders {
			taken += h.Permits
		}
		if r.Limit != nil {
			parts = append(parts, fmt.Sprintf("%d of %s taken", taken, counted(*r.Limit, "permit")))
		} else {
			parts = append(parts, counted(taken, "permit")+" taken, and no limit stored")
		}
	case kindBarrier:
		parts = append(parts, "closed since "+r.Holders[0].Since.Format(time.RFC3339))
	case kindDouble:
		if len(r.Members) > 0 {
			parts = append(parts, fmt.Sprintf("open, with %d inside", len(r.Members)))
		} else {
			parts = append(parts, "not open")
		}
	case kindQueue:
		parts = append(parts, queued(r)...)
	case kindCounter:
		parts = append(parts, fmt.Sprint(*r.Value))
	case kindDocument:
		d := r.Document
		parts = append(parts, fmt.Sprintf("version %d of %s, %s, with %s before it", d.Version, d.Modified.Format(time.RFC3339), counted(d.Bytes, "byte"), counted(d.Revisions, "revision")))
	case kindPartitions:
		parts = append(parts, fmt.Sprintf("%s owned by %s", counted(len(r.Holders), "partition"), counted(len(r.Members), "member")))
	case kindGroup:
		parts = append(parts, counted(len(r.Members), "member"))
	case kindService:
		parts = append(parts, counted(len(r.Members), "instance"))
	case kindDiscovery:
		parts[0] = counted(len(r.Services), "service")
	}
	if n := len(r.Waiting); n > 0 {
		parts = append(parts, waits(n))
	}
	out := strings.Join(parts, ", ")
	if len(r.MayBe) > 0 {
		out += "; it may also be: " + strings.Join(r.MayBe, ", ")
	}
	return out
}

func waits(n int) string {
	if n == 1 {
		return "1 waits"
	}
	return fmt.Sprintf("%d wait", n)
}

// held says by whom something is held.
func held(r *report, verb, free string) string {
	switch len(r.Holders) {
	case 0:
		return free
	case 1:
	default:
		return fmt.Sprintf("%s by %d", verb, len(r.Holders))
	}
	h := r.Holders[0]
	by := h.Identifier
	if by == "" {
		by = "session " + h.Session
	}
	if h.Session == "" && r.Kind != kindLease {
		by += ", which belongs to no session,"
	}
	if h.Role != "" {
		by += " to " + h.Role
	}
	return fmt.Sprintf("%s by %s since %s with token %d", verb, shorten(by), h.Since.Format(time.RFC3339), h.Token)
}

// queued says how much is in a queue.
func queued(r *report) []string {
	q := r.Queue
	items := counted(q.Items, "item")
	if r.Limit != nil {
		items += fmt.Sprintf(" of at most %d", *r.Limit)
	}
	parts := []string{items}
	for _, one := range []struct {
		n    int
		what string
	}{{q.Leased, "leased"}, {q.Delayed, "delayed"}, {q.Dead, "dead"}} {
		if one.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	if !q.Oldest.IsZero() {
		parts = append(parts, "the oldest of "+q.Oldest.Format(time.RFC3339))
	}
	if !q.NextDue.IsZero() {
		parts = append(parts, "the next due at "+q.NextDue.Format(time.RFC3339))
	}
	return parts
}
