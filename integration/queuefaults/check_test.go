package queuefaults

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The check finds what it is there for.
func TestCheckFindsDefects(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	e := func(worker, kind, id string, attempt int, token int64, s int) event {
		return event{Worker: worker, Kind: kind, ID: id, Attempt: attempt, Token: token, At: at(s)}
	}
	good := []event{
		e("p", putting, "a", 0, 0, 1), e("p", put, "a", 0, 0, 2),
		e("c", got, "a", 1, 10, 3), e("c", lost, "a", 1, 10, 5),
		e("d", got, "a", 2, 11, 6), e("d", acking, "a", 2, 11, 7), e("d", acked, "a", 2, 11, 8),
		e("p", putting, "b", 0, 0, 9), e("p", put, "b", 0, 0, 10),
		e("p", putting, "k", 0, 0, 9), // and was killed
	}
	require.Empty(t, check(good, map[string]int{"b": 1}, 0))
	require.Empty(t, check(good, nil, 1))
	for _, l := range good {
		back, ok := parseEvent(l.String())
		require.True(t, ok)
		require.True(t, back.At.Equal(l.At))
		back.At = l.At
		require.Equal(t, l, back)
	}
	for want, tt := range map[string]struct {
		more []event
		left map[string]int
	}{
		"put and lost: [b]":                                {nil, nil},
		"b is in the queue 2 times":                        {nil, map[string]int{"b": 2}},
		"x is in the queue and nobody":                     {nil, map[string]int{"b": 1, "x": 1}},
		"a was acknowledged or popped and is in the queue": {nil, map[string]int{"a": 1, "b": 1}},
		"a was acknowledged or popped 2 times":             {[]event{e("c", acked, "a", 3, 12, 9)}, map[string]int{"b": 1}},
		"y was handed out and nobody":                      {[]event{e("c", got, "y", 1, 13, 9)}, map[string]int{"b": 1, "y": 1}},
		"attempt 1 was handed out twice":                   {[]event{e("c", got, "b", 1, 13, 11), e("d", got, "b", 1, 14, 12)}, map[string]int{"b": 1}},
		"attempt 2 has token 12, and the one before 13":    {[]event{e("c", got, "b", 1, 13, 11), e("d", got, "b", 2, 12, 12)}, map[string]int{"b": 1}},
		"before the lease of c was over":                   {[]event{e("c", got, "b", 1, 13, 11), e("c", lost, "b", 1, 13, 20), e("d", got, "b", 2, 14, 12)}, map[string]int{"b": 1}},
	} {
		wrong := check(append(slices.Clip(good), tt.more...), tt.left, 0)
		require.Len(t, wrong, 1, want)
		require.Contains(t, wrong[0], want)
	}
}
