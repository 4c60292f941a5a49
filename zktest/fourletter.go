package zktest

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// fourLetterWords are the administrative words that a connection may begin with.
var fourLetterWords = map[string]func(*Door) string{
	"ruok": func(*Door) string { return "imok" },
	"isro": (*Door).isro,
	"srvr": (*Door).srvr,
	"stat": (*Door).stat,
	"wchs": (*Door).wchs,
	"wchc": (*Door).wchc,
	"wchp": (*Door).wchp,
	"mntr": (*Door).mntr,
	"conf": (*Door).conf,
	"cons": (*Door).cons,
	"envi": (*Door).envi,
	"crst": (*Door).crst,
	"srst": (*Door).srst,
}

// fourLetter answers a word. ok is false for anything else, which is the beginning of a frame.
func (d *Door) fourLetter(c *conn, word string) (text string, ok bool) {
	answer := fourLetterWords[word]
	if answer == nil {
		return "", false
	}
	if !d.s.lockThawed(c) {
		return "", true
	}
	defer d.s.mu.Unlock()
	c.received++
	d.received++
	return answer(d), true
}

func (d *Door) version() string {
	number := "3.8.0"
	if d.s.opts.separate {
		number = "3.9.0"
	}
	return number + "-zktest, built on 2026-01-01 00:00 UTC"
}

func (d *Door) mode() string {
	switch {
	case d.readOnly:
		return "read-only"
	case d.s.ensemble != nil || len(d.s.doors) > 1:
		return "follower"
	default:
		return "standalone"
	}
}

func (d *Door) isro() string {
	if d.readOnly {
		return "ro"
	}
	return "rw"
}

// wchs counts data watches only, and each connection that has ever had one, as a real server does.
func (d *Door) wchs() string {
	total, paths, conns := d.watches.countData()
	return fmt.Sprintf("%d connections watching %d paths\nTotal watches:%d\n", conns, paths, total)
}

// alive returns the door's connections, the oldest first, without those that have had their
// last answer and only linger for the client to hang up.
func (d *Door) alive() []*conn {
	var conns []*conn
	for _, c := range d.conns() {
		if !c.last {
			conns = append(conns, c)
		}
	}
	slices.SortFunc(conns, func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
	return conns
}

// nodeCount counts the root twice, as a real server does.
func (d *Door) nodeCount() int { return len(d.view().nodes) + 1 }

func (d *Door) versionLines() string {
	text := "Zookeeper version: " + d.version() + "\n"
	if d.readOnly {
		text += "READ-ONLY mode; serving only read-only clients\n"
	}
	return text
}

func (d *Door) statLines() string {
	return fmt.Sprintf("Latency min/avg/max: 0/0.0/0\nReceived: %d\nSent: %d\nConnections: %d\nOutstanding: 0\nZxid: 0x%x\nMode: %s\nNode count: %d\n",
		d.received, d.sent, len(d.alive()), d.view().zxid, d.mode(), d.nodeCount())
}

func (d *Door) srvr() string { return d.versionLines() + d.statLines() }

func (d *Door) stat() string {
	return d.versionLines() + "Clients:\n" + d.connLines(false) + "\n" + d.statLines()
}

func (d *Door) cons() string { return d.connLines(true) + "\n" }

// connLines writes a line for each connection, the oldest first.
func (d *Door) connLines(full bool) string {
	var b strings.Builder
	for _, c := range d.alive() {
		waits := 0 // Java's flags of what the server waits for on the socket: to read
		if c.session != nil {
			waits = 1
		}
		fmt.Fprintf(&b, " /%s[%d](queued=0,recved=%d,sent=%d", c.nc.RemoteAddr(), waits, c.received, c.sent)
		if full && c.session != nil {
			fmt.Fprintf(&b, ",sid=0x%x,lop=%s,est=%d,to=%d,lcxid=0x%x,lzxid=0x%x,lresp=%d,llat=0,minlat=0,avglat=0,maxlat=0",
				uint64(c.session.id), c.lastOp, c.since.UnixMilli(), c.session.timeout.Milliseconds(),
				uint64(c.lastXid), uint64(c.lastZxid), c.session.heard.Sub(d.s.start).Milliseconds())
		}
		b.WriteString(")\n")
	}
	return b.String()
}

func (d *Door) conf() string {
	port := 0
	if addr, ok := d.addr.(*net.TCPAddr); ok {
		port = addr.Port
	}
	text := fmt.Sprintf("clientPort=%d\nsecureClientPort=-1\ndataDir=/zktest/version-2\ndataDirSize=0\ndataLogDir=/zktest/version-2\ndataLogSize=0\n"+
		"tickTime=%d\nmaxClientCnxns=0\nminSessionTimeout=%d\nmaxSessionTimeout=%d\nclientPortListenBacklog=-1\n",
		port, d.s.opts.tick.Milliseconds(), d.s.opts.min.Milliseconds(), d.s.opts.max.Milliseconds())
	if d.s.ensemble == nil {
		return text + "serverId=0\n"
	}
	return text + "serverId=1\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\npeerType=0\nmembership: \n" + string(d.s.ensemble.text())
}

// mntr has the values that a real server tells and that mean something here.
func (d *Door) mntr() string {
	ephemerals, local, bytes := 0, 0, 0
	for _, paths := range d.view().ephemerals {
		ephemerals += len(paths)
	}
	for _, ss := range d.s.sessions {
		if ss.local {
			local++
		}
	}
	for path, n := range d.view().nodes {
		bytes += len(path) + len(n.data)
	}
	var b strings.Builder
	for _, v := range []struct {
		name  string
		value any
	}{
		{"version", d.version()},
		{"server_state", d.mode()},
		{"ephemerals_count", ephemerals},
		{"avg_latency", "0.0"},
		{"num_alive_connections", len(d.alive())},
		{"outstanding_requests", 0},
		{"znode_count", d.nodeCount()},
		{"global_sessions", len(d.s.sessions) - local},
		{"packets_sent", d.sent},
		{"packets_received", d.received},
		{"watch_count", d.watches.count()},
		{"min_latency", 0},
		{"approximate_data_size", bytes},
		{"local_sessions", local},
		{"uptime", time.Since(d.s.start).Milliseconds()},
		{"max_latency", 0},
	} {
		fmt.Fprintf(&b, "zk_%s\t%v\n", v.name, v.value)
	}
	return b.String()
}

func (d *Door) envi() string {
	return "Environment:\nzookeeper.version=" + d.version() + "\nhost.name=localhost\n"
}

// crst begins the counts of each connection again.
func (d *Door) crst() string {
	for _, c := range d.conns() {
		c.received, c.sent = 0, 0
	}
	return "Connection stats reset.\n"
}

// srst begins the counts of the server again.
func (d *Door) srst() string {
	d.received, d.sent = 0, 0
	return "Server stats reset.\n"
}

// lastOp is how cons names an operation.
func lastOp(op jute.Op) string {
	switch op {
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL:
		return "CREA"
	case jute.OpSetWatches2:
		return "STW2"
	case jute.OpCheckWatches:
		return "CHKW"
	case jute.OpRemoveWatches:
		return "REMW"
	case jute.OpMultiRead:
		return "MLTR"
	case jute.OpGetChildren2:
		return "GETC"
	case jute.OpWhoAmI:
		return "HOMI"
	default:
		return strings.ToUpper(op.String()[:min(4, len(op.String()))])
	}
}
