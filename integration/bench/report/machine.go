package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine describes where a run took place, as far as the system tells.
func Machine() string {
	parts := []string{fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())}
	if model := lineOf("/proc/cpuinfo", "model name"); model != "" {
		parts = append(parts, model)
	}
	if total := lineOf("/proc/meminfo", "MemTotal"); total != "" {
		parts = append(parts, "memory "+total)
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		parts = append(parts, "kernel "+strings.TrimSpace(string(kernel)))
	}
	return strings.Join(parts, "; ")
}

// Load is the load of the machine now, of the last minutes: other programs are in it.
func Load() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	fields := strings.Fields(string(load))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// lineOf is the value in the first line of a file that begins with a name.
func lineOf(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(strings.TrimLeft(rest, " \t:"))
		}
	}
	return ""
}
