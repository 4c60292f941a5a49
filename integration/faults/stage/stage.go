package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faults/history"
)

const (
	// Tick is the servers', and SyncLimit how many of them a server goes on serving that is cut off:
	// longer than a session lives, so that what it says is not true for a while.
	Tick      = 500 * time.Millisecond
	SyncLimit = 10

	// diskSize is that of each server's disk, where it can have one of its own.
	diskSize = 256 << 20

	// watcherSession is the timeout of the session by which the stage itself looks at the servers.
	watcherSession = 20 * time.Second
)

// Settings are those of a stage.
type Settings struct {
	Servers int
	Members int
	// Worker is the program of the worker processes.
	Worker string
	// Session is the timeout of the workers' sessions.
	Session time.Duration
	// Settle is how long what is being cleaned up may take, beside two sessions' timeouts.
	Settle time.Duration
	// Jumps tells that the worker's clock can be set.
	Jumps bool
}

// Stage is an ensemble with the lines to it. It serves one run of workers after the other.
type Stage struct {
	Settings
	Ensemble *ensemble.Ensemble
	// Cuts and Disks tell whether the servers can be cut off from each other, and their disks filled;
	// if not, Missing says why.
	Cuts, Disks bool
	Missing     []string
	Members     []*Member
	// Record is where faults are written down: that of the current run.
	Record *history.Recorder

	watcher *client.Client
	tether  *tether
}

// Open starts servers, with all that can be broken of them here.
func Open(ctx context.Context, s Settings) (*Stage, error) {
	st := &Stage{Settings: s, tether: newTether()}
	err := st.open(ctx)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

func (st *Stage) open(ctx context.Context) error {
	common := []ensemble.Option{
		ensemble.WithTickTime(Tick), ensemble.WithSyncLimit(SyncLimit), ensemble.WithSessionTimeouts(2*Tick, time.Minute),
		ensemble.WithConfig("preAllocSize", "64"), // kB, so that a full disk is noticed soon
		ensemble.WithConfig("snapCount", "20000"),
	}
	tries := []struct {
		cuts, disks bool
		opts        []ensemble.Option
	}{
		{true, true, append(preferred(), ensemble.WithPeerCuts(), ensemble.WithDisks(diskSize))},
		{true, false, []ensemble.Option{ensemble.WithPeerCuts()}},
		{false, false, nil},
	}
	var err error
	for _, try := range tries {
		st.Ensemble, err = ensemble.Open(ctx, st.Servers, append(try.opts, common...)...)
		if err == nil {
			st.Cuts, st.Disks = try.cuts, try.disks
			break
		}
		if !errors.Is(err, ensemble.ErrNoProvider) && !errors.Is(err, ensemble.ErrNoDisks) {
			return err
		}
		st.Missing = append(st.Missing, err.Error())
	}
	if err != nil {
		return err
	}
	if st.watcher, err = client.Connect(ctx, st.Ensemble.Connect(), client.WithSessionTimeout(watcherSession),
		client.WithConnectTimeout(time.Minute)); err != nil {
		return err
	}
	for i := range st.Settings.Members {
		m, err := newMember(st, i)
		if err != nil {
			return err
		}
		st.Members = append(st.Members, m)
	}
	return nil
}

// preferred has local processes tried first, of which alone the disks can be filled, unless somebody asks for another
// provider.
func preferred() []ensemble.Option {
	if os.Getenv("ZOOKIT_TEST_PROVIDER") != "" {
		return nil
	}
	return []ensemble.Option{ensemble.WithProvider("jvm")}
}

// Close ends everything.
func (st *Stage) Close() error {
	var errs []error
	for _, m := range st.Members {
		errs = append(errs, m.close())
	}
	if st.watcher != nil {
		errs = append(errs, st.watcher.Close())
	}
	if st.Ensemble != nil {
		errs = append(errs, st.Ensemble.Close())
	}
	st.tether.close()
	return errors.Join(errs...)
}

// Watcher is a client that no fault of a line concerns.
func (st *Stage) Watcher() *client.Client { return st.watcher }

// Whole waits until all servers serve, with one leader.
func (st *Stage) Whole(ctx context.Context) error {
	_, err := st.Ensemble.Leader(ctx)
	return err
}

// SaveLogs writes the servers' logs into a folder.
func (st *Stage) SaveLogs(dir string) error {
	var errs []error
	for _, s := range st.Ensemble.Servers() {
		errs = append(errs, os.WriteFile(filepath.Join(dir, fmt.Sprintf("server-%d.log", s.ID())), []byte(s.Logs()), 0o644))
	}
	return errors.Join(errs...)
}
