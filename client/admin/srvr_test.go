package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestSrvr(t *testing.T) {
	debian := Version{Number: "3.8.0", Build: "3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC"}
	for name, want := range map[string]Srvr{
		"3.4/srvr-leader.txt": {
			Version: Version{"3.4.14", "3.4.14-4c25d480e66aadd371de8bd2fd8da255ac140bcf, built on 03/06/2019 16:18 GMT"}, Mode: Leader,
			Latency:  Latency{0, 2 * ms, 1789 * ms},
			Received: 22152032, Sent: 30959914, Connections: 1033, Outstanding: 7, Zxid: 0x2b00001f7a, Nodes: 242609,
			Proposals: &Sizes{92, 32, 20471},
		},
		"3.4/srvr-standalone.txt": {
			Version: Version{"3.4.6", "3.4.6-1569965, built on 02/20/2014 09:09 GMT"}, Mode: Standalone, Latency: Latency{Max: 14 * ms},
			Received: 31, Sent: 30, Connections: 2, Zxid: 0x1a, Nodes: 12,
		},
		"3.5/srvr-observer.txt": {
			Version: Version{"3.5.4", "3.5.4-beta-7f51e5b68cf2f80176ff944a9ebd2abbc65e7327, built on 05/11/2018 16:27 GMT"}, Mode: Observer,
			Latency: Latency{0, ms, 33 * ms}, Received: 512, Sent: 511, Connections: 3, Zxid: 0x500000012, Nodes: 21,
		},
		"3.6/srvr-follower.txt": {
			Version: Version{"3.6.3", "3.6.3--6401e4ad2087061bc6b9f80dec2d69f2e3c8660a, built on 04/08/2021 16:35 GMT"}, Mode: Follower,
			Latency: Latency{0, 487100 * time.Nanosecond, 212 * ms}, Received: 90321, Sent: 90400, Connections: 14, Outstanding: 1,
			Zxid: 0x900000a11, Nodes: 1733,
		},
		"3.8/srvr-leader.txt": {
			Version: debian, Mode: Leader, Latency: Latency{0, 1076900 * time.Nanosecond, 3 * ms},
			Received: 23, Sent: 26, Connections: 2, Zxid: 0x10000000c, Nodes: 10, Proposals: &Sizes{1091, 36, 1091},
		},
		"3.8/srvr-readonly.txt": {Version: debian, Mode: ReadOnly, Received: 8, Sent: 9, Connections: 1, Zxid: 0x10000000c, Nodes: 10},
		"3.9/srvr-leader.txt": {
			Version: Version{"3.9.3", "3.9.3-c26634f34490bb0ea7a09cc51e05ede3b4e320ee, built on 2024-10-17 23:21 UTC"}, Mode: Leader,
			Latency:  Latency{0, 751200 * time.Nanosecond, 48 * ms},
			Received: 4410, Sent: 4420, Connections: 5, Zxid: 0x300000abc, Nodes: 99, Proposals: &Sizes{-1, -1, -1},
		},
	} {
		got, err := srvrFromText(sample(t, name))
		require.NoError(t, err, name)
		require.Equal(t, want, *got, name)
	}
}

func TestSrvrJSON(t *testing.T) {
	for name, want := range map[string]Srvr{
		"3.5/server_stats-leader.json": {
			Version: Version{"3.5.4", "3.5.4-beta-7f51e5b68cf2f80176ff944a9ebd2abbc65e7327, built on 05/11/2018 16:27 GMT"}, Mode: Leader,
			Latency:  Latency{0, ms, 33 * ms},
			Received: 512, Sent: 511, Connections: 3, Zxid: 0x500000002, Nodes: 21, Proposals: &Sizes{36, 32, 120},
		},
		"3.8/server_stats-readonly.json": {
			Version: Version{"3.8.0", "3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC"}, Mode: ReadOnly,
			Received: 10, Sent: 12, Zxid: 0x10000000c, Nodes: 10,
		},
	} {
		got, err := srvrFromJSON([]byte(sample(t, name)))
		require.NoError(t, err, name)
		require.Equal(t, want, *got, name)
	}
}

