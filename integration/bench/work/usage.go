package work

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// usage is what the process has used so far.
type usage struct {
	at       time.Time
	cpu      time.Duration
	mallocs  uint64
	syscalls uint64
}

func now() usage {
	u := usage{mallocs: mallocs(), syscalls: syscalls()}
	// Last, so that what it takes to ask for the others is not measured.
	u.cpu, u.at = cpu(), time.Now()
	return u
}

func (u usage) since() Sample {
	took := time.Since(u.at)
	s := Sample{Seconds: took.Seconds(), CPU: (cpu() - u.cpu).Seconds()}
	s.Syscalls, s.Allocs = syscalls()-u.syscalls, mallocs()-u.mallocs
	return s
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func cpu() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// syscalls is how often the process has read and written, or 0 where the system does not tell.
func syscalls() (n uint64) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		if string(name) == "syscr" || string(name) == "syscw" {
			v, _ := strconv.ParseUint(string(value), 10, 64)
			n += v
		}
	}
	return n
}

// HeapAndGoroutines are the heap in use after collections, and the number of goroutines.
func HeapAndGoroutines() (heap, goroutines float64) {
	runtime.GC()
	runtime.GC() // what the first has found to be unused may have had a finalizer or a pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse), float64(runtime.NumGoroutine())
}
