package models

import (
	"fmt"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of members and of who watches them.
const (
	RuleMembers = "members are those who have joined, with data that they have set"
	RuleMissing = "a member that lives is seen, once all is calm"
	RuleGone    = "a member that has left or died is gone when its session would be, once all is calm"
	RuleLeft    = "a member that has left is not in the group"
	RuleSet     = "data that was acknowledged is in the group"
)

// Operations of members.
const (
	// Join makes a client a member; its arguments are a [JoinArgs].
	Join = "join"
	// UpdateMember changes its data, and LeaveGroup ends the membership; their arguments are a [MemberData].
	UpdateMember = "update-member"
	LeaveGroup   = "leave"
	// ListMembers reads who is a member behind a commit in the same session; its result is a [MembersSeen].
	ListMembers = "list-members"
)

// SeenMembers is noted by who watches; its arguments are a [MembersSeen].
const SeenMembers = "seen-members"

// JoinArgs are the arguments of a [Join].
type JoinArgs struct {
	// By names this membership; there is no other of that name, not even of the same member.
	By string `json:"by"`
	// ID is what the member is called, now and later, by others too.
	ID string `json:"id"`
	// Session is how long a session lasts, in nanoseconds.
	Session int64 `json:"session"`
}

// MemberData is what a member tells of itself: N grows with each update.
type MemberData struct {
	By string `json:"by"`
	N  int    `json:"n"`
}

// MemberSeen is a member as it was seen.
type MemberSeen struct {
	MemberData
	// Mzxid is the transaction that has written it.
	Mzxid int64 `json:"mzxid"`
}

// MembersSeen is what was seen of a group. Look numbers what a client looks with: within one it does not go back.
type MembersSeen struct {
	Look    int64        `json:"look,omitempty"`
	Members []MemberSeen `json:"members"`
}

// membership is what a history tells of one.
type membership struct {
	JoinArgs
	process      string
	invoked      int64
	joined       int64 // history.Never if it is not known
	leaving      int64 // when it began to leave
	left         int64 // when that was acknowledged
	over         int64 // when it had left, as far as it was told, or has died
	updates      []*history.Operation
	updateNumber []int
}

// members is all that a history tells.
type members struct {
	by   map[string]*membership
	all  []*membership
	calm int64
	out  []Violation
}

// Members checks what is seen of the members of a group.
func Members(h *history.History) []Violation {
	m := &members{by: map[string]*membership{}, calm: calm(h)}
	if err := m.read(h); err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	type look struct {
		client, by string
		look       int64
	}
	last := map[look]MemberSeen{}
	for _, e := range h.Notes(SeenMembers) {
		var seen MembersSeen
		if err := e.Into(&seen); err != nil {
			return []Violation{{Rule: RuleHistory, Text: err.Error()}}
		}
		m.check(e.Client, e.Time, e.Time, seen)
		for _, s := range seen.Members {
			k := look{e.Client, s.By, seen.Look}
			if l := last[k]; s.Mzxid < l.Mzxid || s.N < l.N {
				m.violated(RuleForward, "%s was shown %s with %d (transaction %#x) at %v, after %d (%#x)", e.Client, s.By, s.N, s.Mzxid, duration(e.Time), l.N, l.Mzxid)
			}
			last[k] = s
		}
	}
	for _, o := range h.Operations() {
		if o.Name != ListMembers || o.Outcome != history.OK {
			continue
		}
		var seen MembersSeen
		if err := o.ResultInto(&seen); err != nil {
			return []Violation{{Rule: RuleHistory, Text: err.Error()}}
		}
		m.check(o.Client, o.Invoked, o.Completed, seen)
		m.checkList(o, seen)
	}
	return append(m.out, Watched(h)...)
}

func (m *members) violated(rule, format string, args ...any) {
	m.out = append(m.out, Violation{Rule: rule, Text: fmt.Sprintf(format, args...)})
}

// read learns who was a member when.
func (m *members) read(h *history.History) error {
	killed := kills(h)
	for _, o := range h.Operations() {
		switch o.Name {
		case Join:
			one := &membership{process: o.Process, invoked: o.Invoked, joined: history.Never, leaving: history.Never, left: history.Never, over: history.Never}
			if err := o.ArgsInto(&one.JoinArgs); err != nil {
				return err
			}
			switch o.Outcome {
			case history.OK:
				one.joined = o.Completed
			default:
				one.leaving, one.over = o.Invoked, o.Ended
			}
			if at, ok := killed[o.Process]; ok {
				one.leaving, one.over = min(one.leaving, at), min(one.over, at)
			}
			m.by[one.By] = one
			m.all = append(m.all, one)
		case UpdateMember, LeaveGroup:
			var args MemberData
			if err := o.ArgsInto(&args); err != nil {
				return err
			}
			one := m.by[args.By]
			if one == nil {
				return fmt.Errorf("%s of %q, who has not joined", o.Name, args.By)
			}
			if o.Name == UpdateMember {
				one.updates, one.updateNumber = append(one.updates, o), append(one.updateNumber, args.N)
				continue
			}
			one.leaving, one.over = min(one.leaving, o.Invoked), min(one.over, o.Ended)
			if o.Outcome == history.OK {
				one.left = min(one.left, o.Completed)
			}
		}
	}
	return nil
}

// check checks what was seen, at some time between two, by itself.
func (m *members) check(client string, from, to int64, seen MembersSeen) {
	there := map[string]bool{}
	for _, s := range seen.Members {
		there[s.By] = true
		one := m.by[s.By]
		if one == nil || one.invoked > to || s.N > one.most(to) {
			m.violated(RuleMembers, "%s saw %s with %d at %v", client, s.By, s.N, duration(to))
			continue
		}
		if one.over != history.Never && from > max(one.over, m.calm)+one.bound() {
			m.violated(RuleGone, "%s saw %s at %v, which had ended at %v", client, s.By, duration(from), duration(one.over))
		}
	}
	for _, one := range m.all {
		if there[one.By] || one.joined == history.Never || one.leaving <= to {
			continue
		}
		if from > max(one.joined, m.calm)+one.bound() {
			m.violated(RuleMissing, "%s did not see %s at %v, which had joined at %v", client, one.By, duration(from), duration(one.joined))
		}
	}
}

// bound is how long it may take until all see what has become of it.
func (o *membership) bound() int64 { return 3*o.Session + int64(slack/time.Nanosecond) }

// most is the greatest number that it may have by a time.
func (o *membership) most(at int64) int {
	most := 0
	for i, u := range o.updates {
		if u.Invoked <= at {
			most = max(most, o.updateNumber[i])
		}
	}
	return most
}

// checkList checks what was read behind a commit.
func (m *members) checkList(o *history.Operation, seen MembersSeen) {
	for _, s := range seen.Members {
		one := m.by[s.By]
		if one == nil {
			continue
		}
		if one.left < o.Invoked {
			m.violated(RuleLeft, "%s read from %v on that %s is a member, which had left by %v", o.Client, duration(o.Invoked), s.By, duration(one.left))
		}
		for i, u := range one.updates {
			if u.Outcome == history.OK && u.Completed < o.Invoked && one.updateNumber[i] > s.N {
				m.violated(RuleSet, "%s read from %v on that %s has %d, which had set %d by %v", o.Client, duration(o.Invoked), s.By, s.N, one.updateNumber[i], duration(u.Completed))
				break
			}
		}
	}
}