// Both ways of asking a real server, one shortly after the other, fill the same struct.
func TestSrvrSameInBothWays(t *testing.T) {
	text, err := srvrFromText(sample(t, "3.8/srvr-leader.txt"))
	require.NoError(t, err)
	json, err := srvrFromJSON([]byte(sample(t, "3.8/server_stats-leader.json")))
	require.NoError(t, err)
	require.Equal(t, text.Connections-1, json.Connections) // the word's own
	for _, s := range []*Srvr{text, json} {
		s.Connections, s.Received, s.Sent, s.Latency.Avg = 0, 0, 0, 0 // they went on counting
	}
	require.Equal(t, text, json)
}

func TestSrvrLenient(t *testing.T) {
	good := sample(t, "3.8/srvr-leader.txt")
	for name, text := range map[string]string{
		"unknown lines":    "Motto: be kind\nno colon at all\n\n" + good + "Feature: x\n",
		"carriage returns": strings.ReplaceAll(good, "\n", "\r\n"),
		"no connections":   strings.Replace(good, "Connections: 2\n", "", 1),
		"an unknown mode":  strings.Replace(good, "Mode: leader", "Mode: emeritus", 1),
		"an unknown build": strings.Replace(good, "3.8.0-$", "trunk-$", 1),
		"a huge count":     strings.Replace(good, "Received: 23", "Received: 99999999999999999999999", 1),
	} {
		_, err := srvrFromText(text)
		require.NoError(t, err, name)
	}
	v := newVersion("trunk, built on Monday")
	require.Equal(t, "trunk, built on Monday", v.String())
	require.Equal(t, "3.9.3", newVersion("3.9.3-c26634f, built on 2024-10-17 23:21 UTC").String())
}

func TestSrvrMalformed(t *testing.T) {
	good := sample(t, "3.8/srvr-leader.txt")
	for line, bad := range map[string]string{
		"Received: 23":               "Received: many",
		"Zxid: 0x10000000c":          "Zxid: 0xyz",
		"Latency min/avg/max: 0/":    "Latency min/avg/max: 0/1/",
		"/1.0769/":                   "/NaN/",
		"last/min/max: 1091/36/1091": "last/min/max: 1091",
		"last/min/max: 1091/36/":     "last/min/max: 1091/x/",
		"Node count: 10":             "Node count: ",
	} {
		require.Contains(t, good, line)
		_, err := srvrFromText(strings.Replace(good, line, bad, 1))
		require.ErrorIs(t, err, ErrMalformed, bad)
		name, _, _ := strings.Cut(bad, ":")
		require.ErrorContains(t, err, strings.TrimPrefix(name, "/NaN/"), bad)
	}
	for _, bad := range []string{
		`{}`, `[]`, `null`, `7`, `{"version":"3","node_count":1}`, `{"version":"3","node_count":1,"server_stats":7}`,
		`{"version":"3","node_count":"many","server_stats":{"server_state":"leader","packets_received":1,"packets_sent":1,"last_processed_zxid":1}}`,
		`{"version":"3","node_count":1,"server_stats":{"server_state":"leader","packets_received":1,"packets_sent":1}}`,
		`{"version":"3","node_count":1,"proposal_stats":7,"server_stats":{"server_state":"leader","packets_received":1,"packets_sent":1,"last_processed_zxid":1}}`,
		`{"version":"3","node_count":1,"proposal_stats":{"last_buffer_size":{}},"server_stats":{"server_state":"leader","packets_received":1,"packets_sent":1,"last_processed_zxid":1}}`,
	} {
		_, err := srvrFromJSON([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
}

// An answer that ends early is an error and never half an answer. A leader's is whole without
// the last line, which not all versions have.
func TestSrvrCutShort(t *testing.T) {
	for name, text := range samples(t, "srvr*.txt") {
		for i := range len(text) {
			_, err := srvrFromText(text[:i])
			if strings.HasPrefix(text[i:], "Proposal") {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorIs(t, err, ErrMalformed, "%s up to %q", name, text[:i])
		}
	}
}
