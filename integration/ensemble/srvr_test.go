package ensemble

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseSrvr(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   status
		fails  bool
	}{
		"debian":      {answer: standaloneAnswer, want: status{mode: "standalone", version: "3.8.0", synced: unknown}},
		"upstream":    {answer: roleAnswer("leader"), want: status{mode: "leader", version: "3.9.3", synced: unknown}},
		"old":         {answer: "Zookeeper version: 3.4.14-4c25d480, built on x\nMode: follower\n", want: status{mode: "follower", version: "3.4.14", synced: unknown}},
		"no version":  {answer: "Mode: observer\n", want: status{mode: "observer", synced: unknown}},
		"not serving": {answer: "This ZooKeeper instance is not currently serving requests\n", fails: true},
		"nothing":     {fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseSrvr(test.answer)
			if test.fails {
				require.ErrorIs(t, err, errNotServing)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestParseWatches(t *testing.T) {
	n, err := parseWatches("2 connections watching 3 paths\nTotal watches:4\n")
	require.NoError(t, err)
	require.Equal(t, 4, n)

	_, err = parseWatches("nonsense")
	require.ErrorContains(t, err, `"nonsense"`)
}

func TestProbeOfALeader(t *testing.T) {
	for name, test := range map[string]struct {
		mntr string
		want int
		err  string
	}{
		"in step":     {mntr: "zk_version\t3.8.0\nzk_synced_followers\t2\nzk_synced_non_voting_followers\t0\n", want: 2},
		"not allowed": {mntr: "mntr is not executed because it is not in the whitelist.\n", want: unknown},
		"deposed":     {mntr: "This ZooKeeper instance is not currently serving requests\n", err: "not currently serving"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := answering(t, map[string]string{"srvr": roleAnswer("leader"), "mntr": test.mntr})
			got, err := probe(bounded(t), addr)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, status{mode: modeLeader, version: "3.9.3", synced: test.want}, got)
		})
	}
}

func TestWatchesNotAllowed(t *testing.T) {
	addr := answering(t, map[string]string{"wchs": "wchs is not executed because it is not in the whitelist.\n"})
	_, err := newServer(1, outsider(addr), false).Watches(bounded(t))
	require.ErrorContains(t, err, "4lw.commands.whitelist")
	require.ErrorContains(t, err, addr)
}

func TestFourLetterGivesUp(t *testing.T) {
	addr := answering(t, nil)
	gone := errors.New("the caller is gone")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Millisecond, gone)
	defer cancel()
	_, err := fourLetter(ctx, addr, "srvr")
	require.ErrorIs(t, err, gone)
	require.ErrorContains(t, err, "command srvr to "+addr)

	_, err = fourLetter(t.Context(), addr, "srvrs")
	require.ErrorContains(t, err, "four letters")
}
