// Package schedule decides which faults are done when: all of it follows from one number.
package schedule

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/zookit/zookit/integration/faults/nemesis"
)

const (
	// singles is how many steps a round of single faults has, and mixes how many one of mixed faults.
	singles = 8
	mixes   = 4
	// together is how many faults a mixed step has at most.
	together = 3
	// apart is within which time the faults of a mixed step begin.
	apart = 3 * time.Second
	// every is how many rounds there are, of which one is mixed, when every fault has been done once by itself.
	every = 2
)

// Planned is a fault that is to be done.
type Planned struct {
	Kind string `json:"kind"`
	// Member is whom it concerns.
	Member int `json:"member"`
	// After is how long after the beginning of its step it begins.
	After time.Duration `json:"after"`
	// Seed decides whatever is open.
	Seed uint64 `json:"seed"`
}

// Step is faults that are done at once. The next step begins when all of them are over and everybody goes on.
type Step []Planned

// Round is steps with the same workers, whose histories are judged together.
type Round struct {
	Number int    `json:"number"`
	Mixed  bool   `json:"mixed"`
	Seed   uint64 `json:"seed"`
	Steps  []Step `json:"steps"`
}

// Plan is an endless schedule. It is safe for concurrent use.
type Plan struct {
	kinds   []*nemesis.Kind
	members int

	mu     sync.Mutex
	rand   *rand.Rand
	number int
	deck   []*nemesis.Kind // of this pass, still to be done by themselves
	passed bool            // every fault has been done by itself
	since  int             // rounds since then
}

// New makes the schedule of a seed.
func New(seed uint64, kinds []*nemesis.Kind, members int) *Plan {
	return &Plan{kinds: kinds, members: members, rand: rand.New(rand.NewPCG(seed, 0))}
}

// Next returns the next round: first of every fault by itself, from then on of mixed ones by turns.
func (p *Plan) Next() Round {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	r := Round{Number: p.number, Seed: p.rand.Uint64()}
	if p.passed {
		p.since++
		r.Mixed = p.since%every == 1
	}
	if r.Mixed {
		for range mixes {
			r.Steps = append(r.Steps, p.mix())
		}
		return r
	}
	for range singles {
		if len(p.deck) == 0 {
			p.deck = append(p.deck, p.kinds...)
			p.rand.Shuffle(len(p.deck), func(i, j int) { p.deck[i], p.deck[j] = p.deck[j], p.deck[i] })
		}
		r.Steps = append(r.Steps, Step{p.planned(p.deck[0], p.rand.IntN(p.members), 0)})
		p.deck = p.deck[1:]
		if len(p.deck) == 0 {
			p.passed = true
		}
	}
	return r
}

// Only returns the round of a number, of the schedule of a seed.
func Only(seed uint64, kinds []*nemesis.Kind, members, number int) Round {
	p := New(seed, kinds, members)
	r := p.Next()
	for r.Number < number {
		r = p.Next()
	}
	return r
}

func (p *Plan) planned(k *nemesis.Kind, member int, after time.Duration) Planned {
	return Planned{Kind: k.Name, Member: member, After: after, Seed: p.rand.Uint64()}
}

// mix is at most one fault of the servers and one of each member.
func (p *Plan) mix() Step {
	var step Step
	busy := make([]bool, p.members)
	servers := false
	for tries := 0; len(step) < min(together, 1+p.members) && tries < 100; tries++ {
		k := p.kinds[p.rand.IntN(len(p.kinds))]
		member := p.rand.IntN(p.members)
		if busy[member] || k.Domain == nemesis.Servers && servers {
			continue
		}
		busy[member] = true
		servers = servers || k.Domain == nemesis.Servers
		var after time.Duration
		if len(step) > 0 {
			after = time.Duration(p.rand.Int64N(int64(apart)))
		}
		step = append(step, p.planned(k, member, after))
	}
	return step
}
