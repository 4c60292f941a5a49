package models_test

import (
	"testing"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// groups are stories of a group; sessions last a second.
type groups struct{ *story }

func (g groups) join(client, by string) *history.Pending {
	return g.begin(client, models.Join, models.JoinArgs{By: by, ID: client, Session: int64(time.Second)})
}

func (g groups) member(client, name, by string, n int) *history.Pending {
	return g.begin(client, name, models.MemberData{By: by, N: n})
}

func member(by string, n int, mzxid int64) models.MemberSeen {
	return models.MemberSeen{MemberData: models.MemberData{By: by, N: n}, Mzxid: mzxid}
}

func (g groups) seen(client string, members ...models.MemberSeen) {
	g.of(client).Note(models.SeenMembers, models.MembersSeen{Look: 1, Members: members})
}

func (g groups) listed(client string, members ...models.MemberSeen) {
	g.did(client, models.ListMembers, nil, models.MembersSeen{Members: members})
}

func (g groups) later() { g.now += int64(time.Minute) }

func (g groups) require(rules ...string) {
	g.t.Helper()
	requireRules(g.t, models.Members(g.end()), rules...)
}

// Members come, change and go; what is unknown may be so or not, for as long as a session.
func TestMembers(t *testing.T) {
	g := groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	g.seen("b")
	g.member("a", models.UpdateMember, "a-1", 1).OK(nil)
	g.member("a", models.UpdateMember, "a-1", 2).Unknown(errLost)
	g.seen("b", member("a-1", 2, 11))
	g.listed("b", member("a-1", 1, 10)) // the second may yet come
	g.join("c", "c-1").Unknown(errLost)
	g.seen("b", member("a-1", 2, 11), member("c-1", 0, 12))
	g.later()
	g.seen("b", member("a-1", 2, 11))
	g.member("a", models.LeaveGroup, "a-1", 2).OK(nil)
	g.seen("b", member("a-1", 2, 11)) // which has not heard of it yet
	g.listed("b")
	g.join("a", "a-2").OK(nil)
	g.lab.Note(history.Fault, history.Disturbance{Kind: "all"})
	g.later()
	g.seen("b", member("a-2", 0, 13))
	g.require()
}

func TestMembersThatNeverWere(t *testing.T) {
	g := groups{tell(t)}
	g.seen("b", member("a-1", 0, 10))
	g.join("a", "a-1").OK(nil)
	g.seen("b", member("a-1", 1, 11))
	g.member("a", models.UpdateMember, "a-1", 1).OK(nil)
	g.require(models.RuleMembers, models.RuleMembers)
}

func TestMembersGoBack(t *testing.T) {
	g := groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	g.member("a", models.UpdateMember, "a-1", 1).OK(nil)
	g.seen("b", member("a-1", 1, 11))
	g.seen("b", member("a-1", 0, 12)) // made again with what it held at first
	g.seen("c", member("a-1", 0, 10))
	g.require(models.RuleForward)
}

func TestMissingMembers(t *testing.T) {
	g := groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	g.later()
	g.lab.Note(history.Healed, history.Disturbance{Kind: "all"})
	g.seen("b") // a session may just have been lost
	g.require()
	g.later()
	g.seen("b")
	g.require(models.RuleMissing)

	// Who was killed is not missed.
	g = groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	g.lab.Note(history.Killed, history.Target{Process: "a"})
	g.later()
	g.seen("b")
	g.require()
}

func TestMembersThatStay(t *testing.T) {
	g := groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	g.member("a", models.LeaveGroup, "a-1", 0).Unknown(errLost)
	g.join("c", "c-1").OK(nil)
	g.lab.Note(history.Killed, history.Target{Process: "c"})
	g.seen("b", member("a-1", 0, 10), member("c-1", 0, 11))
	g.require()
	g.later()
	g.seen("b", member("a-1", 0, 10), member("c-1", 0, 11))
	g.require(models.RuleGone, models.RuleGone)
}

func TestMembersBehindACommit(t *testing.T) {
	g := groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	g.member("a", models.UpdateMember, "a-1", 1).OK(nil)
	g.listed("b", member("a-1", 0, 10))
	g.require(models.RuleSet)

	g = groups{tell(t)}
	g.join("a", "a-1").OK(nil)
	leave := g.member("a", models.LeaveGroup, "a-1", 0)
	g.listed("b", member("a-1", 0, 10))
	leave.OK(nil)
	g.require()
	g.listed("b", member("a-1", 0, 10))
	g.require(models.RuleLeft)
}
