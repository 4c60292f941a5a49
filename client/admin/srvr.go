package admin

import (
	"regexp"
	"time"
)

// Mode is what a server is in its ensemble, in its own words.
type Mode string

// The modes of ZooKeeper 3.4 to 3.9.
const (
	Leader     Mode = "leader"
	Follower   Mode = "follower"
	Observer   Mode = "observer"
	Standalone Mode = "standalone"
	ReadOnly   Mode = "read-only"
)

// Version says which ZooKeeper a server runs.
type Version struct {
	// Number is the release, such as "3.8.0"; empty if Build does not begin with one.
	Number string
	// Build is all that the server says: the release with its commit, and when it was built.
	Build string
}

// String returns the release, or the build if there is none.
func (v Version) String() string {
	if v.Number == "" {
		return v.Build
	}
	return v.Number
}

var number = regexp.MustCompile(`^\d+(\.\d+)+`)

// newVersion is content with any build: 3.6.3--6401e4ad..., 3.5.4-beta-7f51e5b6...,
// 3.8.0-${mvngit.commit.id}.
func newVersion(build string) Version { return Version{Number: number.FindString(build), Build: build} }

// Latency is how long requests took from their arrival to the end of their processing, as
// the server counts: in milliseconds, and the average with fractions since 3.6.
type Latency struct{ Min, Avg, Max time.Duration }

// Sizes are numbers of bytes; -1 before there was any.
type Sizes struct{ Last, Min, Max int64 }

// Srvr is the answer to srvr: what a server is, and its counters since it started to serve
// or since they were reset.
type Srvr struct {
	Version Version
	Mode    Mode
	Latency Latency
	// Received and Sent count packets.
	Received, Sent int64
	// Connections are those open now; srvr's own is counted, if it is one to the client port.
	Connections int64
	// Outstanding requests are in processing or queued.
	Outstanding int64
	// Zxid is the last transaction that the server has applied: the epoch of the leader in
	// the upper 32 bits, the number of the transaction in it in the lower.
	Zxid int64
	// Nodes counts znodes, ZooKeeper's own included.
	Nodes int64
	// Proposals are the sizes of a leader's proposals; nil where the server does not tell:
	// others than leaders, and old ones.
	Proposals *Sizes
}

var srvr = question[*Srvr]{"srvr", "server_stats", srvrFromText, srvrFromJSON}

func srvrFromText(text string) (*Srvr, error) {
	const latency, proposals = "Latency min/avg/max", "Proposal sizes last/min/max"
	v := lines(text, ": ")
	v.need("Zookeeper version", latency, "Received", "Sent", "Outstanding", "Zxid", "Mode", "Node count")
	v.whole(text)
	if v.err != nil {
		return nil, v.err
	}
	parts := v.slashed(latency, 3)
	took := &values{all: map[string]string{"min": parts[0], "avg": parts[1], "max": parts[2]}}
	s := &Srvr{
		Version:     newVersion(v.text("Zookeeper version")),
		Mode:        Mode(v.text("Mode")),
		Latency:     Latency{Min: took.millis("min"), Avg: took.millis("avg"), Max: took.millis("max")},
		Received:    v.integer("Received"),
		Sent:        v.integer("Sent"),
		Connections: v.integer("Connections"),
		Outstanding: v.integer("Outstanding"),
		Zxid:        v.integer("Zxid"),
		Nodes:       v.integer("Node count"),
	}
	if took.err != nil {
		v.fail(latency)
	}
	if v.has(proposals) {
		parts := v.slashed(proposals, 3)
		sizes := &values{all: map[string]string{"last": parts[0], "min": parts[1], "max": parts[2]}}
		s.Proposals = &Sizes{Last: sizes.integer("last"), Min: sizes.integer("min"), Max: sizes.integer("max")}
		if sizes.err != nil {
			v.fail(proposals)
		}
	}
	if v.err != nil {
		return nil, v.err
	}
	return s, nil
}

func srvrFromJSON(body []byte) (*Srvr, error) {
	v, err := members(body)
	if err != nil {
		return nil, err
	}
	v.need("version", "server_stats", "node_count")
	if v.err != nil {
		return nil, v.err
	}
	stats, err := members([]byte(v.text("server_stats")))
	if err != nil {
		return nil, err
	}
	stats.need("server_state", "packets_received", "packets_sent", "last_processed_zxid")
	s := &Srvr{
		Version:     newVersion(v.text("version")),
		Mode:        Mode(stats.text("server_state")),
		Latency:     Latency{Min: stats.millis("min_latency"), Avg: stats.millis("avg_latency"), Max: stats.millis("max_latency")},
		Received:    stats.integer("packets_received"),
		Sent:        stats.integer("packets_sent"),
		Connections: stats.integer("num_alive_client_connections"),
		Outstanding: stats.integer("outstanding_requests"),
		Zxid:        stats.integer("last_processed_zxid"),
		Nodes:       v.integer("node_count"),
	}
	if v.has("proposal_stats") {
		sizes, err := members([]byte(v.text("proposal_stats")))
		if err != nil {
			return nil, err
		}
		s.Proposals = &Sizes{
			Last: sizes.integer("last_buffer_size"),
			Min:  sizes.integer("min_buffer_size"),
			Max:  sizes.integer("max_buffer_size"),
		}
		stats.adopt(sizes)
	}
	if stats.adopt(v); stats.err != nil {
		return nil, stats.err
	}
	return s, nil
}
