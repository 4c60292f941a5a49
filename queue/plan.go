package queue

import (
	"errors"

	"github.com/zookit/zookit/client"
)

// role says what an operation of a transaction is there for, so that a failure can be told by it.
type role uint8

const (
	roleCheck  role = iota // nothing of a better priority has come since the look
	rolePlace              // the segment is the one that items are added to
	roleItem               // the item itself, to be deleted
	roleNew                // the item itself, to be made
	roleID                 // the node that remembers its id
	roleLease              // the node that keeps others out
	roleHolder             // the node that tells whose lease it is, below the item's
	roleBell               // the node whose change wakes a consumer
	roleBound              // the node by which bounded puts exclude each other
)

// plan is a transaction that knows what each of its operations is there for, and for which item.
type plan struct {
	t     *client.Txn
	parts []part
}

type part struct {
	role role
	item int
}

func (p *plan) note(r role, item int) *client.Txn {
	p.parts = append(p.parts, part{role: r, item: item})
	return p.t
}

// failedIn tells which operation of a plan was refused, and its error. ok is false if err is something else.
func (p *plan) failedIn(err error) (what part, why error, ok bool) {
	if p == nil {
		return part{}, nil, false
	}
	failed, ok := errors.AsType[*client.TxnError](err)
	if !ok || failed.Index >= len(p.parts) || client.Outcome(err) != client.Definite {
		return part{}, nil, false
	}
	return p.parts[failed.Index], failed.Err, true
}
