//go:build unix

package recipe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/queue"
)

const (
	// holderVariable makes the program the holder of a lease; its value is of no importance.
	holderVariable = "ZOOKIT_HOLDER"
	// reportFD is where a holder reports.
	reportFD = 3
)

// held is an item that is held for others, as it is printed.
type held struct {
	item
	Path  string `json:"path"`
	Token int64  `json:"token"`
	Lease string `json:"lease"`
}

// Table implements [output.Document].
func (h held) Table() output.Table {
	t := h.item.Table()
	t.Rows = append(t.Rows, []string{"lease", h.Lease})
	return t
}

// Raw implements [output.Document]: the lease in a line of its own, then the data.
func (h held) Raw() []byte { return append([]byte(h.Lease+"\n"), h.item.Raw()...) }

// report is what a holder tells the program that has started it: the item, or why there is none.
type report struct {
	verdict
	Held *held    `json:"held,omitempty"`
	Raw  [][]byte `json:"raw,omitempty"`
}

// holdFor has another process take an item and hold it, and prints the item. The other process goes on only when it hears
// that this has been done.
func (t *taker) holdFor(ctx context.Context, p *output.Printer) error {
	if t.env.Shared() {
		return app.Usagef("--hold needs a process of its own: it is not for the shell")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	reports, reportsWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = reports.Close() }()
	holder := exec.Command(self, os.Args[1:]...) //nolint:noctx // it outlives this program
	holder.Env = append(os.Environ(), holderVariable+"=1")
	holder.ExtraFiles = []*os.File{reportsWrite}
	holder.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // signals of the terminal are not for it
	orders, err := holder.StdinPipe()
	if err == nil {
		err = holder.Start()
	}
	_ = reportsWrite.Close()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = orders.Close() })()
	var r report
	err = json.NewDecoder(reports).Decode(&r)
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case err != nil:
		err = errors.New("the process that is to hold the lease has ended early")
	case r.Held == nil:
		err = r.err()
	default:
		r.Held.raw = r.Raw
		if err = p.Print(*r.Held); err == nil {
			_, err = io.WriteString(orders, "kept\n")
		}
		if err == nil {
			return holder.Process.Release()
		}
	}
	_ = orders.Close()
	_ = holder.Wait()
	return err
}

// holding tells whether this process is a holder.
func (t *taker) holding() bool { return t.env.Getenv(holderVariable) != "" }

// holder is what a holder does: all that goes wrong before it holds an item is reported.
func (t *taker) holder(ctx context.Context, args []string) error {
	to := os.NewFile(reportFD, "report")
	cl, done, err := t.env.Connect(ctx)
	if err == nil {
		defer done()
		var q *queue.Queue[[]byte]
		if q, err = t.open(ctx, cl, args[0]); err == nil {
			err = t.holdHere(ctx, q, to)
		}
	}
	if err != nil {
		_ = json.NewEncoder(to).Encode(report{verdict: verdictOf(err)})
	}
	return nil
}

// holdHere takes an item and holds it until somebody settles it, the time is over or the lease has ended.
func (t *taker) holdHere(ctx context.Context, q *queue.Queue[[]byte], to *os.File) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := make(chan bool, 1)
	go func() { // ends with its input, at the latest with the program that has started this one
		first := bufio.NewScanner(t.env.In)
		so := first.Scan() && first.Text() == "kept"
		if !so {
			cancel()
		}
		kept <- so
	}()
	it, err := wait(ctx, t, q.Path(), q.Take, q.TryTake)
	if err != nil {
		return err
	}
	l, err := newLease()
	if err != nil {
		t.giveBack(ctx, it, 0)
		return err
	}
	defer l.close()
	h := held{itemOf(it.Entry), it.Path(), it.Token(), l.dir}
	if err = json.NewEncoder(to).Encode(report{Held: &h, Raw: h.raw}); err == nil {
		err = to.Close()
	}
	if err != nil || !<-kept {
		t.giveBack(ctx, it, 0)
		return nil // nobody is there to hear of it
	}
	t.serve(ctx, it, l)
	return nil
}

func (t *taker) serve(ctx context.Context, it *leased, l *lease) {
	end := time.NewTimer(t.hold)
	defer end.Stop()
	for {
		select {
		case <-it.Context().Done():
			return
		case <-end.C:
			t.giveBack(ctx, it, t.retryAfter)
			return
		case <-ctx.Done():
			t.giveBack(ctx, it, 0)
			return
		case conn := <-l.conns:
			if l.hear(conn, func(line string) (bool, error) { return t.settle(ctx, it, line) }) {
				return
			}
		}
	}
}
