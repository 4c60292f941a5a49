//go:build unix

package child

import (
	"bufio"
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

const (
	ordersFD  = 3
	reportsFD = 4
)

// GuardMain is the main function of a guard, for a program whose first argument is [GuardCommand]:
// it runs the command that the further ones name, by the orders that it reads from file descriptor 3, and
// reports on 4. It returns the exit status.
func GuardMain(args []string) int {
	if len(args) < 3 {
		fmt.Fprintln(os.Stderr, "zookit: this is for zookit's own use")
		return 2
	}
	grace, err1 := time.ParseDuration(args[0])
	margin, err2 := time.ParseDuration(args[1])
	if err := errors.Join(err1, err2); err != nil {
		fmt.Fprintln(os.Stderr, "zookit:", err)
		return 2
	}
	args = args[2:]
	// Whoever wants to stop all this tells the holder. They are caught and not ignored, since the
	// command would go on ignoring them.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTSTP)
	syscall.CloseOnExec(ordersFD)
	syscall.CloseOnExec(reportsFD)
	g := &guard{grace: grace, margin: margin, orders: make(chan order), reports: json.NewEncoder(os.NewFile(reportsFD, "reports"))}
	go g.read(os.NewFile(ordersFD, "orders"))
	if err := g.run(args); err != nil {
		fmt.Fprintln(os.Stderr, "zookit:", err)
		return 1
	}
	return 0
}

type guard struct {
	grace   time.Duration
	margin  time.Duration // what signals, and a busy machine, may take
	orders  chan order    // closed when the holder is gone
	reports *json.Encoder
	cmd     *exec.Cmd
	until   time.Duration
	overdue bool
}

func (g *guard) read(from io.Reader) {
	defer close(g.orders)
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var o order
		if json.Unmarshal(lines.Bytes(), &o) != nil {
			return // not the holder's any more
		}
		g.orders <- o
	}
}

func (g *guard) run(args []string) error {
	first, ok := <-g.orders
	if !ok {
		return nil // the holder has changed its mind
	}
	g.until = first.Until
	ended, err := g.start(args)
	if err != nil {
		return g.reports.Encode(report{Failed: err.Error(), NotFound: errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist)})
	}
	if err := g.reports.Encode(report{Started: true}); err != nil {
		g.kill(syscall.SIGKILL)
	}
	code := g.watch(ended)
	// Who is left of the command's group was part of it.
	g.kill(syscall.SIGKILL)
	// A holder that is gone hears nothing any more.
	_ = g.reports.Encode(report{Ended: true, Code: code, Overdue: g.overdue})
	return nil
}

// watch returns how the command has ended, which it sees to in time.
func (g *guard) watch(ended <-chan int) int {
	orders := g.orders
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		end := g.until - g.margin
		term := end - g.grace
		at := now()
		switch {
		case at >= end:
			g.overdue = true
			g.kill(syscall.SIGKILL)
			timer.Reset(time.Second)
		case at >= term:
			if !g.overdue {
				g.overdue = true
				g.kill(syscall.SIGTERM)
				g.kill(syscall.SIGCONT) // one that is stopped is to hear of it
			}
			timer.Reset(end - at)
		default:
			timer.Reset(term - at)
		}
		select {
		case code := <-ended:
			return code
		case <-timer.C:
		case o, ok := <-orders:
			switch {
			case !ok: // and so nobody will say how long the grant is held
				orders = nil
				g.cut()
			case o.Lost:
				g.cut()
			case o.Signal != 0:
				g.kill(syscall.Signal(o.Signal))
			case !g.overdue && o.Until > g.until:
				g.until = o.Until
			}
		}
	}
}

// cut has the command ended now, and killed after the grace, or earlier if time is up.
func (g *guard) cut() { g.until = min(g.until, now()+g.grace+g.margin) }

// kill sends a signal to the command's process group.
func (g *guard) kill(sig syscall.Signal) { _ = syscall.Kill(-g.cmd.Process.Pid, sig) }
