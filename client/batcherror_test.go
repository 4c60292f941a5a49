package client

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A batch is not sent only if no part of it is, and definite only if every part is
// answered: who goes by its outcome neither repeats what was executed nor believes that
// what may yet be executed was not.
func TestBatchErrorOutcome(t *testing.T) {
	result := func(kind OutcomeKind, err error) BatchResult {
		return BatchResult{Err: &OpError{Op: "getData", Path: "/a", Outcome: kind, Err: err}}
	}
	var fine BatchResult
	unsent, unknown, answered := result(NotSent, ErrNotConnected), result(Unknown, ErrConnectionLost), result(Definite, ErrNoNode)
	for _, tc := range []struct {
		results []BatchResult
		index   int
		failed  int
		want    OutcomeKind
	}{
		{[]BatchResult{unsent, unsent}, 0, 2, NotSent},
		{[]BatchResult{answered, fine}, 0, 1, Definite},
		{[]BatchResult{fine, answered, answered}, 1, 2, Definite},
		{[]BatchResult{fine, unsent}, 1, 1, Unknown},
		{[]BatchResult{unsent, fine}, 0, 1, Unknown},
		{[]BatchResult{answered, unsent}, 0, 2, Unknown},
		{[]BatchResult{unknown, unsent}, 0, 2, Unknown},
		{[]BatchResult{fine, unknown, answered}, 1, 2, Unknown},
	} {
		err := batchError(tc.results)
		require.Equal(t, &BatchError{Index: tc.index, Failed: tc.failed, Total: len(tc.results), Outcome: tc.want, Err: tc.results[tc.index].Err}, err)
		require.Equal(t, tc.want, Outcome(err))
	}
	require.NoError(t, batchError([]BatchResult{fine, fine}))
	require.NoError(t, batchError(nil))
}
