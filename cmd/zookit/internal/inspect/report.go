package inspect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// The kinds of nodes that are told apart. Their names are part of the documents that are printed, and stable.
const (
	kindMutex      = "mutex"
	kindRWLock     = "rwlock"
	kindElection   = "election"
	kindSemaphore  = "semaphore"
	kindLease      = "lease"
	kindBarrier    = "barrier"
	kindDouble     = "double-barrier"
	kindQueue      = "queue"
	kindCounter    = "counter"
	kindDocument   = "document"
	kindGroup      = "group"
	kindPartitions = "partitioner"
	kindDiscovery  = "discovery"
	kindService    = "service"
	kindNode       = "node"    // none of these
	kindNothing    = "nothing" // there is no node
)

// report is what is at a path. Its JSON is documented and stable: names are added, none is changed or taken away. What is told is what was
// so at one moment of each read; nothing in it changes by the mere passing of time.
type report struct {
	Path   string `json:"path"`
	Kind   string `json:"kind"`
	Layout string `json:"layout,omitempty"`
	// MayBe are other recipes that have such nodes.
	MayBe []string `json:"mayBe,omitempty"`
	// Summary is all of it in a sentence, for people.
	Summary string `json:"summary"`

	Holders []party `json:"holders"` // who holds, those who have held longest first
	Waiting []party `json:"waiting"` // who waits, in the order in which they will be served
	Members []party `json:"members"` // who is there: groups, services, double barriers

	Limit    *int       `json:"limit,omitempty"`    // permits of a semaphore, or how many items a queue may have
	Value    *int64     `json:"value,omitempty"`    // of a counter
	Queue    *depth     `json:"queue,omitempty"`    // of a queue
	Document *document  `json:"document,omitempty"` // of a document
	Services []services `json:"services,omitempty"` // of a discovery
}

// party is one who holds, waits or is there.
type party struct {
	Path string `json:"path"`
	// Role is what it is there for, where there are several: "write" or "read", "consumer" or "producer".
	Role string `json:"role,omitempty"`
	// Item is what it holds or waits for of several: a partition, an item of a queue.
	Item string `json:"item,omitempty"`
	// Identifier is what it calls itself.
	Identifier string `json:"identifier,omitempty"`
	Session    string `json:"session,omitempty"` // in hexadecimal; none: its node goes with no session
	Host       string `json:"host,omitempty"`    // from where, as far as that can be told
	// Token is the fencing token of the grant, or what it will be; 0 where there are no grants.
	Token   int64     `json:"token,omitempty"`
	Since   time.Time `json:"since"` // by the servers' clock
	Until   time.Time `json:"until,omitzero"`
	Permits int       `json:"permits,omitempty"`
	Revoked bool      `json:"revoked,omitempty"` // it has been asked to let go
	Address string    `json:"address,omitempty"` // of an instance of a service
	Down    bool      `json:"disabled,omitempty"`

	nodes   []string // of a holder of several permits
	session int64
}

// depth is how much is in a queue.
type depth struct {
	Items   int `json:"items"`  // all of them: to be had, delayed and leased
	Leased  int `json:"leased"` // by consumers that are at work
	Delayed int `json:"delayed"`
	Dead    int `json:"dead"` // letters
	// Oldest is when the oldest item that is not delayed was put, NextDue when the next delayed one is due.
	Oldest  time.Time `json:"oldest,omitzero"`
	NextDue time.Time `json:"nextDue,omitzero"`
}

// document is a node of settings.
type document struct {
	Version   int32     `json:"version"`
	Modified  time.Time `json:"modified"`
	Bytes     int       `json:"bytes"`
	Revisions int       `json:"revisions"` // that its history keeps
}

// services is one service of a discovery.
type services struct {
	Name      string `json:"name"`
	Instances int    `json:"instances"`
}

func hex(n int64) string { return fmt.Sprintf("%#x", uint64(n)) }

// text is data as an identifier, if it can be one.
func text(data []byte) string {
	if !utf8.Valid(data) {
		return ""
	}
	return string(data)
}

// Table implements [output.Document]: who holds, who waits and who is there.
func (r *report) Table() output.Table {
	t := output.Table{}
	var all []party
	for i, group := range [][]party{r.Holders, r.Waiting, r.Members} {
		for n, p := range group {
			state := []string{"holds", fmt.Sprintf("waits, %d", n+1), "is there"}[i]
			t.Rows = append(t.Rows, []string{state, what(p), shorten(p.Identifier), dash(p.Session), dash(p.Host), number(p.Token), p.Since.Format(time.RFC3339)})
			all = append(all, p)
		}
	}
	if len(all) > 0 {
		t.Header = []string{"STATE", "WHAT", "IDENTIFIER", "SESSION", "FROM", "TOKEN", "SINCE"}
	}
	for _, s := range r.Services {
		t.Header = []string{"SERVICE", "INSTANCES"}
		t.Rows = append(t.Rows, []string{s.Name, strconv.Itoa(s.Instances)})
	}
	return t
}

// what is what a party holds, waits for or does.
func what(p party) string {
	var words []string
	for _, w := range []string{p.Role, p.Item, p.Address} {
		if w != "" {
			words = append(words, w)
		}
	}
	if p.Permits > 0 {
		words = append(words, counted(p.Permits, "permit"))
	}
	if p.Revoked {
		words = append(words, "revoked")
	}
	if p.Down {
		words = append(words, "disabled")
	}
	return dash(shorten(strings.Join(words, " ")))
}

func number(n int64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shorten keeps a cell from filling the screen.
func shorten(s string) string {
	const most = 48
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return dash(s)
}

// Raw implements [output.Document]: a line for each, of state, path, session and token, with tabs between.
func (r *report) Raw() []byte {
	var out []byte
	for i, group := range [][]party{r.Holders, r.Waiting, r.Members} {
		for _, p := range group {
			out = fmt.Appendf(out, "%s\t%s\t%s\t%d\n", []string{"holder", "waiting", "member"}[i], p.Path, dash(p.Session), p.Token)
		}
	}
	return out
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
