package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// journal is what a service prints, a line for each thing that happens.
type journal struct {
	mu   sync.Mutex
	to   io.Writer
	name string
}

func newJournal(to io.Writer, name string) *journal { return &journal{to: to, name: name} }

func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = fmt.Fprintf(j.to, "%s %s: %s\n", time.Now().Format("15:04:05.000"), j.name, fmt.Sprintf(format, args...))
}
