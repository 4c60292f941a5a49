package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// event is one line of a worker's timeline, see examples/stackupdate, or a fault
// injected here: killed, frozen, thawed.
type event struct {
	Time   int64  `json:"time"`
	Worker string `json:"worker"`
	Event  string `json:"event"`
	Token  int64  `json:"token"`
	Detail string `json:"detail"`
}

// story is what has happened, as told by all.
type story struct {
	began  int64
	events []event
	first  map[string]bool // workers that have waited before
}

func newStory() *story {
	return &story{began: time.Now().UnixNano(), first: map[string]bool{}}
}

// add notes an event and prints it if a reader wants to know.
func (s *story) add(ev event) {
	s.events = append(s.events, ev)
	text := ""
	switch ev.Event {
	case "waits":
		if s.first[ev.Worker] {
			return
		}
		s.first[ev.Worker] = true
		text = "waits for the lock"
	case "holds":
		text = fmt.Sprintf("holds the lock with token %d for update %s", ev.Token, ev.Detail)
	case "finishes":
		text = fmt.Sprintf("takes over: finishes update %s, which its holder left", ev.Detail)
	case "killed":
		text = "KILLED while it holds the lock (SIGKILL)"
	case "frozen":
		text = "FROZEN while it holds the lock (SIGSTOP)"
	case "thawed":
		text = fmt.Sprintf("THAWED (SIGCONT); it believes in its token %d still", ev.Token)
	case "refused":
		text = "is refused: " + oneLine(ev.Detail)
	case "lost":
		text = "has lost the lock: " + oneLine(ev.Detail)
	case "unsure":
		text = "does not know: " + oneLine(ev.Detail)
	case "done":
		text = "is done: " + ev.Detail
	default:
		return
	}
	fmt.Printf("%8.3fs  %-4s %s\n", time.Duration(ev.Time-s.began).Seconds(), ev.Worker, text)
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }

// span is the time from a worker's "holds" to the last that it did under the lock.
type span struct {
	from, to int64
	worker   string
	token    int64
}

// overlaps checks that no two workers held at once. A holding ends when its worker
// says so, before it gives the lock back, or with the signal that stopped the worker.
func (s *story) overlaps() error {
	events := slices.Clone(s.events)
	slices.SortStableFunc(events, func(a, b event) int { return int(a.Time - b.Time) })
	open := map[string]*span{}
	var spans []*span
	for _, ev := range events {
		switch ev.Event {
		case "holds":
			open[ev.Worker] = &span{from: ev.Time, to: ev.Time, worker: ev.Worker, token: ev.Token}
			spans = append(spans, open[ev.Worker])
		case "writes", "finishes":
			if at := open[ev.Worker]; at != nil {
				at.to = ev.Time
			}
		case "ends", "killed", "frozen":
			if at := open[ev.Worker]; at != nil {
				at.to = ev.Time
			}
			delete(open, ev.Worker)
		}
	}
	for i := 1; i < len(spans); i++ {
		a, b := spans[i-1], spans[i]
		if b.from < a.to {
			return fmt.Errorf("overlap: %s held with token %d until %v after %s had got token %d",
				a.worker, a.token, time.Duration(a.to-b.from), b.worker, b.token)
		}
		if b.token <= a.token {
			return fmt.Errorf("token %d of %s is not greater than %d of %s before it", b.token, b.worker, a.token, a.worker)
		}
	}
	return nil
}

// faults checks that the two faults were injected and had to be dealt with:
// otherwise the run proves nothing.
func (s *story) faults() error {
	need := map[string]bool{"killed": true, "frozen": true, "thawed": true, "finishes": true}
	refused := false
	for _, ev := range s.events {
		delete(need, ev.Event)
		refused = refused || ev.Event == "refused" || ev.Event == "lost"
	}
	if len(need) > 0 || !refused {
		return fmt.Errorf("this run did not show what it was to show: missing %v, the frozen worker was refused: %v", need, refused)
	}
	return nil
}

// updates checks that what a worker was told to be applied reached the cloud.
func (s *story) updates(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var cloud struct {
		Writes []struct {
			Update string `json:"update"`
		} `json:"writes"`
	}
	if err := json.Unmarshal(data, &cloud); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, w := range cloud.Writes {
		there[w.Update] = true
	}
	var errs []error
	for _, ev := range s.events {
		if ev.Event == "applied" && !there[ev.Detail] {
			errs = append(errs, fmt.Errorf("lost update: %s was told that %s is applied, the cloud has not seen it", ev.Worker, ev.Detail))
		}
	}
	return errors.Join(errs...)
}
