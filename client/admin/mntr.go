package admin

import (
	"strconv"
	"time"
)

// Mntr is the answer to mntr: everything that a server measures. What the server's version
// does not tell is zero; Values says whether it was told.
type Mntr struct {
	Version Version
	Mode    Mode
	// PeerState says what the server does in its ensemble, such as "leading - broadcast";
	// since 3.6.
	PeerState string
	Latency   Latency
	// Received and Sent count packets.
	Received, Sent int64
	// Connections are those open now; mntr's own is counted, if it is one to the client port.
	Connections int64
	// Outstanding requests are in processing or queued.
	Outstanding int64
	// Nodes, Ephemerals and Watches count what the server keeps, DataSize the bytes of paths
	// and data.
	Nodes, Ephemerals, Watches, DataSize int64
	// OpenFiles and MaxFiles are file descriptors, told on Unix systems.
	OpenFiles, MaxFiles int64
	// Uptime is how long the server has been serving; since 3.6.
	Uptime time.Duration
	// Leading is what a leader says of the others; nil for all others.
	Leading *Leading
	// Values has all values by their names in mntr, such as "zk_znode_count", those from the
	// admin endpoint as well. Text and numbers as the server writes them.
	Values map[string]string
}

// Leading is what a leader says of the servers that follow it.
type Leading struct {
	// Learners are connected to the leader: followers, and since 3.6 observers.
	Learners int64
	// SyncedFollowers vote and are in step. A quorum needs half of all voters, rounded down,
	// beside the leader.
	SyncedFollowers int64
	// SyncedNonVoting have not been made voters yet; SyncedObservers never are. Since 3.6.
	SyncedNonVoting, SyncedObservers int64
	// PendingSyncs are sync requests that wait.
	PendingSyncs int64
	// Proposals are the sizes of the leader's proposals, zero if it does not tell.
	Proposals Sizes
}

// Number returns one of Values as a number, and whether it is there and is one.
func (m *Mntr) Number(name string) (float64, bool) {
	n, err := strconv.ParseFloat(m.Values[name], 64)
	return n, err == nil
}

const prefix = "zk_"

var mntr = question[*Mntr]{"mntr", "monitor", mntrFromText, mntrFromJSON}

func mntrFromText(text string) (*Mntr, error) {
	v := lines(text, "\t")
	v.whole(text)
	return newMntr(v)
}

func mntrFromJSON(body []byte) (*Mntr, error) {
	all, err := object(body)
	if err != nil {
		return nil, err
	}
	v := &values{all: make(map[string]string, len(all)), sep: ": "}
	for name, value := range all {
		if name != "command" {
			v.all[prefix+name] = value
		}
	}
	return newMntr(v)
}

func newMntr(v *values) (*Mntr, error) {
	v.need("zk_version", "zk_server_state")
	m := &Mntr{
		Version:     newVersion(v.text("zk_version")),
		Mode:        Mode(v.text("zk_server_state")),
		PeerState:   v.text("zk_peer_state"),
		Latency:     Latency{Min: v.millis("zk_min_latency"), Avg: v.millis("zk_avg_latency"), Max: v.millis("zk_max_latency")},
		Received:    v.integer("zk_packets_received"),
		Sent:        v.integer("zk_packets_sent"),
		Connections: v.integer("zk_num_alive_connections"),
		Outstanding: v.integer("zk_outstanding_requests"),
		Nodes:       v.integer("zk_znode_count"),
		Ephemerals:  v.integer("zk_ephemerals_count"),
		Watches:     v.integer("zk_watch_count"),
		DataSize:    v.integer("zk_approximate_data_size"),
		OpenFiles:   v.integer("zk_open_file_descriptor_count"),
		MaxFiles:    v.integer("zk_max_file_descriptor_count"),
		Uptime:      v.millis("zk_uptime"),
		Values:      v.all,
	}
	if m.Mode == Leader {
		learners := "zk_learners"
		if !v.has(learners) {
			learners = "zk_followers" // its name before 3.6
		}
		m.Leading = &Leading{
			Learners:        v.integer(learners),
			SyncedFollowers: v.integer("zk_synced_followers"),
			SyncedNonVoting: v.integer("zk_synced_non_voting_followers"),
			SyncedObservers: v.integer("zk_synced_observers"),
			PendingSyncs:    v.integer("zk_pending_syncs"),
			Proposals: Sizes{
				Last: v.integer("zk_last_proposal_size"),
				Min:  v.integer("zk_min_proposal_size"),
				Max:  v.integer("zk_max_proposal_size"),
			},
		}
	}
	if v.err != nil {
		return nil, v.err
	}
	return m, nil
}
