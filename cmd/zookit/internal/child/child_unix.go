//go:build unix

package child

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// Grant is what the command runs under.
type Grant interface {
	// Context ends with the grant.
	Context() context.Context
	// ValidUntil is the time until which nobody else can hold it.
	ValidUntil() time.Time
}

// Command is what to run.
type Command struct {
	// Args are the command and its arguments, Env what its environment has beside this process's.
	Args, Env []string
	// Grace is the time between SIGTERM and SIGKILL when the grant is lost.
	Grace time.Duration
	// Margin is how long before the end of the grant the command is killed at the latest: what signals, and a
	// busy machine, may take.
	Margin time.Duration
	// Poll is how often the guard is told how long the grant is certain.
	Poll time.Duration
	// In, Out and Err are its standard streams.
	In       io.Reader
	Out, Err io.Writer
}

// Result is how a command has ended.
type Result struct {
	// Code is its exit status, or 128 and the number of the signal that ended it.
	Code int
	// Lost tells that it was ended because the grant was lost, or could be.
	Lost bool
}

// ErrNotFound is returned by [Run] when there is no such command.
var ErrNotFound = errors.New("command not found")

// forwarded are the signals that are the command's business.
var forwarded = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGALRM}

// Run runs a command for as long as the grant is held, and returns when it has ended: it,
// and all processes of its group. Signals that this process gets meanwhile are passed on to them. The error
// is [ErrNotFound], or says why it could not be started.
func Run(g Grant, c Command) (Result, error) {
	self, err := os.Executable()
	if err != nil {
		return Result{}, err
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)

	guard := exec.Command(self, append([]string{GuardCommand, c.Grace.String(), c.Margin.String()}, c.Args...)...) //nolint:noctx // it ends with its command
	guard.Stdin, guard.Stdout, guard.Stderr = c.In, c.Out, c.Err
	guard.Env = append(os.Environ(), c.Env...)
	// Signals of the terminal go to the foreground's group, in which the guard is not to be.
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ordersRead, orders, err := os.Pipe()
	if err != nil {
		return Result{}, err
	}
	reports, reportsWrite, err := os.Pipe()
	if err != nil {
		return Result{}, errors.Join(err, ordersRead.Close(), orders.Close())
	}
	guard.ExtraFiles = []*os.File{ordersRead, reportsWrite}
	err = guard.Start()
	_ = ordersRead.Close()
	_ = reportsWrite.Close()
	if err != nil {
		return Result{}, errors.Join(err, orders.Close(), reports.Close())
	}
	h := &holder{grant: g, poll: c.Poll, orders: json.NewEncoder(orders), signals: signals, reports: make(chan report)}
	go h.read(reports)
	result, err := h.run()
	_ = orders.Close()
	if waited := guard.Wait(); err == nil && result == nil {
		err = fmt.Errorf("the guard of the command has ended early: %w", waited)
	}
	_ = reports.Close()
	if err != nil {
		return Result{}, err
	}
	return *result, nil
}

// GuardCommand is the hidden command by which the program becomes a guard.
const GuardCommand = "__guard"

type holder struct {
	grant   Grant
	poll    time.Duration
	orders  *json.Encoder
	signals <-chan os.Signal
	reports chan report // closed with the guard
}

func (h *holder) read(from io.Reader) {
	defer close(h.reports)
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var r report
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			h.reports <- r
		}
	}
}

// run returns how the command has ended, nil if the guard has ended before.
func (h *holder) run() (*Result, error) {
	tick := time.NewTicker(h.poll)
	defer tick.Stop()
	lost := h.grant.Context().Done()
	h.tell(order{Until: shared(h.grant.ValidUntil())})
	overdue := false
	for {
		select {
		case r, ok := <-h.reports:
			switch {
			case !ok:
				return nil, nil
			case r.NotFound:
				h.drain()
				return nil, fmt.Errorf("%w: %s", ErrNotFound, r.Failed)
			case r.Failed != "":
				h.drain()
				return nil, errors.New(r.Failed)
			case r.Ended:
				h.drain()
				return &Result{Code: r.Code, Lost: r.Overdue || overdue}, nil
			}
		case <-lost:
			lost, overdue = nil, true
			h.tell(order{Lost: true})
		case sig := <-h.signals:
			if n, ok := sig.(syscall.Signal); ok {
				h.tell(order{Signal: int(n)})
			}
		case <-tick.C:
			if h.grant.Context().Err() == nil {
				h.tell(order{Until: shared(h.grant.ValidUntil())})
			}
		}
	}
}

// tell tells the guard; one that is gone is noticed by its reports.
func (h *holder) tell(o order) { _ = h.orders.Encode(o) }

func (h *holder) drain() {
	for range h.reports { // until the guard has closed them
	}
}
