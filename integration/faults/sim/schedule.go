package sim

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of faults. Those of doors are done to one of the ensemble's servers, those of links to the network of
// one process, those of requests to the next that matches.
const (
	DoorKilled    Kind = "server killed and started again"
	DoorFrozen    Kind = "server stopped and continued"
	DoorLags      Kind = "server lags behind"
	DoorCutOff    Kind = "server cut off, its link comes back in time"
	DoorGivesUp   Kind = "server cut off, gives up and comes back"
	DoorReadOnly  Kind = "server cut off, then read-only"
	DoorRefuses   Kind = "server refuses connections"
	DoorDrops     Kind = "connections of a server cut"
	AllFrozen     Kind = "all servers stopped and continued"
	AllKilled     Kind = "all servers killed and started again"
	AllReadOnly   Kind = "quorum lost, all servers read-only"
	ClockStep     Kind = "clock of the servers stepped"
	LinkCut       Kind = "link cut in good order"
	LinkReset     Kind = "link reset"
	LinkHole      Kind = "link black-holed"
	LinkHoleOut   Kind = "link black-holed to the servers"
	LinkHoleIn    Kind = "link black-holed from the servers"
	LinkSlow      Kind = "link slow and jittery"
	SessionSilent Kind = "link black-holed past the session"
	RequestLost   Kind = "request lost"
	ReplyLost     Kind = "reply lost"
	ReplyHeld     Kind = "reply held"
	ProcessKilled Kind = "client process killed"
)

// Kinds returns all kinds of faults.
func Kinds() []Kind {
	return []Kind{
		DoorKilled, DoorFrozen, DoorLags, DoorCutOff, DoorGivesUp, DoorReadOnly, DoorRefuses, DoorDrops,
		AllFrozen, AllKilled, AllReadOnly, ClockStep,
		LinkCut, LinkReset, LinkHole, LinkHoleOut, LinkHoleIn, LinkSlow, SessionSilent,
		RequestLost, ReplyLost, ReplyHeld, ProcessKilled,
	}
}

// Fault is one fault of a schedule.
type Fault struct {
	At   time.Duration
	For  time.Duration // 0 of one that has no duration
	Kind Kind
	// Target is the index of the door, or of the process.
	Target int
	// Detail is how much or on what, as the Kind has it.
	Detail int
}

// String describes the fault in a line.
func (f Fault) String() string {
	s := fmt.Sprintf("%12v  %s, target %d, detail %d", f.At, f.Kind, f.Target, f.Detail)
	if f.For > 0 {
		s += fmt.Sprintf(", for %v", f.For)
	}
	return s
}

// Setting is what a seed makes of a run, before anything has happened.
type Setting struct {
	Seed    uint64
	Servers int
	Clients int
	Session time.Duration
	Tick    time.Duration
	Pace    time.Duration
	// Doors are the servers that each client has in its list, by index; a client with one cannot get away from it.
	Doors [][]int
	// ReadOnly are the clients that also take servers in read-only mode.
	ReadOnly []bool
	Kinds    []Kind
	Faults   []Fault
}

// String is the setting as it is left with a failure.
func (s *Setting) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d servers, %d clients, session %v, tick %v, pace %v\nservers of each client: %v, read-only allowed: %v\n",
		s.Seed, s.Servers, s.Clients, s.Session, s.Tick, s.Pace, s.Doors, s.ReadOnly)
	for _, f := range s.Faults {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

// plan makes the setting of a seed. Schedules of one kind of fault alone and mixtures take turns.
func plan(cfg Config) *Setting {
	name := fnv.New64()
	_, _ = name.Write([]byte(cfg.Workload.Name)) // so that no two workloads have the same schedules
	r := rand.New(rand.NewPCG(cfg.Seed, name.Sum64()))
	s := &Setting{
		Seed:    cfg.Seed,
		Servers: 1 + 2*r.IntN(3), // 1, 3 or 5
		Clients: 2 + r.IntN(4),
		Session: time.Duration(4+r.IntN(9)) * time.Second,
	}
	s.Pace = spread(r, 200*time.Millisecond, 3*s.Session)
	if cfg.Clients > 0 {
		s.Clients = cfg.Clients
	}
	s.Tick = s.Session / time.Duration([]int{2, 4, 5, 10, 20}[r.IntN(5)])
	for range s.Clients {
		var doors []int
		if n := r.IntN(3); n == 0 {
			doors = []int{r.IntN(s.Servers)}
		} else {
			doors = r.Perm(s.Servers)
		}
		s.Doors = append(s.Doors, doors)
		s.ReadOnly = append(s.ReadOnly, r.IntN(3) == 0)
	}
	s.Kinds = kinds(r, cfg.Kinds)
	if len(s.Kinds) == 0 {
		return s
	}
	// From one fault in each second to one in each five sessions.
	gap := spread(r, time.Second, 5*s.Session)
	for at := spread(r, time.Second, s.Session); at < cfg.Duration; at += time.Duration(r.ExpFloat64() * float64(gap)) {
		f := Fault{At: at, Kind: s.Kinds[r.IntN(len(s.Kinds))], Detail: r.IntN(1000)}
		f.For = spread(r, 5*time.Millisecond, 3*s.Session)
		switch f.Kind {
		case LinkCut, LinkReset, LinkHole, LinkHoleOut, LinkHoleIn, LinkSlow, SessionSilent, ProcessKilled:
			f.Target = r.IntN(s.Clients)
		default:
			f.Target = r.IntN(s.Servers)
		}
		switch f.Kind {
		case DoorDrops, LinkCut, LinkReset, RequestLost, ReplyLost, ClockStep:
			f.For = 0
		case SessionSilent:
			f.For = s.Session + s.Tick + time.Duration(r.Int64N(int64(s.Session)))
		case DoorGivesUp, DoorReadOnly: // syncLimit ticks, which may be fewer than a session's or more
			f.For = s.Session/2 + time.Duration(r.Int64N(int64(3*s.Session)))
		default: // as it is
		}
		s.Faults = append(s.Faults, f)
	}
	return s
}

// kinds chooses those of one schedule: one alone in a third of all, else some.
func kinds(r *rand.Rand, from []Kind) []Kind {
	if from == nil {
		from = Kinds()
	}
	if len(from) < 2 {
		return from
	}
	if r.IntN(3) == 0 {
		return []Kind{from[r.IntN(len(from))]}
	}
	from = slices.Clone(from)
	r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:2+r.IntN(len(from)-1)]
}

// spread is a time between two, of each order of magnitude as likely.
func spread(r *rand.Rand, least, most time.Duration) time.Duration {
	f := r.Float64()
	lo, hi := float64(least), float64(most)
	return time.Duration(lo * math.Pow(hi/lo, f))
}
