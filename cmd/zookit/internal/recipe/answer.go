package recipe

import (
	"bufio"
	"context"
	"fmt"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/queue"
)

// failures says how many commands have failed.
type failures int

// Error implements error.
func (n failures) Error() string { return fmt.Sprintf("commands that have failed: %d", int(n)) }

// answers is the conversation of take --answer: an item out, and what becomes of it in.
type answers struct {
	*taker
	q     *queue.Queue[[]byte]
	lines chan string // closed with the input
}

func newAnswers(t *taker, q *queue.Queue[[]byte]) *answers {
	return &answers{taker: t, q: q, lines: make(chan string)}
}

// one returns what takes the next item. The input is read by a goroutine that ends with the program: a read of standard input
// cannot be called off.
func (a *answers) one(ctx context.Context) func() (bool, error) {
	go func() {
		defer close(a.lines)
		for in := bufio.NewScanner(a.env.In); in.Scan(); {
			select {
			case a.lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() (bool, error) { return a.converse(ctx) }
}

func (a *answers) converse(ctx context.Context) (bool, error) {
	it, err := wait(ctx, a.taker, a.q.Path(), a.q.Take, a.q.TryTake)
	if err != nil {
		return false, err
	}
	p, err := output.New(a.env.Out, "json")
	if err == nil {
		err = p.Line(struct {
			item
			Path  string `json:"path"`
			Token int64  `json:"token"`
		}{itemOf(it.Entry), it.Path(), it.Token()}, "")
	}
	if err != nil {
		a.giveBack(ctx, it, 0)
		return false, err
	}
	for {
		select {
		case <-it.Context().Done():
			return false, &app.Exit{Code: app.ExitLost, Err: context.Cause(it.Context())}
		case <-ctx.Done():
			a.giveBack(ctx, it, 0)
			return false, ctx.Err()
		case line, ok := <-a.lines:
			if !ok {
				a.giveBack(ctx, it, 0)
				if a.repeat {
					return false, &app.Exit{Code: app.ExitBusy} // the end of it all, and no failure
				}
				return false, nil
			}
			said, err := a.settle(ctx, it, line)
			if said {
				return true, err
			}
			a.env.Say("%v", err)
		}
	}
}
