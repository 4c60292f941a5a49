package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/integration/faults/models"
)

// Members is a group that clients join, in which they change their data, and which they leave; all watch who is there. A client that takes
// the place of one that was killed joins under the same id.
//
// Operations: join ({by, id, session}), update-member, leave ({by, n}), list-members ({}, {members}). Notes: seen-members, and missed and settled as
// models.Watched has them.
func Members() *Workload {
	return &Workload{
		Name: "members",
		Doc:  "a member that lives is seen, one that has left or died is not, data never goes back, and who watches has the truth in the end",
		Run: func(ctx context.Context, env *Env) error {
			b := &belonging{env: env, dir: env.Path + "/group"}
			defer b.unwatch()
			if err := b.watch(ctx); err != nil {
				return surprise(ctx, "observe the group", err)
			}
			err := takeTurns(ctx, env, func() error { return b.turn(ctx) })
			clean, cancel := Cleaning(ctx)
			defer cancel()
			settled(clean, env, b.differences)
			if b.member != nil && err == nil {
				err = b.leave(clean)
			}
			return err
		},
		Check: models.Members,
	}
}

// belonging is one client as a member, and what it sees of the others.
type belonging struct {
	env *Env
	dir string

	view      *group.View
	look      int64
	following sync.WaitGroup

	terms  int
	member *group.Member
	now    models.MemberData // as it was set last, or was to be
}

// watch starts to watch the group.
func (b *belonging) watch(ctx context.Context) error {
	view, err := group.Observe(ctx, b.env.Client, b.dir)
	if err != nil {
		return err
	}
	b.view = view
	b.look += 2 // one is that of turn
	look := b.look
	b.following.Go(func() {
		for members, err := range view.Updates(context.WithoutCancel(ctx)) { // until it is closed
			if err == nil {
				b.env.Record.Note(models.SeenMembers, membersSeen(look, members))
			}
		}
	})
	return nil
}

func (b *belonging) unwatch() {
	if b.view != nil {
		b.view.Close()
		b.following.Wait()
	}
}

// membersSeen is a list as it is written down.
func membersSeen(look int64, members []group.Info) models.MembersSeen {
	seen := models.MembersSeen{Look: look, Members: []models.MemberSeen{}}
	for _, m := range members {
		s := models.MemberSeen{Mzxid: m.Mzxid}
		if json.Unmarshal(m.Data, &s.MemberData) != nil {
			s.By = fmt.Sprintf("%s with data %q", m.ID, m.Data)
		}
		seen.Members = append(seen.Members, s)
	}
	return seen
}

func (b *belonging) turn(ctx context.Context) error {
	bounded, cancel := b.env.Bounded(ctx)
	defer cancel()
	b.env.Record.Note(models.SeenMembers, membersSeen(b.look+1, b.view.Members()))
	n := b.env.Rand.IntN(16)
	switch {
	case n == 0:
		b.unwatch()
		clean, cancel := Cleaning(ctx) // it is to settle in the end
		defer cancel()
		return surprise(clean, "observe the group", b.watch(clean))
	case n < 4:
		return b.list(bounded)
	case b.member == nil:
		return b.join(bounded)
	case n == 4:
		return b.leave(bounded)
	default:
		return b.update(bounded)
	}
}

func (b *belonging) data() []byte {
	data, _ := json.Marshal(b.now) // of a string and a number
	return data
}

func (b *belonging) join(ctx context.Context) error {
	b.terms++
	b.now = models.MemberData{By: fmt.Sprintf("%s-%d", b.env.Name, b.terms)}
	id := fmt.Sprintf("m%d", b.env.Index)
	op := b.env.Record.Invoke(models.Join, models.JoinArgs{By: b.now.By, ID: id, Session: int64(b.env.Session)})
	member, err := group.Join(ctx, b.env.Client, b.dir, id, b.data())
	if err != nil {
		op.Unknown(err) // no member, but what is left of it may be seen for a while
		return surprise(ctx, "join", err)
	}
	op.OK(nil)
	b.member = member
	return nil
}

func (b *belonging) update(ctx context.Context) error {
	b.now.N++
	op := b.env.Record.Invoke(models.UpdateMember, b.now)
	err := b.member.Set(ctx, b.data())
	if err != nil {
		op.Unknown(err) // it is written in the background
		return surprise(ctx, "update a member", err)
	}
	op.OK(nil)
	return nil
}

func (b *belonging) leave(ctx context.Context) error {
	op := b.env.Record.Invoke(models.LeaveGroup, b.now)
	err := b.member.Leave(ctx)
	b.member = nil
	if err != nil {
		op.Unknown(err) // it goes on in the background
		return surprise(ctx, "leave", err)
	}
	op.OK(nil)
	return nil
}

// list reads who is there, behind a commit.
func (b *belonging) list(ctx context.Context) error {
	op := b.env.Record.Invoke(models.ListMembers, nil)
	s, err := b.env.Client.Session(ctx)
	if err == nil {
		err = s.Confirm(ctx)
	}
	var members []group.Info
	if err == nil {
		members, err = group.Members(ctx, b.env.Client, b.dir)
	}
	if err == nil {
		err = context.Cause(s.Context()) // in another session it may have been at a server that lags behind
	}
	if err != nil {
		op.Fail(err)
		return nil // it was read in vain
	}
	op.OK(membersSeen(0, members))
	return nil
}

// differences compares the view with what the servers say.
func (b *belonging) differences(ctx context.Context) string {
	if err := b.env.Client.Sync(ctx, b.dir); err != nil {
		return err.Error()
	}
	members, err := group.Members(ctx, b.env.Client, b.dir)
	if err != nil {
		return err.Error()
	}
	truth, view := membersSeen(0, members), membersSeen(0, b.view.Members())
	if fmt.Sprint(truth) != fmt.Sprint(view) {
		return fmt.Sprintf("the view has %v, and the group %v", view.Members, truth.Members)
	}
	if b.member == nil {
		return ""
	}
	for _, m := range truth.Members {
		if m.MemberData == b.now {
			return ""
		}
	}
	return fmt.Sprintf("%v is not in the group: %v", b.now, truth.Members)
}
