package nemesis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/zookit/zookit/integration/faults/stage"
)

// Domain is what a fault is done to. Two faults of one domain are not done at once, and of one member neither.
type Domain int

// The domains.
const (
	Servers Domain = iota
	Member
)

// Kind is a fault that can be done.
type Kind struct {
	// Name is one word with dashes: "leader-killed".
	Name   string
	Domain Domain
	// Doc says what happens.
	Doc string
	// Missing says why it cannot be done on a stage; it may be nil, for one that always can be.
	Missing func(*stage.Stage) string

	inject func(context.Context, *Scene) (*Fault, error)
}

// Scene is where and how a fault is done.
type Scene struct {
	Stage *stage.Stage
	// Member is whom it concerns, for faults of that domain, and who is on the wrong side of a partition.
	Member *stage.Member
	// Rand decides whatever is open.
	Rand *rand.Rand
	// Works are the paths below which there is work.
	Works []string
}

// Fault is one that has been done.
type Fault struct {
	// Target says to whom.
	Target string
	// Hold is how long it is to last.
	Hold time.Duration
	// Missed tells that nothing has been broken after all: the request that was to be lost did not come.
	Missed bool

	heal func(context.Context) error
}

// Heal undoes the fault.
func (f *Fault) Heal(ctx context.Context) error {
	if f.heal == nil {
		return nil
	}
	return f.heal(ctx)
}

// Inject does the fault.
func (k *Kind) Inject(ctx context.Context, s *Scene) (*Fault, error) {
	f, err := k.inject(ctx, s)
	if err != nil {
		if f != nil {
			err = errors.Join(err, f.Heal(context.WithoutCancel(ctx))) // what of it was done
		}
		return nil, fmt.Errorf("fault %s: %w", k.Name, err)
	}
	return f, nil
}

// All returns the faults.
func All() []*Kind {
	var all []*Kind
	for _, some := range [][]*Kind{serverKinds(), quorumKinds(), partitionKinds(), diskKinds(), linkKinds(), requestKinds(), processKinds(), sessionKinds(), clockKinds()} {
		all = append(all, some...)
	}
	return all
}

// Lookup returns the fault of a name.
func Lookup(name string) (*Kind, error) {
	var names []string
	for _, k := range All() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("no fault %q: want one of %s", name, strings.Join(names, ", "))
}

// between is a time from lo to hi, by chance.
func (s *Scene) between(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(s.Rand.Int64N(int64(hi-lo)+1))
}

// sessions is a time in session timeouts.
func (s *Scene) sessions(lo, hi float64) time.Duration {
	t := float64(s.Stage.Session)
	return s.between(time.Duration(lo*t), time.Duration(hi*t))
}

func pick[T any](s *Scene, all []T) T { return all[s.Rand.IntN(len(all))] }
