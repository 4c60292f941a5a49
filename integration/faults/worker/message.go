package worker

import "time"

// Config is what a worker is to do.
type Config struct {
	// Process is the name of this process in the histories.
	Process string `json:"process"`
	// Member is which of Members it is, or takes the place of, from 0: of a work's clients it has
	// those whose number leaves this remainder.
	Member  int `json:"member"`
	Members int `json:"members"`
	// Servers is what clients connect to.
	Servers string `json:"servers"`
	// Dir is where histories go: Dir/NAME/PROCESS.jsonl for each work.
	Dir string `json:"dir"`
	// Work is what is done, all of it at once.
	Work []Work `json:"work"`
	// Session is the timeout of the clients' sessions, and Pace how long they do something, on average.
	Session time.Duration `json:"session"`
	Pace    time.Duration `json:"pace"`
	// Unconfirmed has clients believe their servers (client.WithoutConfirmation).
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Seed is that of everything that is done by chance.
	Seed uint64 `json:"seed"`
}

// Work is one workload.
type Work struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Clients  int    `json:"clients"`
	Resource string `json:"resource"` // its URL
}

// What a worker is told, one JSON object a line.
const (
	// Finish has everything given back; the answer is Finished.
	Finish = "finish"
	// Close has the clients closed, and the process end; the answer is Closed.
	Close = "close"
	// Jump has the process's wall clock show another time; the answer is Jumped.
	Jump = "jump"
)

// Command is what a worker is told.
type Command struct {
	Do string `json:"do"`
	// By is how far the clock is then off, for Jump.
	By time.Duration `json:"by,omitempty"`
}

// What a worker says.
const (
	// Ready: all clients are connected.
	Ready = "ready"
	// Status comes several times a second.
	Status = "status"
	// Failed: a workload has ended with an error, or before it was told to.
	Failed = "failed"
	// Finished: every workload has returned; the clients are still connected.
	Finished = "finished"
	// Closed: the clients have been closed.
	Closed = "closed"
	// Jumped: the clock is off. Err says why it is not.
	Jumped = "jumped"
)

// Message is what a worker says.
type Message struct {
	Event string `json:"event"`
	Err   string `json:"err,omitempty"`
	// Done is how many operations each work has completed, for Status.
	Done map[string]int64 `json:"done,omitempty"`
	// Sessions are the ids of the clients' sessions, by the clients' names, for Status.
	Sessions map[string]int64 `json:"sessions,omitempty"`
	// Counts are those of all clients so far, for Status and Closed.
	Counts Counts `json:"counts"`
	// Left is what was left behind in the process, for Closed.
	Left []string `json:"left,omitempty"`
}

// Counts are sums over clients.
type Counts struct {
	SessionsOpened uint64 `json:"sessions_opened"`
	SessionsLost   uint64 `json:"sessions_lost"`
	Connections    uint64 `json:"connections"`
	Requests       uint64 `json:"requests"`
	Repeats        uint64 `json:"repeats"`
	OpsOK          uint64 `json:"ops_ok"`
	OpsFailed      uint64 `json:"ops_failed"`
	OpsNotSent     uint64 `json:"ops_not_sent"`
	OpsUnknown     uint64 `json:"ops_unknown"`
}

// Add adds others.
func (c *Counts) Add(o Counts) {
	c.SessionsOpened += o.SessionsOpened
	c.SessionsLost += o.SessionsLost
	c.Connections += o.Connections
	c.Requests += o.Requests
	c.Repeats += o.Repeats
	c.OpsOK += o.OpsOK
	c.OpsFailed += o.OpsFailed
	c.OpsNotSent += o.OpsNotSent
	c.OpsUnknown += o.OpsUnknown
}
