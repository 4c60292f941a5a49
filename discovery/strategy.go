package discovery

import "math/rand/v2"

// Strategy says which instance a [Provider] picks. Each provider keeps its own account. The zero Strategy is [RoundRobin].
type Strategy struct{ start func() chooser }

// chooser chooses one of the candidates, of which there is one at least. A provider calls it under its lock.
type chooser interface {
	choose(candidates []candidate) int
}

// candidate is an instance that can be picked.
type candidate struct {
	*entry
	used int // picks that are not done
}

func (s Strategy) new() chooser {
	if s.start == nil {
		return &roundRobin{}
	}
	return s.start()
}

// RoundRobin picks one instance after the other, in the order of the names of their nodes.
func RoundRobin() Strategy { return Strategy{func() chooser { return &roundRobin{} }} }

type roundRobin struct{ last string }

// choose goes on behind the one picked last, also if that, or any other, has gone.
func (r *roundRobin) choose(cs []candidate) int {
	next := 0
	for i, c := range cs {
		if c.node.Path > r.last {
			next = i
			break
		}
	}
	r.last = cs[next].node.Path
	return next
}

// Random picks by chance, all alike.
func Random() Strategy { return Strategy{func() chooser { return random{} }} }

type random struct{}

func (random) choose(cs []candidate) int { return rand.IntN(len(cs)) }

// LeastUsed picks one of those with the fewest picks that are not done ([Pick.Done]), by chance.
func LeastUsed() Strategy { return Strategy{func() chooser { return leastUsed{} }} }

type leastUsed struct{}

func (leastUsed) choose(cs []candidate) int {
	best, alike := 0, 1
	for i, c := range cs[1:] {
		switch {
		case c.used < cs[best].used:
			best, alike = i+1, 1
		case c.used == cs[best].used:
			if alike++; rand.IntN(alike) == 0 {
				best = i + 1
			}
		}
	}
	return best
}

// Sticky picks the same instance as long as it can be picked, and then another one by the strategy of first.
func Sticky(first Strategy) Strategy {
	return Strategy{func() chooser { return &sticky{first: first.new()} }}
}

type sticky struct {
	first chooser
	key   int64 // of the instance; 0: none
}

func (s *sticky) choose(cs []candidate) int {
	for i, c := range cs {
		if c.key() == s.key {
			return i
		}
	}
	i := s.first.choose(cs)
	s.key = cs[i].key()
	return i
}
