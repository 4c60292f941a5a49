package client

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A session that is over lets nobody in, though its connection has not been closed yet.
func TestGateOfSessionThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{states: newTransitions()}
		c.gate.changed = make(chan struct{})
		c.ctx, c.cancel = context.WithCancelCause(t.Context())
		defer c.cancel(nil)
		s := &Session{c: c, connected: true}
		s.ctx, s.cancel = context.WithCancelCause(t.Context())
		c.gate.session = s
		got, err := c.enter(t.Context(), nil)
		require.NoError(t, err)
		require.Same(t, s, got)

		s.cancel(ErrSessionLost)
		c.change(func() *StateChange { s.over = true; return nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.enter(ctx, nil)
		require.ErrorIs(t, err, ErrNotConnected)
		_, err = c.enter(t.Context(), s)
		require.ErrorIs(t, err, ErrSessionLost)
	})
}
