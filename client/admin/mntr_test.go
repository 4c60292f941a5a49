package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMntr(t *testing.T) {
	for name, want := range map[string]Mntr{
		"3.4/mntr-leader.txt": {
			Version: Version{"3.4.14", "3.4.14-4c25d480e66aadd371de8bd2fd8da255ac140bcf, built on 03/06/2019 16:18 GMT"}, Mode: Leader,
			Latency: Latency{0, 2 * ms, 1789 * ms}, Received: 22152032, Sent: 30959914, Connections: 1033, Outstanding: 7,
			Nodes: 242609, Ephemerals: 8565, Watches: 940522, DataSize: 372143564, OpenFiles: 1083, MaxFiles: 1048576,
			Leading: &Leading{Learners: 4, SyncedFollowers: 2, PendingSyncs: 1, Proposals: Sizes{92, 32, 20471}},
		},
		"3.5/mntr-leader.txt": {
			Version: Version{"3.5.4", "3.5.4-beta-7f51e5b68cf2f80176ff944a9ebd2abbc65e7327, built on 05/11/2018 16:27 GMT"}, Mode: Leader,
			Latency: Latency{0, ms, 33 * ms}, Received: 512, Sent: 511, Connections: 3,
			Nodes: 21, Ephemerals: 2, Watches: 4, DataSize: 812, OpenFiles: 61, MaxFiles: 4096,
			Leading: &Leading{Learners: 2, SyncedFollowers: 2, Proposals: Sizes{36, 32, 120}},
		},
		"3.6/mntr-observer.txt": {
			Version: Version{"3.6.3", "3.6.3--6401e4ad2087061bc6b9f80dec2d69f2e3c8660a, built on 04/08/2021 16:35 GMT"}, Mode: Observer,
			PeerState: "observing - broadcast", Latency: Latency{0, 487100 * time.Nanosecond, 212 * ms},
			Received: 90321, Sent: 90400, Connections: 14, Outstanding: 1, Nodes: 1733, Ephemerals: 45, Watches: 388, DataSize: 301122,
			OpenFiles: 77, MaxFiles: 1048576, Uptime: 24*time.Hour + 123*ms,
		},
		"3.8/mntr-leader.txt": {
			Version: Version{"3.8.0", "3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC"}, Mode: Leader, PeerState: "leading - broadcast",
			Latency:  Latency{0, 1071400 * time.Nanosecond, 3 * ms},
			Received: 25, Sent: 28, Connections: 2, Nodes: 10, Ephemerals: 3, Watches: 1, DataSize: 3262,
			OpenFiles: 54, MaxFiles: 20000, Uptime: 269486 * ms,
			Leading: &Leading{Learners: 2, SyncedFollowers: 2, Proposals: Sizes{1091, 36, 1091}},
		},
		"3.9/mntr-leader.txt": {
			Version: Version{"3.9.3", "3.9.3-c26634f34490bb0ea7a09cc51e05ede3b4e320ee, built on 2024-10-17 23:21 UTC"}, Mode: Leader,
			PeerState: "leading - broadcast", Latency: Latency{0, 751200 * time.Nanosecond, 48 * ms},
			Received: 4410, Sent: 4420, Connections: 5, Nodes: 99, Ephemerals: 11, Watches: 70, DataSize: 5120,
			OpenFiles: 88, MaxFiles: 1<<63 - 1, Uptime: time.Hour + 500*ms,
			Leading: &Leading{Learners: 6, SyncedFollowers: 3, SyncedNonVoting: 1, SyncedObservers: 2, PendingSyncs: 1, Proposals: Sizes{48, 36, 1091}},
		},
	} {
		text := sample(t, name)
		got, err := mntrFromText(text)
		require.NoError(t, err, name)
		require.Len(t, got.Values, strings.Count(text, "\n"), name)
		got.Values = nil
		require.Equal(t, want, *got, name)
	}
}

func TestMntrValues(t *testing.T) {
	m, err := mntrFromText(sample(t, "3.6/mntr-observer.txt"))
	require.NoError(t, err)
	require.Equal(t, "2", m.Values["zk_observer_master_id"])
	n, ok := m.Number("zk_avg_app_write_per_namespace")
	require.True(t, ok)
	require.InDelta(t, 112.5, n, 0)
	for _, name := range []string{"zk_version", "zk_nothing", "zk_read_per_namespace"} {
		_, ok = m.Number(name)
		require.False(t, ok, name)
	}

	// A metrics provider of its own writes labels.
	m, err = mntrFromText(sample(t, "3.9/mntr-leader.txt"))
	require.NoError(t, err)
	n, ok = m.Number(`zk_read_latency{quantile="0.99"}`)
	require.True(t, ok)
	require.InDelta(t, 0.00012, n, 1e-9)
}

// The admin endpoint of a real server names and counts the same things.
func TestMntrSameInBothWays(t *testing.T) {
	text, err := mntrFromText(sample(t, "3.8/mntr-leader.txt"))
	require.NoError(t, err)
	json, err := mntrFromJSON([]byte(sample(t, "3.8/monitor-leader.json")))
	require.NoError(t, err)
	require.Equal(t, text.Connections-1, json.Connections) // the word's own
	for name := range text.Values {
		require.Contains(t, json.Values, name)
	}
	require.Len(t, json.Values, len(text.Values))
	require.Greater(t, json.Uptime, text.Uptime)
	for _, m := range []*Mntr{text, json} {
		m.Connections, m.Received, m.Sent, m.Latency.Avg, m.Uptime, m.Values = 0, 0, 0, 0, 0, nil // they went on counting
		m.OpenFiles = 0
	}
	require.Equal(t, text, json)

	old, err := mntrFromJSON([]byte(sample(t, "3.5/monitor-leader.json")))
	require.NoError(t, err)
	require.Equal(t, &Leading{Learners: 2, SyncedFollowers: 2}, old.Leading)
}

func TestMntrMalformed(t *testing.T) {
	good := sample(t, "3.8/mntr-leader.txt")
	for line, bad := range map[string]string{
		"zk_version\t":          "zk_edition\t",
		"zk_server_state\t":     "zk_state\t",
		"zk_znode_count\t10":    "zk_znode_count\tten",
		"zk_synced_followers\t": "zk_synced_followers\t~",
		"zk_avg_latency\t":      "zk_avg_latency\tabout ",
	} {
		require.Contains(t, good, line)
		_, err := mntrFromText(strings.Replace(good, line, bad, 1))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
	_, err := mntrFromText(strings.Replace(good, "zk_znode_count\t10", "zk_znode_count\tten", 1))
	require.ErrorContains(t, err, `line "zk_znode_count\tten"`)
	_, err = mntrFromText(strings.TrimSuffix(good, "\n"))
	require.ErrorIs(t, err, ErrMalformed)
	for _, bad := range []string{`{}`, `nothing`, `{"version":"3","server_state":"leader","znode_count":[]}`} {
		_, err := mntrFromJSON([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}

	// What is not known need not be a number, nor have a value.
	_, err = mntrFromText(good + "zk_mood\tsunny\nzk_nothing\t\nno tab\n\n")
	require.NoError(t, err)
}
