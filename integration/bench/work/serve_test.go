package work

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answers are the samples of a worker that is told the given lines.
func answers(t *testing.T, does map[string]Func, lines ...string) (all []Sample) {
	t.Helper()
	var out strings.Builder
	require.NoError(t, Serve(t.Context(), strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, does))
	for line := range strings.Lines(out.String()) {
		var s Sample
		require.NoError(t, json.Unmarshal([]byte(line), &s))
		all = append(all, s)
	}
	require.Len(t, all, len(lines), "one answer a line")
	return all
}

func TestServe(t *testing.T) {
	t.Parallel()
	does := map[string]Func{
		"three": func(ctx context.Context, c *Course) error {
			return c.Flood(ctx, 1, func(context.Context, int, int64) error { return nil })
		},
		"fails":   func(context.Context, *Course) error { return errors.New("cannot") },
		"forgets": func(_ context.Context, c *Course) error { return c.Begin() },
	}
	got := answers(t, does,
		`{"work":"three","path":"/a","ops":3}`,
		`{"work":"unheard-of","path":"/a"}`,
		`{"work":"fails","path":"/a"}`,
		`{"work":"forgets","path":"/a"}`,
		`{"work":"three","path":"a","ops":3}`,
		`{"work":"three","path":"/a","ops":-3}`,
		`{"path":"/a"}`,
		`not JSON`,
		`{"work":"three","path":"/a","ops":3,"surplus":true}`,
	)
	require.Equal(t, 3, got[0].Ops)
	require.NoError(t, got[0].Err())
	require.ErrorIs(t, got[1].Err(), ErrAbsent)
	require.ErrorContains(t, got[2].Err(), "cannot")
	require.ErrorContains(t, got[3].Err(), "has not ended")
	require.ErrorContains(t, got[4].Err(), "path")
	require.ErrorContains(t, got[5].Err(), "negative")
	require.ErrorContains(t, got[6].Err(), "without work")
	require.ErrorContains(t, got[7].Err(), "cannot be read")
	require.Equal(t, 3, got[8].Ops, "what is not known is passed over")
}

// At each mark the worker waits for a line.
func TestMarks(t *testing.T) {
	t.Parallel()
	in, specs := io.Pipe()
	said, out := io.Pipe()
	served := make(chan error, 1)
	ran := make(chan struct{}, 1)
	go func() {
		served <- Serve(t.Context(), in, out, map[string]Func{"w": func(ctx context.Context, c *Course) error {
			return c.Flood(ctx, 1, func(context.Context, int, int64) error {
				ran <- struct{}{}
				return nil
			})
		}})
		_ = out.Close()
	}()
	lines := bufio.NewScanner(said)
	tell := func(line string) {
		_, err := io.WriteString(specs, line+"\n")
		require.NoError(t, err)
	}
	tell(`{"work":"w","path":"/a","ops":1,"marks":true}`)
	require.True(t, lines.Scan())
	require.JSONEq(t, `{"mark":"begin"}`, lines.Text())
	require.Empty(t, ran, "nothing runs before the answer")
	tell("")
	require.True(t, lines.Scan())
	require.JSONEq(t, `{"mark":"end"}`, lines.Text())
	require.Len(t, ran, 1)
	tell("")
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), `"ops":1`)
	require.NoError(t, specs.Close())
	require.NoError(t, <-served)
}
