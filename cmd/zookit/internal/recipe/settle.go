package recipe

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/queue"
)

// settling is how long an acknowledgement is tried; after that the item is with the session's end the next one's.
const settling = 10 * time.Second

// leased is what of an item a settlement needs.
type leased = queue.Item[[]byte]

// settle does with an item what a line says, and tells whether it was one that says what to do.
func (t *taker) settle(ctx context.Context, it *leased, line string) (said bool, err error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "ack":
		return true, settled(guarded.Release(ctx, it.Ack, settling))
	case "nack":
		delay := t.retryAfter
		if rest != "" {
			if delay, err = time.ParseDuration(rest); err != nil {
				return false, app.Usagef("nack %s: give a duration such as 30s", rest)
			}
		}
		return true, settled(guarded.Release(ctx, func(ctx context.Context) error { return it.Nack(ctx, delay) }, settling))
	case "bury":
		return true, settled(guarded.Release(ctx, func(ctx context.Context) error { return it.Bury(ctx, rest) }, settling))
	}
	return false, app.Usagef("%q: say ack, nack, nack DURATION or bury REASON", line)
}

// settled gives the end of a lease its exit status.
func settled(err error) error {
	if errors.Is(err, queue.ErrLost) {
		return &app.Exit{Code: app.ExitLost, Err: err}
	}
	return err
}

// giveBack gives an item back. What cannot be done is done by the session's end.
func (t *taker) giveBack(ctx context.Context, it *leased, delay time.Duration) {
	err := guarded.Release(ctx, func(ctx context.Context) error { return it.Nack(ctx, delay) }, settling)
	if err != nil && !errors.Is(err, queue.ErrLost) {
		t.env.Say("the item goes back with the session: %v", err)
	}
}
