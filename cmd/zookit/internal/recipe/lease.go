package recipe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// A lease that a process holds for others is a folder of this user's with a socket in it, on which one line says what becomes of the item
// and one answers. The folder goes with the lease.

// lease is such a lease, where it is held.
type lease struct {
	dir      string
	listener net.Listener
	group    sync.WaitGroup
	conns    chan net.Conn
	over     chan struct{}
}

// prefix is how the names of these folders begin.
const prefix = "zookit-lease-"

func socket(dir string) string { return filepath.Join(dir, "lease") }

func pidFile(dir string) string { return filepath.Join(dir, "pid") }

func newLease() (*lease, error) {
	dir, err := os.MkdirTemp("", prefix) // for this user only
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", socket(dir))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the lease's socket: %w; a shorter TMPDIR may help", err), os.Remove(dir))
	}
	// For people who look who that is.
	if err := os.WriteFile(pidFile(dir), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(err, listener.Close(), os.Remove(dir))
	}
	l := &lease{dir: dir, listener: listener, conns: make(chan net.Conn), over: make(chan struct{})}
	l.group.Go(l.accept)
	return l, nil
}

func (l *lease) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return // it was closed
		}
		select {
		case l.conns <- conn:
		case <-l.over:
			_ = conn.Close()
		}
	}
}

// close ends the lease for those who would settle it.
func (l *lease) close() {
	close(l.over)
	_ = l.listener.Close()
	l.group.Wait()
	sweep(l.dir)
}

// sweep deletes the folder of a lease.
func sweep(dir string) {
	for _, path := range []string{socket(dir), pidFile(dir), dir} {
		_ = os.Remove(path)
	}
}

// verdict is what became of what was asked for.
type verdict struct {
	Code  int    `json:"code"`
	Error string `json:"error,omitempty"`
}

func verdictOf(err error) verdict {
	v := verdict{Code: app.Code(err)}
	if err != nil {
		v.Error = err.Error()
	}
	return v
}

func (v verdict) err() error {
	if v.Code == 0 {
		return nil
	}
	return &app.Exit{Code: v.Code, Err: errors.New(v.Error)}
}

// hear does what one who settles says, and tells whether the item is settled.
func (l *lease) hear(conn net.Conn, settle func(line string) (bool, error)) bool {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(settling))
	line := bufio.NewScanner(conn)
	if !line.Scan() {
		return false
	}
	said, err := settle(line.Text())
	_ = conn.SetDeadline(time.Now().Add(settling))
	_ = json.NewEncoder(conn).Encode(verdictOf(err))
	return said
}

// tell settles the item of the lease in dir: line says how.
func tell(ctx context.Context, dir, line string) error {
	if !filepath.IsAbs(dir) || !strings.HasPrefix(filepath.Base(dir), prefix) {
		return app.Usagef("%s: that is no lease: give what zookit queue take --hold has printed", dir)
	}
	within, cancel := context.WithTimeout(ctx, 3*settling)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(within, "unix", socket(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		if !errors.Is(err, fs.ErrNotExist) {
			sweep(dir) // what a holder has left behind that was killed
		}
		return &app.Exit{Code: app.ExitLost, Err: fmt.Errorf("lease %s: it was settled before, or has ended: then the item is handed out again", dir)}
	case err != nil:
		return fmt.Errorf("lease %s: %w", dir, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(within, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	var v verdict
	if _, err = fmt.Fprintln(conn, line); err == nil {
		err = json.NewDecoder(conn).Decode(&v)
	}
	if err != nil {
		return fmt.Errorf("lease %s: it is not known what became of the item: %w", dir, err)
	}
	return v.err()
}

func ackHeld() *cobra.Command {
	return &cobra.Command{
		Use:   "ack LEASE",
		Short: "Acknowledge an item that take --hold has taken",
		Long: `Acknowledge an item that zookit queue take --hold has taken, on this machine and for this user: it is gone for good.

Exit status 76 if the lease has ended before, or the item was settled already.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return tell(cmd.Context(), args[0], "ack") },
	}
}

func nackHeld() *cobra.Command {
	var after time.Duration
	var bury string
	cmd := &cobra.Command{
		Use:   "nack LEASE",
		Short: "Give back an item that take --hold has taken",
		Long: `Give back an item that zookit queue take --hold has taken, on this machine and for this user; or make it a dead letter.

Exit status 76 if the lease has ended before, or the item was settled already.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		line := "nack"
		switch {
		case cmd.Flags().Changed("bury"):
			line = "bury " + bury
		case after > 0:
			line = "nack " + after.String()
		}
		return tell(cmd.Context(), args[0], line)
	}
	cmd.Flags().DurationVar(&after, "after", 0, "how long the item is kept back (default: what --retry-after of take says)")
	cmd.Flags().StringVar(&bury, "bury", "", "make it a dead letter, for this reason")
	return cmd
}
