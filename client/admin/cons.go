package admin

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Connection is one client's connection to a server. What follows SessionID is zero while
// that is: for four-letter words, and for clients that have not got a session yet.
type Connection struct {
	// Remote is the client's address as the server sees it, host:port; "null" if the
	// connection is just being closed.
	Remote string
	// Secure connections use TLS. Only the admin endpoint tells; over the client port it is false.
	Secure bool
	// InterestOps are Java's flags of what the server waits for on the socket: 1 to read, 4 to write.
	InterestOps int64
	// Outstanding requests have been received and not been answered.
	Outstanding int64
	// Received and Sent count packets.
	Received, Sent int64

	// SessionID is the id of the client's session.
	SessionID int64
	// LastOp is the kind of the last request, in the server's four letters, such as PING
	// or GETD; NA if there was none.
	LastOp string
	// Established is when the connection was opened, by the server's clock.
	Established time.Time
	// Timeout is the session's.
	Timeout time.Duration
	// LastCxid is the client's number of its last request, -1 if there was none.
	LastCxid int64
	// LastZxid is the transaction up to which the server had come with its last answer, -1 if there was none.
	LastZxid int64
	// LastResponse is when the server last answered, on a clock of its own whose zero is
	// not told (up to 3.4 it is 1970): the differences between connections of one server mean something.
	LastResponse time.Duration
	// LastLatency is how long the last request took, Latency all of them.
	LastLatency time.Duration
	Latency     Latency
}

var cons = question[[]Connection]{"cons", "connections", consFromText, consFromJSON}

func consFromText(text string) ([]Connection, error) {
	var out []Connection
	ended := false
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		if bare == "" {
			ended = strings.HasSuffix(line, "\n")
			continue
		}
		ended = false
		c, err := connectionFromText(bare)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if !ended {
		return nil, missing("empty line at its end")
	}
	return out, nil
}

// connectionFromText reads "/127.0.0.1:4711[1](queued=0,recved=7,...)".
func connectionFromText(line string) (Connection, error) {
	inner, closed := strings.CutSuffix(line, ")")
	i := strings.LastIndexByte(inner, '(')
	if !closed || i < 0 {
		return Connection{}, malformed(line)
	}
	v := &values{all: map[string]string{}}
	for pair := range strings.SplitSeq(inner[i+1:], ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			v.all[name] = value
		}
	}
	v.need("recved", "sent")
	head := inner[:i]
	if j := strings.LastIndexByte(head, '['); j >= 0 && strings.HasSuffix(head, "]") {
		v.all["ops"] = head[j+1 : len(head)-1]
		head = head[:j]
	}
	c := Connection{
		Remote:       remote(head),
		InterestOps:  v.hex("ops"),
		Outstanding:  v.integer("queued"),
		Received:     v.integer("recved"),
		Sent:         v.integer("sent"),
		SessionID:    v.integer("sid"),
		LastOp:       v.text("lop"),
		Established:  v.unixMillis("est"),
		Timeout:      v.millis("to"),
		LastCxid:     v.integer("lcxid"),
		LastZxid:     v.integer("lzxid"),
		LastResponse: v.millis("lresp"),
		LastLatency:  v.millis("llat"),
		Latency:      Latency{Min: v.millis("minlat"), Avg: v.millis("avglat"), Max: v.millis("maxlat")},
	}
	if c.SessionID != 0 && !v.has("lcxid") {
		c.LastCxid = -1
	}
	if v.err != nil {
		return Connection{}, malformed(line)
	}
	return c, nil
}

func consFromJSON(body []byte) ([]Connection, error) {
	var answer struct {
		Plain  []json.RawMessage `json:"connections"`
		Secure []json.RawMessage `json:"secure_connections"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if answer.Plain == nil {
		return nil, missing(`"connections"`)
	}
	var out []Connection
	for i, raw := range append(answer.Plain, answer.Secure...) {
		c, err := connectionFromJSON(raw)
		if err != nil {
			return nil, err
		}
		c.Secure = i >= len(answer.Plain)
		out = append(out, c)
	}
	return out, nil
}

func connectionFromJSON(raw []byte) (Connection, error) {
	v, err := members(raw)
	if err != nil {
		return Connection{}, err
	}
	v.need("packets_received", "packets_sent")
	c := Connection{
		Remote:      "null",
		InterestOps: v.integer("interest_ops"),
		Outstanding: v.integer("outstanding_requests"),
		Received:    v.integer("packets_received"),
		Sent:        v.integer("packets_sent"),
		SessionID:   v.integer("session_id"),
	}
	if v.has("remote_socket_address") {
		c.Remote = remote(v.text("remote_socket_address"))
	}
	if c.SessionID != 0 {
		c.LastOp = v.text("last_operation")
		c.Established = v.unixMillis("established")
		c.Timeout = v.millis("session_timeout")
		c.LastCxid = v.integer("last_cxid")
		c.LastZxid = v.integer("last_zxid")
		c.LastResponse = v.millis("last_response_time")
		c.LastLatency = v.millis("last_latency")
		c.Latency = Latency{Min: v.millis("min_latency"), Avg: v.millis("avg_latency"), Max: v.millis("max_latency")}
	}
	return c, v.err
}
