package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConf(t *testing.T) {
	for name, want := range map[string]Conf{
		"3.4/conf.txt": {
			ServerID: 3, ClientPort: 2181, DataDir: "/var/lib/zookeeper/version-2", DataLogDir: "/var/log/zookeeper/version-2",
			TickTime: 2 * time.Second, MinSessionTimeout: 4 * time.Second, MaxSessionTimeout: 40 * time.Second, MaxClientConnections: 60,
			InitLimit: 10, SyncLimit: 5, QuorumPorts: []int{2888}, ElectionPorts: []int{3888},
		},
		"3.5/conf.txt": {
			ServerID: 2, ClientPort: 2181, DataDir: "/data/version-2", DataLogDir: "/datalog/version-2",
			TickTime: 2 * time.Second, MinSessionTimeout: 4 * time.Second, MaxSessionTimeout: 40 * time.Second, MaxClientConnections: 60,
			InitLimit: 5, SyncLimit: 2, QuorumPorts: []int{2888}, ElectionPorts: []int{3888}, Observer: true,
			Members: []string{
				"server.1=zoo1:2888:3888:participant;0.0.0.0:2181", "server.2=zoo2:2888:3888:observer;0.0.0.0:2181",
				"group.1=1:2", "weight.1=1", "weight.2=0",
			},
			ConfigVersion: 0x100000004,
		},
		"3.6/conf.txt": {
			ServerID: 1, ClientPort: 2181, SecureClientPort: 2281, DataDir: "/data/version-2", DataLogDir: "/data/version-2",
			TickTime: 3 * time.Second, MinSessionTimeout: 6 * time.Second, MaxSessionTimeout: time.Minute,
			InitLimit: 10, SyncLimit: 5, QuorumPorts: []int{2888, 2889}, ElectionPorts: []int{3888, 3889},
			Members: []string{
				"server.1=a1:2888:3888|a2:2889:3889:participant;0.0.0.0:2181",
				"server.2=b1:2888:3888|b2:2889:3889:participant;0.0.0.0:2181",
				"server.3=c1:2888:3888|c2:2889:3889:participant;0.0.0.0:2181",
			},
		},
		"3.8/conf-leader.txt": {
			ServerID: 3, ClientPort: 29193, SecureClientPort: -1, DataDir: "/var/lib/zookeeper/version-2", DataLogDir: "/var/lib/zookeeper/version-2",
			TickTime: 500 * ms, MinSessionTimeout: time.Second, MaxSessionTimeout: time.Minute,
			InitLimit: 10, SyncLimit: 4, QuorumPorts: []int{29203}, ElectionPorts: []int{29213},
			Members: []string{
				"server.1=127.0.0.1:29201:29211:participant;127.0.0.1:29191",
				"server.2=127.0.0.1:29202:29212:participant;127.0.0.1:29192",
				"server.3=127.0.0.1:29203:29213:participant;127.0.0.1:29193",
			},
		},
		"3.8/conf-readonly.txt": { // in read-only mode it does not name the members
			ServerID: 1, ClientPort: 29191, SecureClientPort: -1, DataDir: "/var/lib/zookeeper/version-2", DataLogDir: "/var/lib/zookeeper/version-2",
			TickTime: 500 * ms, MinSessionTimeout: time.Second, MaxSessionTimeout: time.Minute,
			InitLimit: 10, SyncLimit: 4, QuorumPorts: []int{29201}, ElectionPorts: []int{29211},
		},
		"3.9/conf-standalone.txt": {
			ClientPort: -1, SecureClientPort: 2281, DataDir: "/data=1/version-2", DataLogDir: "/data=1/version-2",
			TickTime: 2 * time.Second, MinSessionTimeout: 4 * time.Second, MaxSessionTimeout: 40 * time.Second, MaxClientConnections: 60,
		},
	} {
		got, err := confFromText(sample(t, name))
		require.NoError(t, err, name)
		require.Equal(t, want.DataDir, got.Values["dataDir"], name)
		got.Values = nil
		require.Equal(t, want, *got, name)
	}
}

func TestConfJSON(t *testing.T) {
	text, err := confFromText(sample(t, "3.8/conf-leader.txt"))
	require.NoError(t, err)
	got, err := confFromJSON([]byte(sample(t, "3.8/configuration-leader.json")))
	require.NoError(t, err)
	for name, value := range got.Values {
		require.Equal(t, text.Values[name], value, name)
	}
	require.Len(t, got.Values, 9)
	got.Values = nil
	require.Equal(t, Conf{
		ServerID: 3, ClientPort: 29193, DataDir: "/var/lib/zookeeper/version-2", DataLogDir: "/var/lib/zookeeper/version-2",
		TickTime: 500 * ms, MinSessionTimeout: time.Second, MaxSessionTimeout: time.Minute,
	}, *got)
}

func TestConfMalformed(t *testing.T) {
	good := sample(t, "3.8/conf-leader.txt")
	for line, bad := range map[string]string{
		"tickTime=500":     "tickTime=half a second",
		"clientPort=29193": "clientPort=none",
		"dataDir=":         "data=",
		"quorumPort=29203": "quorumPort=29203|",
		"version=0":        "version=first",
		"peerType=0":       "peerType=p",
	} {
		require.Contains(t, good, line)
		_, err := confFromText(strings.Replace(good, line, bad, 1))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
	_, err := confFromText(strings.Replace(good, "tickTime=500", "tickTime=half", 1))
	require.ErrorContains(t, err, `line "tickTime=half"`)
	for _, bad := range []string{`{}`, `x`, `{"client_port":1,"data_dir":"d","tick_time":"t","min_session_timeout":1,"max_session_timeout":1,"server_id":1}`} {
		_, err := confFromJSON([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
	_, err = confFromText("feature=on\nno equals sign\n" + good)
	require.NoError(t, err)
}

// Of an answer that ends within a line, nothing is believed.
func TestConfCutShort(t *testing.T) {
	for name, text := range samples(t, "conf*.txt") {
		for i := range len(text) {
			begun := text[strings.LastIndexByte(text[:i], '\n')+1 : i]
			if begun == "" || strings.HasPrefix(begun, "version=") {
				continue // no form tells
			}
			_, err := confFromText(text[:i])
			require.ErrorIs(t, err, ErrMalformed, "%s up to %q", name, text[:i])
		}
	}
}
