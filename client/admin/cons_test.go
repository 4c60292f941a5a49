package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCons(t *testing.T) {
	for name, want := range map[string][]Connection{
		"3.4/cons.txt": {{
			Remote: "10.1.2.3:51234", InterestOps: 1, Received: 1021, Sent: 1043,
			SessionID: 0x16a5c3f1b2c0007, LastOp: "GETD", Established: time.UnixMilli(1552990000123), Timeout: 30 * time.Second,
			LastCxid: 1000, LastZxid: 0x2b00001f7a, LastResponse: 1552991111456 * ms, Latency: Latency{0, ms, 57 * ms},
		}, {
			Remote: "10.1.2.4:40022", Outstanding: 3, Received: 1,
		}, {
			Remote: "10.1.2.5:51999", InterestOps: 1, Received: 2, Sent: 2,
			SessionID: 0x16a5c3f1b2c0008, LastOp: "SESS", Established: time.UnixMilli(1552991110000), Timeout: 10 * time.Second,
			LastCxid: -1, LastZxid: -1, LastResponse: 1552991110004 * ms, LastLatency: 4 * ms, Latency: Latency{0, 2 * ms, 4 * ms},
		}},
		"3.6/cons.txt": {{
			Remote: "[::1]:51000", InterestOps: 1, Received: 4, Sent: 4,
			SessionID: -0xffffffffffffff, LastOp: "CREA", Established: time.UnixMilli(1617900000000), Timeout: 6 * time.Second,
			LastCxid: 2, LastZxid: 0x900000a11, LastResponse: 8123456 * ms, LastLatency: 3 * ms, Latency: Latency{ms, 2 * ms, 3 * ms},
		}, {
			Remote: "127.0.0.1:51002", InterestOps: 1, Received: 9, Sent: 10,
			SessionID: 0x100000123456789, LastOp: "NA", Established: time.UnixMilli(1617900000500), Timeout: 6 * time.Second,
			LastCxid: 7, LastZxid: -1,
		}, {
			Remote: "null", Received: 2, Sent: 2,
			SessionID: 0x10000012345678a, LastOp: "PING", Established: time.UnixMilli(1617900000600), Timeout: 6 * time.Second,
			LastCxid: -1, LastZxid: 0x900000a11, LastResponse: 8123460 * ms,
		}},
		"3.8/cons-leader.txt": {{
			Remote: "127.0.0.1:37246", InterestOps: 1, Received: 14, Sent: 14,
			SessionID: 0x30000485bc90000, LastOp: "PING", Established: time.UnixMilli(1795302625073), Timeout: 10 * time.Second,
			LastZxid: 0x10000000c, LastResponse: 5011433 * ms, LastLatency: ms, Latency: Latency{0, ms, 3 * ms},
		}, {
			Remote: "127.0.0.1:54370", Received: 1,
		}},
		"3.9/cons.txt": {{
			Remote: "[::1]:40100", InterestOps: 1, Received: 12, Sent: 13,
			SessionID: 0x2000a1b2c3d0004, LastOp: "PING", Established: time.UnixMilli(1729300000000), Timeout: 15 * time.Second,
			LastCxid: 5, LastZxid: 0x300000abc, LastResponse: 77001234 * ms, Latency: Latency{Max: 6 * ms},
		}, {
			Remote: "[fe80::1:2:3:4%eth0]:40102", InterestOps: 5, Outstanding: 2, Received: 1,
		}},
	} {
		got, err := consFromText(sample(t, name))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func TestConsJSON(t *testing.T) {
	got, err := consFromJSON([]byte(sample(t, "3.9/connections.json")))
	require.NoError(t, err)
	require.Equal(t, []Connection{{
		Remote: "[::1]:40100", InterestOps: 1, Received: 12, Sent: 13,
		SessionID: 0x2000a1b2c3d0004, LastOp: "PING", Established: time.UnixMilli(1729300000000), Timeout: 15 * time.Second,
		LastCxid: 5, LastZxid: 0x300000abc, LastResponse: 77001234 * ms, Latency: Latency{Max: 6 * ms},
	}, {
		Remote: "null", Outstanding: 2, Received: 1,
	}, {
		Remote: "10.9.8.7:40400", Secure: true, Received: 2, Sent: 2,
		SessionID: -0xffffffffffffff, LastOp: "SESS", Established: time.UnixMilli(1729300000200), Timeout: 30 * time.Second,
		LastCxid: -1, LastZxid: 0x300000abc, LastResponse: 77009999 * ms, LastLatency: 8 * ms, Latency: Latency{ms, 4 * ms, 8 * ms},
	}}, got)

	// A real server's, a moment after its answer to cons.
	text, err := consFromText(sample(t, "3.8/cons-leader.txt"))
	require.NoError(t, err)
	json, err := consFromJSON([]byte(sample(t, "3.8/connections-leader.json")))
	require.NoError(t, err)
	require.Equal(t, text[:1], json)

	none, err := consFromJSON([]byte(`{"connections":[],"command":"connections","error":null}`))
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestConsMalformed(t *testing.T) {
	for _, line := range []string{
		" /127.0.0.1:1[0](queued=0,recved=1,sent=0", " /127.0.0.1:1[0]", "hello", ")",
		" /127.0.0.1:1[0](queued=0,recved=x,sent=0)", " /127.0.0.1:1[0](queued=0,sent=0)", " /127.0.0.1:1[z](queued=0,recved=1,sent=0)",
		" /127.0.0.1:1[0](queued=0,recved=1,sent=0,sid=0xzz)", " /127.0.0.1:1[0](queued=0,recved=1,sent=0,sid=0x1,to=soon)",
	} {
		_, err := consFromText(" /127.0.0.1:2[0](queued=0,recved=1,sent=0)\n" + line + "\n\n")
		require.ErrorIs(t, err, ErrMalformed, line)
		require.ErrorContains(t, err, strings.TrimSpace(line))
	}
	_, err := consFromText("\n")
	require.NoError(t, err, "no connection at all")
	for _, bad := range []string{``, `{}`, `{"connections":7}`, `{"connections":[7]}`, `{"connections":[{}]}`,
		`{"connections":[{"packets_received":1,"packets_sent":"x"}]}`, `{"connections":[],"secure_connections":[null]}`} {
		_, err := consFromJSON([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
}

func TestConsCutShort(t *testing.T) {
	for name, text := range samples(t, "cons*.txt") {
		for i := range len(text) {
			_, err := consFromText(text[:i])
			require.ErrorIs(t, err, ErrMalformed, "%s up to %q", name, text[:i])
		}
	}
}

func TestRemote(t *testing.T) {
	for text, want := range map[string]string{
		"/127.0.0.1:80":               "127.0.0.1:80",
		"127.0.0.1:80":                "127.0.0.1:80",
		"zk1.example/10.0.0.1:80":     "10.0.0.1:80",
		"/0:0:0:0:0:0:0:1:80":         "[::1]:80",
		"/[0:0:0:0:0:0:0:1]:80":       "[::1]:80",
		"host.example/<unresolved>:9": "<unresolved>:9",
		"host.example:9":              "host.example:9",
		"null":                        "null",
		"":                            "",
	} {
		require.Equal(t, want, remote(text), text)
	}
}
