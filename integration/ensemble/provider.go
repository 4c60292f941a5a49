package ensemble

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// spec is what an ensemble asks of its provider. Zero durations and numbers do
// not occur: Open fills in the defaults of options.go first.
type spec struct {
	servers    int
	tickTime   time.Duration
	initLimit  int
	syncLimit  int
	minSession time.Duration
	maxSession time.Duration

	// peerCuts asks for servers whose link to the other servers can be cut
	// while their clients go on reaching them.
	peerCuts bool

	// tls asks for servers with a port for TLS beside the plain one.
	tls bool

	// disk is the size of a file system for each server's data; 0 asks for none.
	disk int64

	// config holds extra lines of zoo.cfg, by key. settings merges them with
	// everything above.
	config map[string]string

	// files are put beside every server, by name; jvmFlags are arguments of its
	// Java. FilesDir in them and in config is replaced by inFolder.
	files    map[string][]byte
	jvmFlags []string

	// explicit names the settings that the caller asked for, for providers
	// that cannot set any.
	explicit []string

	// dir is a scratch folder of this ensemble; the ensemble removes it after
	// the cluster has been closed.
	dir string
}

// settings returns the lines of zoo.cfg that all servers share, by key:
// everything but folders, ports and the list of servers. Extra lines win.
func (s spec) settings() map[string]string {
	all := map[string]string{
		"tickTime":               strconv.FormatInt(s.tickTime.Milliseconds(), 10),
		"initLimit":              strconv.Itoa(s.initLimit),
		"syncLimit":              strconv.Itoa(s.syncLimit),
		"minSessionTimeout":      strconv.FormatInt(s.minSession.Milliseconds(), 10),
		"maxSessionTimeout":      strconv.FormatInt(s.maxSession.Milliseconds(), 10),
		"maxClientCnxns":         "0",
		"admin.enableServer":     "false",
		"4lw.commands.whitelist": "*",
		"extendedTypesEnabled":   "true",
		"forceSync":              "no",
	}
	maps.Copy(all, s.config)
	return all
}

// inFolder returns s with the folder that holds its files.
func (s spec) inFolder(folder string) spec {
	s.config = maps.Clone(s.config)
	for key, value := range s.config {
		s.config[key] = strings.ReplaceAll(value, FilesDir, folder)
	}
	s.jvmFlags = slices.Clone(s.jvmFlags)
	for i, flag := range s.jvmFlags {
		s.jvmFlags[i] = strings.ReplaceAll(flag, FilesDir, folder)
	}
	return s
}

// containerCheck is the system property that lets servers look for empty
// container nodes often enough for a test. It does not work from zoo.cfg.
const containerCheck = "-Dznode.container.checkIntervalMs=200"

// heapFlags keep the servers' JVMs small; their run time does not depend on them.
var heapFlags = []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"}

// errPortTaken says that a server ended because another program had its port.
// An ensemble that meets it at its first start is started once more, elsewhere.
var errPortTaken = errors.New("a port of the server is taken by another program")

// errNotRunning is for nodes that are asked to stop or continue a dead server.
var errNotRunning = errors.New("the server does not run")

// mortal is a node that can tell that its server ended without being killed.
type mortal interface {
	// died returns nil while the server runs or if it was killed; otherwise
	// why it ended, as far as its log tells.
	died() error
}

// diskOwner is a node whose data has a file system of its own.
type diskOwner interface {
	// fillDisk leaves no room on it, freeDisk gives the room back. Both return
	// ErrNoDisks if there is none.
	fillDisk(ctx context.Context) error
	freeDisk(ctx context.Context) error
}

// provider is one way of running ZooKeeper servers.
type provider interface {
	// name is what ZOOKIT_TEST_PROVIDER and WithProvider call it.
	name() string

	// available returns nil if the provider can run here; otherwise the error
	// says what is missing and what to install.
	available(ctx context.Context) error

	// start starts the servers of s. It returns when all of them have been
	// started; whether they serve is probed by the Ensemble. On error nothing
	// is left running.
	start(ctx context.Context, s spec) (cluster, error)
}

// cluster is a set of servers that a provider has started.
type cluster interface {
	// nodes returns the servers, always the same and in the same order.
	nodes() []node

	// close ends all servers and releases whatever they used. A second call
	// does nothing.
	close(ctx context.Context) error
}

// node is one server of a cluster. Its methods are called by one goroutine at
// a time, except addr, logs and those of mortal.
type node interface {
	// addr is where clients reach the server, as host:port. It never changes.
	addr() string

	// start starts the server again, with its data and its address kept.
	start(ctx context.Context) error

	// kill ends the server with SIGKILL and returns when it is gone.
	kill(ctx context.Context) error

	// pause stops the server where it stands, resume lets it run on.
	pause(ctx context.Context) error
	resume(ctx context.Context) error

	// wipe removes the data of a server that has been killed.
	wipe(ctx context.Context) error

	// cutPeers takes away the link to the other servers and leaves that to the
	// clients alone; healPeers gives it back.
	cutPeers(ctx context.Context) error
	healPeers(ctx context.Context) error

	// logs returns what the server has written so far.
	logs(ctx context.Context) string
}

// providers lists the providers in the order in which they are tried.
func providers() []provider {
	return []provider{external{}, containers{}, jvm{}}
}
