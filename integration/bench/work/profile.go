package work

import (
	"errors"
	"os"
	"runtime/pprof"
)

// profiled writes a CPU profile of the process to a file until end is called; without a name it does nothing.
func profiled(file string) (end func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
