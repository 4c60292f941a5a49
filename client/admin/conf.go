package admin

import (
	"strings"
	"time"
)

// Conf is the answer to conf: a server's settings in force, defaults included. What the
// server's version does not tell, or the admin endpoint does not, is zero.
type Conf struct {
	// ServerID is the server's number in the ensemble, 0 if it is standalone.
	ServerID int64
	// ClientPort and SecureClientPort are -1 if there is none; the latter is told since 3.5,
	// by the client port only.
	ClientPort, SecureClientPort int
	// DataDir holds the snapshots and DataLogDir the transaction logs, version-2 included.
	DataDir, DataLogDir string
	// TickTime is what client.WithTick wants to know. Sessions expire on a multiple of it.
	TickTime time.Duration
	// MinSessionTimeout and MaxSessionTimeout bound what sessions are granted; by default 2
	// and 20 ticks.
	MinSessionTimeout, MaxSessionTimeout time.Duration
	// MaxClientConnections bounds the connections from one address; 0 means no bound.
	MaxClientConnections int

	// What follows is told by servers of an ensemble, over the client port.

	// InitLimit and SyncLimit are ticks: for a follower to get in step at first, and to go
	// without the leader until it stops serving.
	InitLimit, SyncLimit int
	// QuorumPorts and ElectionPorts are for the other servers; several if the server has
	// several addresses.
	QuorumPorts, ElectionPorts []int
	// Observer says that the server does not vote.
	Observer bool
	// Members are the servers of the ensemble, as lines of zoo.cfg: "server.1=zk1:2888:3888:participant;2181",
	// and "group." and "weight." lines if there are any. Since 3.5.
	Members []string
	// ConfigVersion is the zxid of the last reconfiguration, 0 if there was none. Since 3.5.
	ConfigVersion int64

	// Values has all values by their names in conf, such as "tickTime"; those from the admin
	// endpoint, too (there it is "tick_time").
	Values map[string]string
}

var conf = question[*Conf]{"conf", "configuration", confFromText, confFromJSON}

func confFromText(text string) (*Conf, error) {
	var membership []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		for _, kind := range []string{"server.", "group.", "weight."} {
			if strings.HasPrefix(line, kind) && strings.Contains(line, "=") {
				membership = append(membership, line)
			}
		}
	}
	v := lines(text, "=")
	// The membership has no end of line behind its last one, which tells its version.
	if last := text[strings.LastIndexByte(text, '\n')+1:]; !strings.HasPrefix(last, "version=") {
		v.whole(text)
	}
	return newConf(v, membership)
}

func confFromJSON(body []byte) (*Conf, error) {
	all, err := object(body)
	if err != nil {
		return nil, err
	}
	v := &values{all: make(map[string]string, len(all)), sep: ": "}
	for name, value := range all {
		if name != "command" {
			v.all[camel(name)] = value
		}
	}
	return newConf(v, nil)
}

// camel makes tickTime of tick_time.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

func newConf(v *values, membership []string) (*Conf, error) {
	v.need("clientPort", "dataDir", "tickTime", "minSessionTimeout", "maxSessionTimeout", "serverId")
	c := &Conf{
		ServerID:             v.integer("serverId"),
		ClientPort:           v.small("clientPort"),
		SecureClientPort:     v.small("secureClientPort"),
		DataDir:              v.text("dataDir"),
		DataLogDir:           v.text("dataLogDir"),
		TickTime:             v.millis("tickTime"),
		MinSessionTimeout:    v.millis("minSessionTimeout"),
		MaxSessionTimeout:    v.millis("maxSessionTimeout"),
		MaxClientConnections: v.small("maxClientCnxns"),
		InitLimit:            v.small("initLimit"),
		SyncLimit:            v.small("syncLimit"),
		QuorumPorts:          v.ports("quorumPort"),
		ElectionPorts:        v.ports("electionPort"),
		Observer:             v.integer("peerType") == 1,
		Members:              membership,
		ConfigVersion:        v.hex("version"),
		Values:               v.all,
	}
	if v.err != nil {
		return nil, v.err
	}
	return c, nil
}
