package models

import (
	"slices"

	"github.com/zookit/zookit/integration/faults/history"
)

// settledAfter is after how many items a consumer that was disturbed goes strictly by their order again: it may get
// neighbours in another order for as long.
const settledAfter = 16

// checkOrder: an item that nobody had ever had, and that was there while another was asked for, is not passed over for one of
// a worse priority; nor, in a queue from which one client takes, for one that was put later.
func (l *ledger) checkOrder(q *line) {
	var client string
	streak := settledAfter
	for _, take := range q.takes {
		if client != "" && take.Client != client {
			streak = 0
		}
		client = take.Client
		if take.Outcome != history.OK {
			streak = 0
			continue
		}
		got := l.content[take]
		for _, x := range got {
			for _, y := range q.pieces {
				if !slices.Contains(got, y) && y.ready(take) && (y.Priority < x.Priority || q.name != "" && streak >= settledAfter && x.follows(y, take)) {
					l.violated(RuleOrder, "%s (priority %d) was handed out to %s, operation %d, from %v to %v, and %s (priority %d) was there since %v, until %v",
						x.Value, x.Priority, take.Client, take.Op, duration(take.Invoked), duration(take.Completed),
						y.Value, y.Priority, duration(y.in), y.deliveries[0])
					break
				}
			}
		}
		streak += len(got)
	}
}

// ready tells whether the item was there for all the time of a take, and had never been handed out.
func (p *piece) ready(take *history.Operation) bool {
	return p.Delay == 0 && p.in < take.Invoked && len(p.deliveries) > 0 &&
		p.deliveries[0].attempt == 1 && p.deliveries[0].op.Invoked > take.Completed
}

// follows tells whether the item comes after another of its priority, and was handed out by this take for the first time.
func (p *piece) follows(y *piece, take *history.Operation) bool {
	if p.Priority != y.Priority || p.Delay != 0 || p.deliveries[0].attempt != 1 || p.deliveries[0].op != take {
		return false
	}
	if len(p.puts) == 1 && len(y.puts) == 1 && p.puts[0].Client == y.puts[0].Client && p.in != history.Never {
		return y.puts[0].Op < p.puts[0].Op // perhaps in one call
	}
	return !slices.ContainsFunc(p.puts, func(o *history.Operation) bool { return o.Invoked <= y.in })
}
