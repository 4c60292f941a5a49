package work

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiles are files to write; empty ones are not written.
type profiles struct{ cpu, allocs string }

// begin has the process profiled until end is called. Every allocation is in the profile of allocations, which costs time.
func (p profiles) begin() (end func() error, err error) {
	if p.allocs != "" {
		runtime.MemProfileRate = 1
	}
	stop := func() error { return nil }
	if p.cpu != "" {
		f, err := os.Create(p.cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		stop = func() error {
			pprof.StopCPUProfile()
			return f.Close()
		}
	}
	return func() error { return errors.Join(stop(), p.writeAllocs()) }, nil
}

func (p profiles) writeAllocs() error {
	if p.allocs == "" {
		return nil
	}
	f, err := os.Create(p.allocs)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
