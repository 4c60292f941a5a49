package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the order in which several write and end, each one's text stays together.
func TestTurns(t *testing.T) {
	var out bytes.Buffer
	all := newTurns(&out)
	a, b, c := all.next(), all.next(), all.next()
	say := func(w *turn, text string) {
		t.Helper()
		_, err := fmt.Fprint(w, text)
		require.NoError(t, err)
	}
	say(b, "b1 ")
	say(a, "a1 ")
	require.Equal(t, "a1 ", out.String())
	say(c, "c1 ")
	b.end()
	say(a, "a2 ")
	require.Equal(t, "a1 a2 ", out.String())
	a.end()
	require.Equal(t, "a1 a2 b1 c1 ", out.String())
	say(c, "c2 ")
	c.end()
	require.Equal(t, "a1 a2 b1 c1 c2 ", out.String())
}
