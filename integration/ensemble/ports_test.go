package ensemble

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortsAreNotSharedAndComeBack(t *testing.T) {
	a, err := claimPorts(15)
	require.NoError(t, err)
	defer func() { _ = a.close() }()
	b, err := claimPorts(15)
	require.NoError(t, err)
	defer func() { _ = b.close() }()
	require.NotEqual(t, a.first/portBlock, b.first/portBlock)

	// Nothing but the claim keeps the block: its other ports are free.
	require.NoError(t, allFree(a.at(0), 15))
	require.Error(t, allFree(a.first-1, 1))
	require.NoError(t, a.close())
	require.NoError(t, allFree(a.first-1, 16))
}

func TestPortsTakenByOthersAreLeftOut(t *testing.T) {
	a, err := claimPorts(3)
	require.NoError(t, err)
	defer func() { _ = a.close() }()
	l, err := listen(a.at(2))
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	require.Error(t, allFree(a.at(0), 3))
	require.NoError(t, allFree(a.at(0), 2))
}

func TestTooManyPorts(t *testing.T) {
	for _, n := range []int{0, portBlock} {
		_, err := claimPorts(n)
		require.ErrorContains(t, err, "at most 31")
	}
}
